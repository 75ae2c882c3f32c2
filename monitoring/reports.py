"""Pages of monitoring figures as Evidently reports.

Every figure, table and text is a custom metric that reads its data from the datasets of the run, so that Evidently's own interface
can plot the same metric over many runs. A metric's fields are its identity: column and measure, never a value. Computes no figure.
Nothing is reported home: Evidently sends usage only from its interface, and only where DO_NOT_TRACK is not set.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import Dataset, Report
from evidently.core.metric_types import (
    DataframeCalculation,
    DataframeMetric,
    DataframeValue,
    SingleValue,
    SingleValueCalculation,
    SingleValueMetric,
)
from evidently.core.report import Snapshot
from evidently.legacy.renderers.html_widgets import CounterData, WidgetSize, counter, plotly_figure, table_data, text_widget

from monitoring.blocks import Page
from monitoring.plots import CHARTS

# Evidently cuts a plot off at 500 pixels and a page at its widest table: give plots their height, and let a narrow window scroll tables.
STYLE = """
.js-plotly-plot { max-height: none !important; min-height: 0 !important }
.MuiGrid-root { min-width: 0; max-width: 100% }
.MuiCardContent-root { overflow-x: auto }
.MuiTableBody-root .MuiTableCell-root { white-space: nowrap }
.MuiTableBody-root .MuiTableCell-root:last-child { white-space: normal; min-width: 4.5rem }
.MuiTable-root .MuiTableCell-root { padding: 6px 5px; font-size: 0.76rem }
"""
# The browser itself holds the promise that an opened report fetches nothing.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'"
HEAD = '<head><meta http-equiv="Content-Security-Policy" content="{}"><title>{}</title><style>{}</style>'


class Figure(SingleValueMetric):  # type: ignore[misc] # evidently is not followed by mypy
    """One of our figures, by column and measure."""

    column: str
    measure: str


class FigureCalculation(SingleValueCalculation[Figure]):  # type: ignore[misc]
    """Reads the figure from the current dataset; draws nothing, the page's blocks show it."""

    def calculate(self, context: Any, current_data: Dataset, reference_data: Dataset | None) -> SingleValue:  # noqa: ARG002
        figures = current_data.as_dataframe()
        mine = (figures["column"] == self.metric.column) & (figures["measure"] == self.metric.measure)
        result = self.result(float(figures.loc[mine, "value"].iloc[0]))
        result.widget = []
        return result

    def display_name(self) -> str:
        return f"{self.metric.measure} of {self.metric.column}"


class Shown(DataframeMetric):  # type: ignore[misc]
    """One block of a page, by title, kind and width."""

    title: str
    kind: str
    half: bool


class ShownCalculation(DataframeCalculation[Shown]):  # type: ignore[misc]
    """Draws the dataset of the block's title."""

    def calculate(self, context: Any, current_data: Dataset, reference_data: Dataset | None) -> DataframeValue:  # noqa: ARG002
        table = context.additional_data[self.metric.title].as_dataframe()
        result = self.result(table)
        widget = _widget(self.metric.title, self.metric.kind, table)
        widget.size = (WidgetSize.HALF if self.metric.half else WidgetSize.FULL).value
        result.widget = [widget]
        return result

    def display_name(self) -> str:
        return str(self.metric.title)


def run(page: Page) -> Snapshot:
    """The page as an Evidently run: its metrics, their values and what they look like."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    shown = (Shown(title=block.title, kind=block.kind, half=block.half) for block in page.blocks)
    tables = {block.title: Dataset.from_pandas(inert(block.table)) for block in page.blocks}
    return Report([*shown, *_figures(page)]).run(Dataset.from_pandas(page.figures), None, tables)


def write(page: Page, path: Path) -> None:
    """Write the page as one HTML file that fetches nothing when it is opened."""
    text = run(page).get_html_str(as_iframe=False).replace("<head>", HEAD.format(POLICY, html.escape(page.name), STYLE), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _figures(page: Page) -> Iterator[Figure]:
    for row in page.figures.dropna().itertuples():
        yield Figure(column=row.column, measure=row.measure)


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """A table that cannot run.

    Evidently writes texts into a script element as they are: a zero-width space after "<" keeps "</script>" from ending it.
    """
    return table.map(lambda value: value.replace("<", "<\u200b") if isinstance(value, str) else value)


def _widget(title: str, kind: str, table: pd.DataFrame) -> Any:
    if kind == "text":
        return text_widget(title=title, text="\n\n".join(table["text"]))
    if kind == "counters":
        return counter(title=title, counters=[CounterData(row.label, row.value) for row in table.itertuples()])
    if kind == "table":
        return table_data(title=title, column_names=list(table.columns), data=table.to_numpy().tolist())
    return plotly_figure(title=title, figure=CHARTS[kind](table))
