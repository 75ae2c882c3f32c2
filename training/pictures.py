"""The plots of a run as pictures for people, from the same tables that `dvc plots` shows. Draws what is there, computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training import panels

CHANCE: dict[str, Any] = {"color": "grey", "linestyle": ":", "linewidth": 1}
INTERVAL = "bad rate, 95% (Jeffreys)"


def draw(plots: Path) -> dict[str, Figure]:
    """Table name -> figure, for every table of evaluate/plots."""
    painted = {name: _figure(pd.read_csv(plots / f"{name}.csv"), painter) for name, painter in PAINTERS.items()}
    return {**painted, "binning": panels.draw(pd.read_csv(plots / "binning.csv"))}


def draw_apart(folders: tuple[Path, ...]) -> dict[str, Figure]:
    """Table name -> figure, for the tables of other stages that have a painter and at least one line."""
    tables = {path.stem: pd.read_csv(path) for folder in folders for path in sorted(folder.glob("*.csv")) if path.stem in APART}
    return {name: _figure(table, APART[name]) for name, table in tables.items() if len(table)}


def _figure(table: pd.DataFrame, painter: Callable[[Axes, pd.DataFrame], None]) -> Figure:
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    painter(axes, table)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _parts(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Gini on development and after it", xlabel="part", ylabel="Gini, 95%", ylim=_ginis(table))
    axes.errorbar(table["part"], table["gini"], yerr=_bars(table, "gini", "gini_low", "gini_high"), fmt="o", capsize=3, label="Gini")


def _roc(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    for part in table.columns[1:][table.iloc[:, 1:].notna().any()]:
        axes.plot(table.iloc[:, 0], table[part], label=part)
    axes.plot([0, 1], [0, 1], label="chance", **CHANCE)


def _calibration(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Calibration, test: ten PD quantiles", xlabel="mean PD", ylabel="bad rate")
    bars = _bars(table, "bad_rate", "low", "high")
    axes.errorbar(table["mean_pd"], table["bad_rate"], yerr=bars, fmt="o", capsize=3, label=INTERVAL)
    axes.plot([0, table["mean_pd"].max()], [0, table["mean_pd"].max()], label="perfect", **CHANCE)


def _scores(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Scores by outcome, test", xlabel="score", ylabel="share of the outcome")
    for outcome in table.columns[1:]:
        axes.fill_between(table["score"], table[outcome], step="post", alpha=0.5, label=outcome)


def _vintages(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Gini by vintage", xlabel="vintage", ylabel="Gini, 95% (DeLong)", ylim=_ginis(table))
    for part, rows in table.groupby("part", sort=False):
        axes.errorbar(rows["vintage"], rows["gini"], yerr=_bars(rows, "gini", "gini_low", "gini_high"), fmt="o", capsize=3, label=part)
    axes.tick_params(axis="x", rotation=90)


def _bands(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Score bands, test", xlabel="band, best first", ylabel="bad rate")
    bars = _bars(table, "bad_rate", "low", "high")
    axes.bar(table["band"], table["bad_rate"], yerr=bars, capsize=3, alpha=0.6, label=INTERVAL)
    axes.plot(table["band"], table["mean_pd"], "o", color="black", label="mean PD")


def _segments(axes: Axes, table: pd.DataFrame) -> None:
    cast(Figure, axes.figure).set_size_inches(8, max(5, 0.22 * len(table)))
    axes.set(title="Calibration by segment, test", xlabel="bad rate", ylabel="")
    axes.errorbar(table["bad_rate"], table.index, xerr=_bars(table, "bad_rate", "low", "high"), fmt="o", capsize=3, label=INTERVAL)
    axes.plot(table["mean_pd"], table.index, "|", color="black", markersize=12, label="mean PD")
    axes.set_yticks(table.index, table["segment"], fontsize=7, parse_math=False)
    axes.invert_yaxis()


def _calibration_vintages(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Calibration by vintage, test", xlabel="vintage", ylabel="bad rate")
    names = table["name"].astype(str)
    axes.errorbar(names, table["bad_rate"], yerr=_bars(table, "bad_rate", "low", "high"), fmt="o", capsize=3, label=INTERVAL)
    axes.plot(names, table["mean_pd"], "_", color="black", markersize=14, label="mean PD")
    axes.tick_params(axis="x", rotation=90)


def _grades(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Jeffreys test by band, test: small where the PD is too low", xlabel="band, best first", ylabel="one-sided p-value")
    axes.bar(table["name"], table["jeffreys"], alpha=0.6, label="Jeffreys")
    axes.plot(table["name"], table["binomial"], "o", color="black", label="binomial")
    axes.axhline(0.05, label="0.05", **CHANCE)


def _stability(axes: Axes, table: pd.DataFrame) -> None:
    colours = {"ok": "tab:green", "watch": "tab:orange", "alert": "tab:red", "insufficient": "grey"}
    cast(Figure, axes.figure).set_size_inches(8, max(5, 0.22 * len(table)))
    axes.set(title="PSI of everyone who applied, test against development", xlabel="population stability index")
    for verdict, rows in table.groupby("verdict", sort=False):
        axes.barh(rows.index, rows["psi"], color=colours[str(verdict)], alpha=0.7, label=verdict)
    axes.plot(table["by_chance"], table.index, "|", color="black", label="by chance")
    axes.set_yticks(table.index, table["column"])
    axes.invert_yaxis()


def _information(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Information value of every input, development", xlabel="information value", ylabel="")
    rows = table[::-1]
    axes.barh(rows["input"], rows["iv"], alpha=0.6, label="information value")
    axes.plot(rows["by_chance"], rows["input"], "|", color="black", label="19 in 20 inputs that say nothing stay below")
    axes.tick_params(axis="y", labelsize=7)


def _vintage_rates(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Bad rate by vintage, matured outcomes", xlabel="vintage", ylabel=INTERVAL)
    rows = table[table["counted"] > 0]
    bars = _bars(rows, "bad_rate", "low", "high")
    axes.errorbar(rows["vintage"].astype(str), rows["bad_rate"], yerr=bars, fmt="o", capsize=3, label=INTERVAL)
    axes.tick_params(axis="x", rotation=90)


def _vintage_curves(axes: Axes, table: pd.DataFrame) -> None:
    cast(Figure, axes.figure).set_size_inches(10, 6)
    axes.set(title="Cumulative bad rate by age, each vintage as long as all of it was seen", xlabel="months since the application",
             ylabel="bad of those booked")
    last, vintages = table["months"].max(), table["vintage"].unique()
    axes.set_xlim(0, 1.2 * last)
    for place, (vintage, rows) in enumerate(table.groupby("vintage", sort=False)):
        colour = colormaps["viridis"](place / max(len(vintages) - 1, 1))
        axes.plot(rows["months"], rows["bad_rate"], color=colour, linewidth=1.4, label=str(vintage))
        end = rows.iloc[-1]
        axes.annotate("" if end["months"] == last else str(vintage), (end["months"], end["bad_rate"]), fontsize=7, xytext=(3, 0),
                      textcoords="offset points", va="center")


def _cutoffs(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="What each approve cut-off would bring", xlabel="share of everyone who applied in development that is approved",
             ylabel="bad rate of the approved")
    axes.plot(table["approval_rate"], table["expected_bad_rate"], label="expected by PD, development")
    bars = _bars(table, "test_bad_rate", "low", "high")
    axes.errorbar(table["approval_rate"], table["test_bad_rate"], yerr=bars, fmt="o", markersize=3, capsize=2, label=f"test, {INTERVAL}")
    axes.plot([], [], color="tab:green", linestyle="--", label="expected profit per application (right)")
    for _, line in table[table["rule"].notna()].iterrows():
        axes.axvline(line["approval_rate"], color="black" if line["chosen"] else "grey", linewidth=1.4 if line["chosen"] else 0.8)
        axes.text(line["approval_rate"], 0.01, line["rule"], transform=axes.get_xaxis_transform(), rotation=90, va="bottom", fontsize=7)
    profit = axes.twinx()
    profit.plot(table["approval_rate"], table["expected_profit"], color="tab:green", linestyle="--")
    profit.set_ylabel("expected profit per application")
    profit.spines["top"].set_visible(False)


def _reject_inference(axes: Axes, table: pd.DataFrame) -> None:
    """Each figure against that of the known outcomes, so that figures of all sizes share an axis."""
    wide = table.pivot_table(index="figure", columns="model", values="value", sort=False).drop(index="score_shift")
    change = 100 * (wide.div(wide["known"], axis=0) - 1)
    axes.set(title="Reject inference: figures against those of the known-outcome model", xlabel="difference, %", ylabel="")
    for model in change:
        axes.plot(change[model], range(len(change)), "o" if model == "known" else "D", label=str(model))
    axes.hlines(range(len(change)), change.min(axis=1), change.max(axis=1), color="grey", linewidth=1)
    axes.set_yticks(range(len(change)), [f"{str(name).replace('_', ' ')}: {value:.3g}" for name, value in wide["known"].items()])
    axes.invert_yaxis()


def _frontier(axes: Axes, table: pd.DataFrame) -> None:
    axes.set(title="Fairer alternatives: what was tried", xlabel="AUC on rows not seen, 95%",
             ylabel="least adverse impact ratio of any group, 95%")
    for role, rows in table.groupby("role", sort=False):
        axes.errorbar(rows["auc"], rows["adverse_impact"], xerr=_bars(rows, "auc", "auc_low", "auc_high"),
                      yerr=_bars(rows, "adverse_impact", "impact_low", "impact_high"), fmt="o", capsize=3,
                      alpha=1.0 if role != "tried" else 0.4, label=role)
    for x, y, name in table[table["role"] != "tried"][["auc", "adverse_impact", "alternative"]].itertuples(index=False):
        axes.annotate(name, (x, y), textcoords="offset points", xytext=(6, 6), fontsize=8)
    axes.axhline(0.8, label="four fifths", **CHANCE)


def _ginis(table: pd.DataFrame) -> tuple[float, float]:
    """From 0 to 1, and below 0 where an interval goes there."""
    return min(0.0, float(table["gini_low"].min())), 1.0


def _bars(table: pd.DataFrame, middle: str, low: str, high: str) -> list[Any]:
    return [(table[middle] - table[low]).clip(lower=0).to_numpy(), (table[high] - table[middle]).clip(lower=0).to_numpy()]


PAINTERS = {
    "parts": _parts, "roc": _roc, "calibration": _calibration, "scores": _scores, "vintages": _vintages, "bands": _bands,
    "stability": _stability, "information": _information, "cutoffs": _cutoffs,
    "grades": _grades, "segments": _segments, "calibration_vintages": _calibration_vintages,
}
APART = {"frontier": _frontier, "vintage_rates": _vintage_rates, "vintage_curves": _vintage_curves, "reject_inference": _reject_inference}
