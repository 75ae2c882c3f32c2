"""What a reader is told of drift: sentences, the worst first, and the page. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from governance.limits import Limits, Verdict, spans
from monitoring import pages
from monitoring.blocks import Block, Page
from monitoring.distances import Distance
from monitoring.drift import Cell, Column, peak
from monitoring.pages import NOTHING, percent
from monitoring.params import DriftParams

MISSING_CHANGE = 0.05
"""Change of a missing share worth a word, in points of share."""
MOST_DRAWN = 12
"""Drifted columns whose distributions are drawn; the table names them all."""
CELLS = ("column", "month", "psi", "verdict", "watch", "alert")
TABLE = ("column", "kind", "verdict", "data", "months in alert", "worst month", "decisions", "PSI", "interval", "PSI by chance", "p-value",
         "Jensen-Shannon (by chance)", "KS (by chance)", "missing (development)", "unusual values")
RARE = 1e-4  # p-values below this are told as below it


def findings(columns: Sequence[Column], params: DriftParams) -> list[str]:
    """Which columns drifted, when, how far; whose missing share changed; which months had too few decisions."""
    drifted = sorted((column for column in columns if column.verdict is Verdict.ALERT), key=lambda column: -peak(column).psi)
    watched = [column for column in columns if column.verdict is Verdict.WATCH]
    if all(column.verdict is Verdict.INSUFFICIENT for column in columns):
        return ["**Drift cannot be judged: insufficient.** With so few decisions chance alone moves the PSI.", *_unusual(columns),
                *_few(columns, params)]
    colon = ":" if drifted else "."
    found = [f"**{len(drifted)} of {len(columns)} columns drifted** (PSI {params.psi.alert:g} or more){colon}"]
    found += [f"- **{each.column}** in {_when(each, Verdict.ALERT)}, at most {_sure(peak(each))}{_missing(each)}{_fault(each)}"
              for each in drifted]
    if watched:
        said = "; ".join(f"{one.column} in {_when(one, Verdict.WATCH)}" for one in watched)
        found.append(f"To watch (PSI {params.psi.watch:g} or more): {said}.")
    return [*found, *_unusual(columns), *_few(columns, params)]


def _unusual(columns: Sequence[Column]) -> list[str]:
    said = [f"{column.column} {cell.unusual:,} in {cell.month}" for column in columns for cell in column.months if cell.unusual]
    return [f"Values outside the contract's usual range: {'; '.join(said)}."] if said else []


def _sure(cell: Cell) -> str:
    return f"{cell.psi:.2f} ({cell.interval.low:.2f} to {cell.interval.high:.2f}) in {cell.month}"


def _when(column: Column, verdict: Verdict) -> str:
    return spans(column.flagged(verdict), [cell.month for cell in column.months]) or "the window as a whole"


def _missing(column: Column) -> str:
    changed = max(column.months, key=lambda cell: abs(cell.missing - column.development_missing))
    if abs(changed.missing - column.development_missing) < MISSING_CHANGE:
        return ""
    return f"; missing {percent(changed.missing)} in {changed.month}, {percent(column.development_missing)} in development"


def _fault(column: Column) -> str:
    return "; its data are at fault" if column.quality is Verdict.ALERT else ""


def _few(columns: Sequence[Column], params: DriftParams) -> list[str]:
    few = {cell.month: cell.decisions for column in columns for cell in column.months if cell.decisions < params.minimum}
    said = ", ".join(f"{month} ({decisions:,})" for month, decisions in few.items())
    return [f"No verdict for fewer than {params.minimum} decisions: {said}."] if few else []


def page(title: str, sentences: Sequence[str], columns: Sequence[Column], limits: Limits, beside: Sequence[Block] = ()) -> Page:
    """The drift report. beside: blocks of what is told besides PSI."""
    dated = any(cell.month != "all" for column in columns for cell in column.months)
    cells = pages.table(({"column": column.column, "month": cell.month, "psi": cell.psi, "verdict": cell.verdict.value,
                          "watch": limits.watch, "alert": limits.alert} for column in columns for cell in column.months), CELLS)
    worst = sorted(columns, key=lambda column: -peak(column).psi)
    flagged = [column for column in worst if column.verdict is Verdict.ALERT][:MOST_DRAWN]
    blocks = [
        pages.text(f"{title}: what was found", sentences),
        pages.counters("Columns by verdict", (column.verdict for column in columns)),
        Block("PSI by column and month" if dated else "PSI by column", "heatmap" if dated else "ranking", cells),
        *([Block("Drifted columns: development beside the worst month", "distributions", _distributions(flagged))] if flagged else []),
        *beside,
        Block("Every column at its worst month", "table", pages.table((_row(column) for column in worst), TABLE)),
    ]
    figures = ({"column": column.column, "measure": measure, "value": value} for column in columns
               for measure, value in (("PSI", column.total.psi), ("PSI, worst month", peak(column).psi), ("missing", column.total.missing)))
    return Page(title, tuple(blocks), pages.table(figures, pages.FIGURE))


def _row(column: Column) -> dict[str, Any]:
    cell = peak(column)
    months = [one.month for one in column.months]
    figures = (column.column, column.kind, column.verdict.value, column.quality.value,
               spans(column.flagged(Verdict.ALERT), months) or NOTHING, cell.month, cell.decisions, f"{cell.psi:.3f}",
               f"{cell.interval.low:.2f} to {cell.interval.high:.2f}", f"{cell.by_chance:.3f}", _p_value(cell.p_value), _beyond(cell.js),
               NOTHING if cell.ks is None else _beyond(cell.ks), f"{percent(cell.missing)} ({percent(column.development_missing)})",
               NOTHING if column.total.unusual is None else column.total.unusual)
    return dict(zip(TABLE, figures, strict=True))


def _beyond(distance: Distance) -> str:
    return f"{distance.value:.3f} ({distance.limit:.3f})"


def _p_value(found: float) -> str:
    return f"{found:.4f}" if found >= RARE else "below 0.0001"


def _distributions(columns: Sequence[Column]) -> pd.DataFrame:
    rows = ({"column": column.column, "month": at.month, "label": label, "expected": share, "actual": count / at.decisions}
            for column, at in ((column, peak(column)) for column in columns)
            for label, share, count in zip(column.labels, column.expected, at.counts, strict=True))
    return pages.table(rows, ("column", "month", "label", "expected", "actual"))
