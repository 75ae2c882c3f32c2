"""The boosted trees: monotone where the contract says so, exported to the arrays that serving walks. Only importer of xgboost.

Boosting stops by a log loss that looks past the level. In the stretch of time that stops it more may go bad than before, in all grades
alike: the level is the calibrator's to set, and by plain log loss each tree that ranks better would seem worse, down to a single tree on
the 504 loans. Refuses an export whose margins are not XGBoost's own, bit for bit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import xgboost
from scipy.special import expit, logit
from tqdm import tqdm

from feature_repo.errors import ReleaseError
from serving.scoring.trees import Trees
from training.encoding import Sample
from training.params import TreesParams

Array = np.ndarray[Any, Any]
NEWTON = 4  # steps to a level, each squaring what is left of the error; they begin near it
LEAST_PD = 1e-7  # XGBoost hands PDs over as float32, which may come to 0 or 1


@dataclass(frozen=True)
class Boosted:
    """The trees as serving walks them, and XGBoost's own file (UBJSON) for people who have XGBoost."""

    kernel: Trees
    native: bytes


def fit_trees(sample: Sample, early: tuple[Sample, Sample], risks: tuple[int, ...], params: TreesParams, seed: int) -> Boosted:
    """Boost the first of `early` until the second stops it, then boost all rows of `sample` that often.

    risks: per input 1 where PD may only rise with it, -1 only fall, 0 free.
    """
    return boost(sample, best_rounds(early, float(np.mean(sample.bad)), risks, params, seed), risks, params, seed)


def boost(sample: Sample, rounds: int, risks: tuple[int, ...], params: TreesParams, seed: int) -> Boosted:
    """Boost all rows of `sample` for a known number of rounds."""
    settings = _settings(params, risks, float(np.mean(sample.bad)), seed)
    with tqdm(total=rounds, desc="trees", unit="round", leave=False, disable=None) as bar:
        booster = xgboost.train(settings, _matrix(sample.rows, sample.bad, params), rounds, callbacks=[_Progress(bar)])
    kernel = export(booster)
    require_equal(kernel, booster, sample.rows)
    return Boosted(kernel, bytes(booster.save_raw("ubj")))


def best_rounds(early: tuple[Sample, Sample], bad_rate: float, risks: tuple[int, ...], params: TreesParams, seed: int) -> int:
    """After how many rounds on the first of `early` the levelled log loss of the second is least."""
    return int(_stopped(early, _settings(params, risks, bad_rate, seed), params).best_iteration) + 1


def least_loss(early: tuple[Sample, Sample], risks: tuple[int, ...], params: TreesParams, seed: int) -> float:
    """The least levelled log loss of the second of `early` while the first is boosted."""
    settings = _settings(params, risks, float(np.mean(early[0].bad)), seed)
    return float(_stopped(early, settings, params).best_score)


def levelled_log_loss(margins: Array, bad: Array) -> float:
    """Log loss after all margins are moved alike until the mean PD is the bad rate, half a bad in one row added to it."""
    rate = (float(np.sum(bad)) + 0.5) / (len(bad) + 1)
    moved = margins + (logit(rate) - logit(expit(margins).mean()))
    for _ in range(NEWTON):
        pds = expit(moved)
        moved += np.clip((rate - pds.mean()) / (pds * (1 - pds)).mean(), -1, 1)
    return float(np.mean(np.logaddexp(0, moved) - bad * moved))


def _stopped(early: tuple[Sample, Sample], settings: dict[str, Any], params: TreesParams) -> xgboost.Booster:
    fit, watch = (_matrix(part.rows, part.bad, params) for part in early)

    def loss(pds: Array, _: xgboost.DMatrix) -> tuple[str, float]:
        return "levelled", levelled_log_loss(logit(np.clip(pds.astype(np.float64), LEAST_PD, 1 - LEAST_PD)), early[1].bad)

    with tqdm(total=params.rounds, desc="trees, early stopping", unit="round", leave=False, disable=None) as bar:
        return xgboost.train({**settings, "disable_default_eval_metric": True}, fit, params.rounds, evals=[(watch, "early")],
                             custom_metric=loss, early_stopping_rounds=params.patience, verbose_eval=False, callbacks=[_Progress(bar)])


def export(booster: xgboost.Booster) -> Trees:
    """All trees of a booster (numeric splits only) as flat arrays, one after another."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]  # it may hold an Infinity, which strict readers refuse
    trees = learner["gradient_booster"]["model"]["trees"]
    roots = np.cumsum([0, *(len(tree["left_children"]) for tree in trees)])[:-1].astype(np.int32)

    def joined(name: str, kind: type[np.generic]) -> Array:
        return np.concatenate([np.asarray(tree[name], dtype=kind) for tree in trees])

    def children(name: str) -> Array:
        local = joined(name, np.int32)
        return np.where(local < 0, np.int32(-1), local + np.repeat(roots, [len(tree[name]) for tree in trees]).astype(np.int32))

    conditions = joined("split_conditions", np.float32)
    return Trees(
        feature=joined("split_indices", np.int32), threshold=conditions, left=children("left_children"), right=children("right_children"),
        default_left=joined("default_left", np.uint8), value=conditions, cover=joined("sum_hessian", np.float32), roots=roots,
        base=_base_margin(learner["learner_model_param"]["base_score"]),
    )


def require_equal(kernel: Trees, booster: xgboost.Booster, rows: Array) -> None:
    """Raise ReleaseError unless the kernel's margins are bit-equal to XGBoost's, on `rows` and on rows with nothing but NaN."""
    probe = np.vstack([rows, np.full((1, rows.shape[1]), np.nan)])
    theirs = booster.predict(xgboost.DMatrix(probe, nthread=1), output_margin=True).astype(np.float64)
    differing = int(np.sum(kernel.margins(probe) != theirs))
    if differing:
        raise ReleaseError(f"{differing} of {len(probe)} margins differ from XGBoost {xgboost.__version__}'s own: this version stores its "
                           "trees in another way than training.models.export reads them. Install the locked version")


def _settings(params: TreesParams, risks: tuple[int, ...], bad_rate: float, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary:logistic", "tree_method": "hist", "base_score": bad_rate, "seed": seed,
        "nthread": params.threads, "max_depth": params.depth, "eta": params.rate, "min_child_weight": params.smallest_leaf,
        "subsample": params.rows, "colsample_bytree": params.columns, "lambda": params.ridge, "monotone_constraints": risks,
    }


def _matrix(rows: Array, bad: Array, params: TreesParams) -> xgboost.DMatrix:
    return xgboost.DMatrix(rows, label=bad, nthread=params.threads)


def _base_margin(base_score: str) -> Array:
    """The log-odds XGBoost starts from: -logf(1 / p - 1). C's logf rounds right, NumPy's float32 logarithm is off by a bit at times."""
    share = np.asarray(msgspec.json.decode(base_score), dtype=np.float32).reshape(1)
    return np.asarray(-np.log((np.float32(1) / share - np.float32(1)).astype(np.float64)), dtype=np.float32)


class _Progress(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # xgboost is untyped here
    """One step of a progress bar per round."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self.bar = bar

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - XGBoost's signature
        self.bar.update()
        return False
