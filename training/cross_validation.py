"""How good the recipe is where outcomes are too few for parts of their own: repeated cross-validation of all of it.

In each fold everything is learnt anew from the other folds, calibration and number of trees included, so no row judges what it helped
to make. Folds overlap in what they are fitted on: intervals are of the recipe, wider than the folds' own spread, and no test of one model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from feature_repo.contract import BAD
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from training import measures
from training.params import CrossValidationParams, TrainParams
from training.prior import shift_of
from training.recipe import folds, out_of_fold

Array = np.ndarray[Any, Any]
Outcomes = tuple[Array, Array]
"""What happened, and the PDs that were said of it."""
CANDIDATES = ("scorecard", "trees")
DRAWS = 200


def cross_validate(portfolio: Portfolio, development: pd.DataFrame, params: TrainParams) -> dict[str, dict[str, float]]:
    """Per candidate its measures, as `summarize` names them."""
    count = params.cross_validation
    found: dict[str, list[Outcomes]] = {name: [] for name in CANDIDATES}
    with tqdm(total=count.folds * count.repeats, desc="cross-validation", unit="fold", disable=None) as progress:
        for repeat in range(count.repeats):
            for fits, kept in folds(development, count.folds, params.seed + repeat):
                pds = _pds(portfolio, development.iloc[fits], development.iloc[kept], params, params.seed + repeat)
                for name in CANDIDATES:
                    found[name].append((development[BAD].to_numpy(dtype=np.float64)[kept], pds[name]))
                progress.update()
    shift = shift_of(portfolio, development[BAD].to_numpy())
    return {name: summarize(each, count, params.seed, shift) for name, each in found.items()}


def summarize(found: list[Outcomes], count: CrossValidationParams, seed: int, shift: float = 0.0) -> dict[str, float]:
    """Means over all folds of all repeats, with 95% bounds of auc, gini and ece; rows and bads are development's.

    auc, gini: bounds by the corrected resampled t of Nadeau and Bengio (2003), Machine Learning 52, which allows for the overlap of
    what the folds are fitted on. ks, ece: of each repeat as a whole, a single fold being too few rows, on which both read high; bounds
    of ece from resampled rows, less what resampling itself adds; ece_by_chance: what PDs that are exactly right would show on as many.
    """
    each = pd.DataFrame([_of_fold(*fold, shift) for fold in found])
    whole = [_joined(found[at : at + count.folds]) for at in range(0, len(found), count.folds)]
    auc, low, high = corrected(each["auc"].to_numpy(), count.folds)
    bad, pd_ = whole[0]
    of_all = measures.summary(bad, pd_, shift)
    return {
        **{name: float(value) for name, value in each.mean().items()},
        "auc_low": low, "auc_high": high, "gini": 2 * auc - 1, "gini_low": 2 * low - 1, "gini_high": 2 * high - 1,
        "ks": float(np.mean([measures.ks(*each) for each in whole])), **_ece(whole, np.random.default_rng(seed), shift),
        "mean_pd": of_all["mean_pd"], "bad_rate": of_all["bad_rate"], "rows": len(bad), "bads": int(bad.sum()),
        "folds": count.folds, "repeats": count.repeats,
    }


def corrected(values: Array, count: int) -> tuple[float, float, float]:
    """Mean and 95% bounds, within [0, 1], of a measure over repeats of `count` folds whose fitted rows overlap."""
    spread = np.sqrt((1 / len(values) + 1 / (count - 1)) * np.var(values, ddof=1))
    half, mean = float(stats.t.ppf(0.975, len(values) - 1) * spread), float(np.mean(values))
    return mean, max(mean - half, 0.0), min(mean + half, 1.0)


def _pds(portfolio: Portfolio, fits: pd.DataFrame, kept: pd.DataFrame, params: TrainParams, seed: int) -> dict[str, Array]:
    """What the recipe says of rows it has not seen; the bad rate of all where it found nothing that ranks."""
    try:
        return out_of_fold(portfolio, fits, params, seed).pds(portfolio, kept)
    except DataError:
        rate = measures.moved(fits[BAD].mean(), shift_of(portfolio, fits[BAD].to_numpy()))
        return dict.fromkeys(CANDIDATES, np.full(len(kept), rate))


def _of_fold(bad: Array, pd_: Array, shift: float) -> dict[str, float]:
    if not measures.has_both(bad):
        raise DataError(f"a fold of the cross-validation has {len(bad)} outcomes, {int(bad.sum())} bad, and both kinds are needed: too few "
                        "people hold them. Bring more data, or lower train.cross_validation.folds in params.yaml")
    found = measures.summary(bad, pd_, shift)
    return {name: found[name] for name in ("auc", "brier", "log_loss")}


def _joined(found: list[Outcomes]) -> Outcomes:
    return np.concatenate([bad for bad, _ in found]), np.concatenate([pd_ for _, pd_ in found])


def _ece(whole: list[Outcomes], random: np.random.Generator, shift: float) -> dict[str, float]:
    drawn, by_chance = [], []
    for bad, pd_ in whole:
        for _ in range(-(-DRAWS // len(whole))):
            rows = random.integers(0, len(bad), len(bad))
            drawn.append(measures.ece(bad[rows], pd_[rows], shift=shift))
            of_sample = measures.moved(pd_, -shift)
            by_chance.append(measures.ece((random.random(len(pd_)) < of_sample).astype(np.float64), pd_, shift=shift))
    ece = float(np.mean([measures.ece(*each, shift=shift) for each in whole]))
    low, high = np.quantile(drawn, [0.025, 0.975]) - (np.mean(drawn) - ece)
    return {"ece": ece, "ece_low": max(float(low), 0.0), "ece_high": float(high), "ece_by_chance": float(np.mean(by_chance))}
