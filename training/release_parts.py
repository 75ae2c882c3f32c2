"""What evaluate puts into a release: the scorer with its policy and reasons baseline, drift bins, fairness baseline, golden answers.

Everything is of the through-the-door development population, rejected applications included, and every PD comes from serving.scoring.
No id, clock or outcome of a person is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID, Input
from feature_repo.errors import DataError
from feature_repo.interface import describe
from feature_repo.portfolio import Portfolio
from governance.release import dump
from serving.scoring.batch import arrays
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers
from serving.scoring.decision import Assessment, Encoding, Scorer, save
from serving.scoring.kernel import Kernel
from serving.scoring.parts import ACTIONS, Policy, Texts
from serving.scoring.reasons import Against
from serving.scoring.scorecard import Scorecard
from serving.scoring.support import observed
from training.candidates import Candidate
from training.encoding import model_rows
from training.params import EvaluateParams
from training.points import in_whole_points, points_table
from training.policy import provisional, set_policy

Array = np.ndarray[Any, Any]
Rates = dict[str, dict[str, dict[str, float]]]
NO_GROUP = "not stated"
AVERAGED = 50_000


@dataclass(frozen=True)
class Population:
    """Everyone who applied in development, assembled, with or without an outcome; `protected` is the vault's table."""

    everyone: pd.DataFrame
    protected: pd.DataFrame


def compose(portfolio: Portfolio, candidate: Candidate, encoding: Encoding, everyone: pd.DataFrame, params: EvaluateParams) -> Scorer:
    """The scorer of a release: the chosen candidate with its policy and reasons baseline, set on everyone who applied in development."""
    contract = describe(portfolio)
    texts = Texts(tuple(contract["inputs"]), tuple(contract["rules"]))
    nothing = np.zeros(len(texts.inputs))
    draft = Scorer(portfolio, texts, encoding, candidate.kernel, candidate.calibrator, provisional(params.policy), nothing)
    if isinstance(draft.kernel, Scorecard):
        whole = in_whole_points(draft.kernel, draft.calibrator, draft.policy, model_rows(portfolio, encoding, everyone))
        draft = replace(draft, kernel=whole, calibrator=msgspec.structs.replace(draft.calibrator, slope=1.0, intercept=0.0))
    at = draft.assess(arrays(portfolio, everyone))
    policy = set_policy(at.pd, np.any(at.broken, axis=0), params.policy)
    baselines = {Against.CUT_OFF: _at_the_cut_off(draft.kernel, at, policy.approve_below, params.baseline_share),
                 Against.EVERYONE: _of_everyone(draft.kernel, at)}
    return replace(draft, policy=policy, baseline=baselines[params.reasons_against], against=params.reasons_against, baselines=baselines,
                   support=observed(portfolio, at.columns))


def write(path: Path, scorer: Scorer, candidate: Candidate, population: Population, params: EvaluateParams) -> dict[str, Bins]:
    """Every file of the release but measures.json and the manifest; the frozen bins among them are the answer."""
    save(scorer, path)
    at = scorer.assess(arrays(scorer.portfolio, population.everyone))
    if isinstance(scorer.kernel, Scorecard):
        points_table(scorer, scorer.kernel).to_csv(path / "scorecard.csv", index=False, lineterminator="\n")
    else:
        (path / candidate.native[0]).write_bytes(candidate.native[1])
    bins = frozen_bins(scorer.portfolio, scorer.policy, at, params.bins)
    (path / "bins.json").write_bytes(dump(bins))
    (path / "fairness.json").write_bytes(dump(group_rates(scorer.portfolio, population, at.severity == 0)))
    (path / "golden.json").write_bytes(dump(list(golden(scorer, population.everyone, params.golden))))
    return bins


def frozen_bins(portfolio: Portfolio, policy: Policy, at: Assessment, most: int) -> dict[str, Bins]:
    """Drift bins of every input by name, and of `pd`, `score`, `band` and `outcome`."""
    levels = {column.name: column.level_names for column in portfolio.raw_inputs if column.is_level}
    bins = {column.name: freeze_levels(at.columns[column.name], levels[column.name]) if column.is_level
            else freeze_numbers(at.columns[column.name], most, column.special, column.usual if isinstance(column, Input) else None)
            for column in portfolio.inputs}
    actions, bands = tuple(action.value for action in ACTIONS), tuple(band.name for band in policy.bands)
    results = {"pd": freeze_numbers(at.pd, most), "score": freeze_numbers(at.score, most),
               "band": freeze_levels(np.array(bands)[at.band], bands),
               "outcome": freeze_levels(np.array(actions)[at.severity], actions)}
    return {**bins, **results}


