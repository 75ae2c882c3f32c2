"""The card on one page: a panel per input, a bar per bin, beside each what a reader checks it by. Draws what is there, computes nothing.

Of a scorecard the bars are points; of a model without points they are WOE. The most informative input comes first, down each column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLUMNS = 3
WIDTH = 18.0
LINE = 0.21  # inches of height a bin takes
BETWEEN = 3.4  # bins' worth of height a panel's title and margins take
LABEL = 38  # characters of a bin's name before it is cut
BETTER, WORSE = "#3b76af", "#c8553d"


def draw(table: pd.DataFrame) -> Figure:
    """The figure of evaluate/plots/binning.csv."""
    of = "woe" if table["points"].isna().all() else "points"
    shown = table[(table["rows"] > 0) | (table["points"].fillna(0) != 0)]
    panels = [(str(name), rows) for name, rows in shown.groupby("input", sort=False)]
    placed, heights = _columns([len(rows) + BETWEEN for _, rows in panels])
    tall = max(heights)
    figure = Figure(figsize=(WIDTH, tall * LINE + 0.8))
    reach = float(shown[of].abs().max()) or 1.0
    for (name, rows), (column, top) in zip(panels, placed, strict=True):
        bottom = 1 - (top + len(rows) + BETWEEN - 1.2) / tall
        axes = figure.add_axes((0.135 + column * 0.335, bottom * 0.98, 0.085, len(rows) / tall * 0.98))
        _panel(axes, name, rows, of, reach)
    what = "points; higher is better" if of == "points" else "weight of evidence; higher is riskier"
    figure.suptitle(f"Bins of every input, development: {what}. Beside each: share of rows, bad rate", x=0.02, y=0.995, ha="left", va="top")
    return figure


def _columns(heights: list[float]) -> tuple[list[tuple[int, float]], list[float]]:
    """(column, top) per panel, down each column in order; and what every column comes to."""
    each, placed, filled = sum(heights) / COLUMNS, [], [0.5] * COLUMNS
    column = 0
    for height in heights:
        if column < COLUMNS - 1 and filled[column] + height / 2 > each:
            column += 1
        placed.append((column, filled[column]))
        filled[column] += height
    return placed, filled


def _panel(axes: Axes, name: str, rows: pd.DataFrame, of: str, reach: float) -> None:
    places, values = np.arange(len(rows)), rows[of].to_numpy(dtype=np.float64)
    good = values >= 0 if of == "points" else values <= 0
    axes.barh(places, values, color=np.where(good, BETTER, WORSE), height=0.75)
    axes.set(xlim=(-reach, reach), ylim=(len(rows) - 0.5, -0.5), xticks=[])
    axes.set_yticks(places, [_short(str(label)) for label in rows["bin"]], fontsize=7.5, parse_math=False)
    axes.set_title(f"{name}   IV {rows['iv'].sum():.3f}", fontsize=9, fontweight="bold", loc="left", x=-1.55)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)
    for place, text in enumerate(_texts(rows, values, of)):
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8, family="monospace")


def _short(label: str) -> str:
    return label if len(label) <= LABEL else f"{label[: LABEL - 4]} ..."


def _texts(rows: pd.DataFrame, values: Any, of: str) -> list[str]:
    shown = [f"{int(value):>+4d}" if of == "points" and value else "   0" if of == "points" else f"{value:+.2f}" for value in values]
    rates = [f"{rate:6.1%}" if rate == rate else "     -" for rate in rows["bad_rate"]]  # noqa: PLR0124 - NaN
    return [f"{value} {share:6.1%} {rate}" for value, share, rate in zip(shown, rows["share"], rates, strict=True)]
