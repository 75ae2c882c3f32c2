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
from serving.scoring.parts import Policy
from training import measures
from training.splits import PART, PARTS, TEST

NO_TIME_AXIS = "no time axis"
ROC_POINTS = 200


def part_measures(scored: pd.DataFrame) -> dict[str, dict[str, float]]:
    """`measures.summary` per part. scored: part, bad, pd, score, band, outcome and event time per row with a part."""
    return {str(part): measures.summary(rows[BAD].to_numpy(), rows["pd"].to_numpy()) for part, rows in scored.groupby(PART, sort=False)}


def flat_metrics(by_part: dict[str, dict[str, float]], outcomes: pd.Series, model: str, policy: Policy) -> dict[str, Any]:
    """One level of names such as test_gini. outcomes: of everyone who applied in development."""
    shares = outcomes.value_counts(normalize=True)
    flat = {f"{part}_{name}": value for part in PARTS for name, value in by_part[part].items()}
    mix = {name: float(shares.get(action.value, 0.0)) for name, action in
           (("approval_rate", Action.APPROVE), ("refer_rate", Action.REFER), ("decline_rate", Action.DECLINE))}
    return {"model": model, **flat, **mix, "approve_below": policy.approve_below, "decline_from": policy.decline_from}


def plot_tables(scored: pd.DataFrame, policy: Policy, *, dated: bool) -> dict[str, pd.DataFrame]:
    """roc, calibration, scores, vintages and bands, small enough for a browser."""
    test = scored[scored[PART] == TEST]
    names = tuple(band.name for band in policy.bands)
    bad, pd_ = test[BAD].to_numpy(), test["pd"].to_numpy()
    vintages = scored[EVENT_TIME].dt.strftime("%Y-%m") if dated else pd.Series(NO_TIME_AXIS, index=scored.index)
    by_vintage = [measures.vintage_table(vintages[rows.index], rows[BAD].to_numpy(), rows["pd"].to_numpy()).assign(part=part)
                  for part, rows in scored.groupby(PART, sort=False)]
    return {
        "roc": _roc(scored),
        "calibration": measures.calibration_table(bad, pd_),
        "scores": _scores(test),
        "vintages": pd.concat(by_vintage).sort_values(["vintage", "part"]),
        "bands": measures.band_table(test["band"].map({name: k for k, name in enumerate(names)}).to_numpy(), names, bad, pd_),
    }


def write_plots(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """One CSV per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")


def _roc(scored: pd.DataFrame) -> pd.DataFrame:
    """The true positive rate of each part, one column each, on a grid of false positive rates."""
    grid = np.linspace(0, 1, ROC_POINTS + 1)
    curves = {str(part): np.interp(grid, *roc_curve(rows[BAD], rows["pd"])[:2]) for part, rows in scored.groupby(PART, sort=False)}
    return pd.DataFrame({"false_positive_rate": grid, **{part: curves[part] for part in PARTS}})


def _scores(test: pd.DataFrame, width: int = 10) -> pd.DataFrame:
    """Share of each outcome's rows, good and bad, per ten points of score."""
    outcome = np.where(test[BAD] == 1, "bad", "good")
    counts = pd.crosstab(test["score"].to_numpy() // width * width, outcome)
    counts = counts.reindex(range(int(counts.index.min()), int(counts.index.max()) + width, width), fill_value=0)
    return (counts / counts.sum()).rename_axis(index="score", columns=None).reset_index()[["score", "good", "bad"]]