def group_rates(portfolio: Portfolio, population: Population, approved: Array) -> Rates:
    """Per protected attribute and group of the development population: count and approval_rate."""
    names = [column.name for column in portfolio.protected]
    groups = population.everyone[[APPLICATION_ID]].merge(population.protected, on=APPLICATION_ID, how="left", validate="one_to_one")
    return {name: {str(group): {"count": len(rows), "approval_rate": float(rows.mean())}
                   for group, rows in pd.Series(approved).groupby(groups[name].fillna(NO_GROUP).to_numpy(), sort=True)} for name in names}


def golden(scorer: Scorer, everyone: pd.DataFrame, wanted: int) -> Iterator[dict[str, Any]]:
    """Raw input values with the decisions on them: evenly over the PDs within each outcome, one per rule that holds, one that nobody had.

    No value set is a person's: each column is taken from another row.
    """
    values = mixed(arrays(scorer.portfolio, everyone))
    at = scorer.assess(values)
    each = -(-wanted // len(ACTIONS))
    by_pd = np.argsort(at.pd, kind="stable")
    ranked = [by_pd[at.severity[by_pd] == severity] for severity in range(len(ACTIONS))]
    spread = [rows[np.unique(np.linspace(0, len(rows) - 1, each).astype(int))] for rows in ranked if len(rows)]
    ruled = [np.flatnonzero(held)[:1] for held in at.broken]
    for i in dict.fromkeys(np.concatenate([*spread, *ruled]).tolist()):
        row = {name: _plain(column[i]) for name, column in values.items()}
        yield _answered(scorer, row)
    beyond = next(((name, seen.high) for name, seen in scorer.support.items() if name in values and seen.high is not None), None)
    if beyond:
        yield _answered(scorer, {**row, beyond[0]: float(np.nextafter(beyond[1], np.inf))})


def _answered(scorer: Scorer, row: dict[str, Any]) -> dict[str, Any]:
    return {"values": row, "doubtful": [], "decision": msgspec.to_builtins(scorer.decide(row))}


def mixed(values: dict[str, Array]) -> dict[str, Array]:
    """Columns of equal length, all in one drawn order, each moved on by one row more than the one before."""
    order = np.random.default_rng(0).permutation(len(next(iter(values.values()))))
    return {name: column[np.roll(order, place)] for place, (name, column) in enumerate(values.items())}


def nearest(pd_: Array, approved: Array, share: float) -> Array:
    """Which approved applications lie nearest to the cut-off, nearest first: `share` of all, at least one. approved: bool, shape (n,)."""
    found = np.flatnonzero(approved)
    return found[np.argsort(-pd_[found], kind="stable")][: max(round(share * len(pd_)), 1)]


def _at_the_cut_off(kernel: Kernel, at: Assessment, approve_below: float, share: float) -> Array:
    """Mean contribution per input of the approved nearest to the cut-off: `share` of all applications, at least one.

    Raises DataError where nobody is approved: reasons would be measured against nothing.
    """
    below = nearest(at.pd, (at.pd < approve_below) & (at.severity == 0), share)
    if not len(below):
        raise DataError(f"none of {len(at.pd)} applications of development is approved: each lacks a stored value that may not be missing, "
                        "or meets a rule. See how far the stored tables reach (the report of stage validate), fresh_for, and the rules")
    return np.asarray(kernel.contributions(at.rows[below]).mean(axis=0))


def _of_everyone(kernel: Kernel, at: Assessment) -> Array:
    """Mean contribution per input of all applications, of `AVERAGED` evenly spaced ones where there are more."""
    some = np.unique(np.linspace(0, len(at.rows) - 1, min(len(at.rows), AVERAGED)).astype(int))
    return np.asarray(kernel.contributions(at.rows[some]).mean(axis=0))


def _plain(value: Any) -> float | str | None:
    return value if isinstance(value, str) else None if pd.isna(value) else float(value)
