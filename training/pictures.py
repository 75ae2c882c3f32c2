"""The plots of a run as pictures for people: one figure per file of evaluate/plots. Draws what is there, computes nothing."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

mpl.use("Agg")


def draw(plots: Path) -> dict[str, Figure]:
    """File stem -> figure for every CSV of a folder; the first column is the horizontal axis, the others are lines."""
    return {path.stem: _lines(path.stem, pd.read_csv(path)) for path in sorted(plots.glob("*.csv"))}


def _lines(title: str, data: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=data.columns[0])
    for name in data.columns[1:]:
        axes.plot(data.iloc[:, 0], data[name], label=name)
    axes.legend()
    return figure
