"""Pictures of monitoring figures, as Plotly figures of plain tables. Computes no figure and judges none."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

INK, GREY, BLUE, AMBER, RED, GREEN = "#1f2933", "#9aa5b1", "#2f6fab", "#d9a514", "#c0392b", "#4a9d6b"
COLOURS = {"ok": GREEN, "watch": AMBER, "alert": RED, "insufficient": GREY}
TOP = 0.5
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def heatmap(table: pd.DataFrame) -> go.Figure:
    """PSI per column and month; table: column, month, psi, verdict, watch, alert. The worst column on top; grey: no verdict."""
    order = table.groupby("column", sort=False)["psi"].max().sort_values(kind="stable").index
    judged = table.assign(psi=table["psi"].where(table["verdict"] != "insufficient"))
    shown = judged.set_index(["column", "month"])["psi"].unstack().loc[order]  # noqa: PD010 (nothing to aggregate)
    top = max(TOP, 2 * table["alert"].iloc[0])
    watch, alert = table["watch"].iloc[0] / top, table["alert"].iloc[0] / top
    scale = [(0, "#eef3f1"), (watch, "#cfe3d6"), (watch, "#f6df9a"), (alert, "#eab944"), (alert, "#d9705f"), (1, "#8e1f14")]
    figure = go.Figure(go.Heatmap(
        x=list(shown.columns), y=list(shown.index), z=shown.to_numpy(), zmin=0, zmax=top, colorscale=scale, xgap=2, ygap=2,
        text=np.where(shown >= watch * top, shown.map("{:.2f}".format), ""), texttemplate="%{text}", hoverongaps=False,
        hovertemplate="%{y}<br>%{x}<br>PSI %{z:.3f}<extra></extra>",
        colorbar={"title": "PSI", "tickvals": [0, watch * top, alert * top, top], "thickness": 14},
    ))
    figure.update_layout(plot_bgcolor="#e4e7eb", yaxis={"automargin": True, "dtick": 1, "showgrid": False},
                         xaxis={"type": "category", "showgrid": False, "tickangle": -45})
    return _sized(figure, 140 + 22 * len(shown))


def ranking(table: pd.DataFrame) -> go.Figure:
    """PSI per column of a window without months; table as for `heatmap`."""
    table = table.sort_values("psi", kind="stable")
    figure = go.Figure(go.Bar(x=table["psi"], y=table["column"], orientation="h", marker_color=[COLOURS[name] for name in table["verdict"]],
                              hovertemplate="%{y}: PSI %{x:.3f}<extra></extra>"))
    for limit in ("watch", "alert"):
        figure.add_vline(x=table[limit].iloc[0], line_dash="dot", line_color=COLOURS[limit], annotation_text=limit)
    figure.update_layout(xaxis_title="PSI", yaxis={"automargin": True, "dtick": 1})
    return _sized(figure, 140 + 22 * len(table))


def distributions(table: pd.DataFrame) -> go.Figure:
    """Share per bin, development beside the worst month; table: column, month, label, expected, actual, one panel per column."""
    names = list(dict.fromkeys(table["column"]))
    rows = -(-len(names) // 2)
    titles = [f"{name}, {table.loc[table['column'] == name, 'month'].iloc[0]}" for name in names]
    figure = make_subplots(rows=rows, cols=2, subplot_titles=titles, vertical_spacing=0.45 / rows, horizontal_spacing=0.08)
    for position, name in enumerate(names):
        part, at = table[table["column"] == name], {"row": position // 2 + 1, "col": position % 2 + 1}
        for series, label, colour in (("expected", "development", GREY), ("actual", "the month named", BLUE)):
            figure.add_trace(go.Bar(x=part["label"].map(short), y=part[series], name=label, marker_color=colour, showlegend=position == 0,
                                    legendgroup=series, hovertemplate="%{x}: %{y:.1%}<extra>" + label + "</extra>"), **at)
    figure.update_xaxes(type="category", tickangle=-45, tickfont_size=10, automargin=True)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": 1 + 0.22 / rows, "x": 0})
    return _sized(figure, 80 + 330 * rows)


def over_time(table: pd.DataFrame) -> go.Figure:
    """Lines with intervals; table: label, series, value, low, high, and `line`, a level to compare with (NaN: none)."""
    figure = go.Figure()
    for name, part in table.groupby("series", sort=False):
        figure.add_trace(go.Scatter(x=part["label"], y=part["value"], name=str(name), mode="lines+markers", error_y=_bars(part)))
    _level(figure, table)
    figure.update_layout(xaxis={"type": "category", "tickangle": -45}, legend={"orientation": "h", "y": 1.15, "x": 0})
    return _sized(figure, 380)


def estimates(table: pd.DataFrame) -> go.Figure:
    """Points with intervals per label; table: label, series, value, low, high, line."""
    figure = go.Figure()
    for name, part in table.groupby("series", sort=False):
        figure.add_trace(go.Scatter(x=part["label"], y=part["value"], name=str(name), mode="markers", marker_size=10, error_y=_bars(part)))
    _level(figure, table)
    figure.update_layout(xaxis={"type": "category", "automargin": True}, yaxis_rangemode="tozero", showlegend=len(set(table["series"])) > 1,
                         legend={"orientation": "h", "y": 1.15, "x": 0})
    return _sized(figure, 380)


def on_log(table: pd.DataFrame) -> go.Figure:
    """`estimates` of rates that lie powers of ten apart: without the axis those of the best bands would all be on its ground."""
    figure = estimates(table)
    figure.update_layout(yaxis={"type": "log", "rangemode": "normal", "tickformat": ".1%", "dtick": "D2"})
    return figure


def from_estimate(table: pd.DataFrame) -> go.Figure:
    """One panel per measure above the other, the same vintages below each; table: panel, label, series, value, low, high, band.

    A series whose `band` is set is a line within its interval, for what is foreseen of every vintage; the others are points with theirs.
    """
    panels = list(dict.fromkeys(table["panel"]))
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=panels)
    colours, named = dict(zip(dict.fromkeys(table["series"]), (GREY, BLUE, AMBER), strict=False)), set()
    for (panel, name), part in table.groupby(["panel", "series"], sort=False):
        at, series, first = {"row": panels.index(panel) + 1, "col": 1}, str(name), name not in named
        named.add(name)
        shared = {"x": part["label"], "y": part["value"], "name": series, "legendgroup": series, "showlegend": first}
        if part["band"].any():
            figure.add_trace(_edge(part, "high", series), **at)
            figure.add_trace(_edge(part, "low", series), **at)
            figure.add_trace(go.Scatter(mode="lines", line={"color": colours[name], "width": 2}, **shared), **at)
        else:
            figure.add_trace(go.Scatter(mode="markers", marker={"color": colours[name], "size": 7}, error_y=_bars(part), **shared), **at)
    labels = list(dict.fromkeys(table["label"]))
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=labels, tickangle=-45)
    figure.update_layout(legend={"orientation": "h", "y": -0.36 / len(panels), "x": 0, "yanchor": "top"})
    return _sized(figure, 140 + 260 * len(panels))


def short(label: str) -> str:
    """A bin's text with numbers cut to three digits.

    >>> short("2741.58 to below 4812.91")
    '2,742 to 4,813'
    """
    return NUMBER.sub(lambda found: f"{float(found[0]):,.0f}" if abs(float(found[0])) >= 1_000 else f"{float(found[0]):.3g}",
                      label.replace(" to below ", " to "))


CHARTS: dict[str, Callable[[pd.DataFrame], go.Figure]] = {
    "heatmap": heatmap, "ranking": ranking, "distributions": distributions, "over_time": over_time, "estimates": estimates,
    "from_estimate": from_estimate, "on_log": on_log,
}


def _edge(part: pd.DataFrame, bound: str, series: str) -> go.Scatter:
    """One edge of an interval; the lower one, drawn second, fills up to the upper."""
    return go.Scatter(x=part["label"], y=part[bound], mode="lines", line={"width": 0}, hoverinfo="skip", legendgroup=series,
                      showlegend=False, fill="tonexty" if bound == "low" else None, fillcolor="rgba(154, 165, 177, 0.3)")


def _bars(part: pd.DataFrame) -> dict[str, object]:
    return {"type": "data", "symmetric": False, "array": part["high"] - part["value"], "arrayminus": part["value"] - part["low"],
            "thickness": 1.2, "width": 3}


def _level(figure: go.Figure, table: pd.DataFrame) -> None:
    for level in table["line"].dropna().unique():
        figure.add_hline(y=level, line_dash="dot", line_color=INK, annotation_text=f"{level:.2f}")


def _sized(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(height=height, margin={"l": 60, "r": 20, "t": 50, "b": 60}, template="plotly_white",
                         font={"size": 12, "color": INK}, colorway=[BLUE, RED, GREEN, AMBER, "#7b5ea7", GREY, "#2a9d9d", "#a0522d"])
    return figure
