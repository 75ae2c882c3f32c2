"""How good the release is: flat metrics for `dvc metrics`, tables for `dvc plots`, from scored applications with known outcome.

Refuses to score: PDs arrive from serving.scoring.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from feature_repo.contract import BAD, EVENT_TIME, Action
from serving.scoring.bins import Bins, psi
from serving.scoring.parts import Policy
from training import measures
from training.candidates import CROSS_VALIDATION
from training.splits import DEVELOPMENT, PART, PARTS, TEST

NO_TIME_AXIS = "no time axis"
ROC_POINTS = 200
SIDE_BY_SIDE = ("rows", "bads", "bad_rate", "mean_pd", "gini", "gini_low", "gini_high", "ks", "ece", "brier", "psi")
Measured = dict[str, dict[str, float]]


def part_measures(scored: pd.DataFrame, scores: Bins, shift: float = 0.0) -> Measured:
    """`measures.summary` per part, in the order of `PARTS`, and psi, how far its scores lie from development's on the frozen bins.

    scored: part, bad, pd, score, band, outcome and event time per row with a part; shift: as in `measures`.
    """
    by_part = {part: scored[scored[PART] == part] for part in PARTS}
    expected = scores.count(by_part[DEVELOPMENT]["score"]) / len(by_part[DEVELOPMENT])
    moves = {part: psi(scores.count(rows["score"]), expected) for part, rows in by_part.items() if len(rows)}
    return {part: {**measures.summary(rows[BAD].to_numpy(), rows["pd"].to_numpy(), shift), "psi": moves[part]}
            for part, rows in by_part.items() if part in moves}


def with_cross_validation(by_part: Measured, found: dict[str, float] | None) -> Measured:
    """The measures with those of the cross-validation, if there was one, in the place of the calibration part's."""
    if found is None:
        return by_part
    return {DEVELOPMENT: by_part[DEVELOPMENT], CROSS_VALIDATION: found, TEST: by_part[TEST]}


def flat_metrics(by_part: Measured, outcomes: pd.Series, model: str, policy: Policy) -> dict[str, Any]:
    """One level of names such as test_gini. outcomes: of everyone who applied in development."""
    shares = outcomes.value_counts(normalize=True)
    flat = {f"{part}_{name}": value for part, found in by_part.items() for name, value in found.items()}
    mix = {name: float(shares.get(action.value, 0.0)) for name, action in
           (("approval_rate", Action.APPROVE), ("refer_rate", Action.REFER), ("decline_rate", Action.DECLINE))}
    return {"model": model, **flat, **mix, "approve_below": policy.approve_below, "decline_from": policy.decline_from}


def plot_tables(scored: pd.DataFrame, by_part: Measured, policy: Policy, *, dated: bool, shift: float = 0.0) -> dict[str, pd.DataFrame]:
    """parts, roc, calibration, scores, vintages and bands, small enough for a browser."""
    test = scored[scored[PART] == TEST]
    names = tuple(band.name for band in policy.bands)
    bad, pd_ = test[BAD].to_numpy(), test["pd"].to_numpy()
    vintages = pd.Series(measures.vintages(scored[EVENT_TIME])[1] if dated else NO_TIME_AXIS, index=scored.index)
    by_vintage = [measures.vintage_table(vintages[rows.index], rows[BAD].to_numpy(), rows["pd"].to_numpy(), shift).assign(part=part)
                  for part, rows in scored.groupby(PART, sort=False)]
    return {
        "parts": _parts(by_part),
        "roc": _roc(scored),
        "calibration": measures.calibration_table(bad, pd_, shift=shift),
        "scores": _scores(test),
        "vintages": pd.concat(by_vintage).sort_values(["vintage", "part"]),
        "bands": measures.band_table(test["band"].map({name: k for k, name in enumerate(names)}).to_numpy(), names, bad, pd_, shift),
    }


def write_plots(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """One CSV per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")


def _parts(by_part: Measured) -> pd.DataFrame:
    """One line per part, development first: the same measures side by side."""
    lines = [{"part": part.replace("_", "-"), **{name: found.get(name) for name in SIDE_BY_SIDE}} for part, found in by_part.items()]
    return pd.DataFrame(lines)


def _roc(scored: pd.DataFrame) -> pd.DataFrame:
    """The true positive rate of each part, one column each, on a grid of false positive rates."""
    grid = np.linspace(0, 1, ROC_POINTS + 1)
    curves = {str(part): np.interp(grid, *roc_curve(rows[BAD], rows["pd"])[:2]) for part, rows in scored.groupby(PART, sort=False)}
    return pd.DataFrame({"false_positive_rate": grid, **{part: curves.get(part) for part in PARTS}})


def _scores(test: pd.DataFrame, width: int = 10) -> pd.DataFrame:
    """Share of each outcome's rows, good and bad, per ten points of score."""
    outcome = np.where(test[BAD] == 1, "bad", "good")
    counts = pd.crosstab(test["score"].to_numpy() // width * width, outcome)
    counts = counts.reindex(range(int(counts.index.min()), int(counts.index.max()) + width, width), fill_value=0)
    return (counts / counts.sum()).rename_axis(index="score", columns=None).reset_index()[["score", "good", "bad"]]
