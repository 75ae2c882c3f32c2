"""What a person reads: the results of a stage as sentences, tables and charts, most important first. Measures nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from monitoring import drift, fairness, performance
from monitoring.alerts import ORDER, Limits, Verdict, spans
from monitoring.drift import peak
from monitoring.findings import NOTHING, number, percent
from monitoring.intervals import Estimate
from monitoring.reports import Block, Page

MOST_DRAWN = 12
"""Drifted columns whose distributions are drawn; the table names them all."""


def table(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a frame that keeps its columns when there is no row."""
    return pd.DataFrame(list(rows), columns=list(columns))


def text(title: str, sentences: Sequence[str]) -> Block:
    """Sentences, one a paragraph."""
    return Block(title, "text", pd.DataFrame({"text": list(sentences)}))


def counters(title: str, verdicts: Iterable[Verdict]) -> Block:
    """How often each verdict was given, most severe first."""
    found = Counter(verdicts)
    rows = ({"label": word.value, "value": str(found[word])} for word in reversed(ORDER))
    return Block(title, "counters", table(rows, ("label", "value")))


def of_drift(title: str, sentences: Sequence[str], columns: Sequence[drift.Column], limits: Limits) -> Page:
    """The drift report."""
    dated = any(cell.month != "all" for column in columns for cell in column.months)
    cells = table(({"column": column.column, "month": cell.month, "psi": cell.psi, "verdict": cell.verdict.value, "watch": limits.watch,
                    "alert": limits.alert} for column in columns for cell in column.months),
                  ("column", "month", "psi", "verdict", "watch", "alert"))
    worst = sorted(columns, key=lambda column: -peak(column).psi)
    flagged = [column for column in worst if column.verdict is Verdict.ALERT][:MOST_DRAWN]
    blocks = [
        text(f"{title}: what was found", sentences),
        counters("Columns by verdict", (column.verdict for column in columns)),
        Block("PSI by column and month" if dated else "PSI by column", "heatmap" if dated else "ranking", cells),
        *([Block("Drifted columns: development beside the worst month", "distributions", _distributions(flagged))] if flagged else []),
        Block("Every column at its worst month", "table", table((_drift_row(column) for column in worst), DRIFT_TABLE)),
    ]
    figures = ({"column": column.column, "measure": measure, "value": value} for column in columns
               for measure, value in (("PSI", column.total.psi), ("PSI, worst month", peak(column).psi), ("missing", column.total.missing)))
    return Page(title, tuple(blocks), table(figures, ("column", "measure", "value")))


DRIFT_TABLE = ("column", "kind", "verdict", "months in alert", "worst month", "decisions", "PSI", "PSI by chance", "missing",
               "missing in development", "unusual values")


def _drift_row(column: drift.Column) -> dict[str, Any]:
    cell = peak(column)
    months = [one.month for one in column.months]
    figures = (column.column, column.kind, column.verdict.value, spans(column.flagged(Verdict.ALERT), months) or NOTHING, cell.month,
               cell.decisions, f"{cell.psi:.3f}", f"{cell.by_chance:.3f}", percent(cell.missing), percent(column.development_missing),
               NOTHING if column.total.unusual is None else column.total.unusual)
    return dict(zip(DRIFT_TABLE, figures, strict=True))


def _distributions(columns: Sequence[drift.Column]) -> pd.DataFrame:
    rows = ({"column": column.column, "month": at.month, "label": label, "expected": share, "actual": count / at.decisions}
            for column, at in ((column, peak(column)) for column in columns)
            for label, share, count in zip(column.labels, column.expected, at.counts, strict=True))
    return table(rows, ("column", "month", "label", "expected", "actual"))


def of_performance(title: str, sentences: Sequence[str], found: performance.Performance) -> Page:
    """The performance report."""
    series = ("month", "series", "value", "low", "high", "line")
    points = ("label", "series", "value", "low", "high", "line")
    gini = [_point(month.month, "Gini", month.gini, found.reference.value) for month in found.months if month.gini]
    rates = [_point(month.month, "observed", month.observed) for month in found.months if month.observed]
    rates += [_point(month.month, "mean PD", Estimate(month.mean_pd, None, None)) for month in found.months if month.mean_pd is not None]
    bands = [{**_point("", "observed", band.observed), "label": band.band} for band in found.bands if band.observed]
    bands += [{**_point("", "mean PD", Estimate(band.mean_pd, None, None)), "label": band.band}
              for band in found.bands if band.mean_pd is not None]
    blocks = [
        text(f"{title}: what was found", sentences),
        counters("Verdicts on ranking and calibration, by month and band", found.flagged),
        *([Block("Gini by month of decision, with interval; dotted: development", "over_time", table(gini, series))] if gini else []),
        *([Block("Bad rate by month: observed with interval, and mean PD", "over_time", table(rates, series))] if rates else []),
        *([Block("Calibration by score band: observed with interval, and mean PD", "estimates", table(bands, points))] if bands else []),
        Block("By month", "table", table((_period_row(period) for period in (*found.months, found.total)), PERIOD_TABLE)),
        Block("By score band", "table", table((_band_row(band) for band in found.bands), BAND_TABLE)),
    ]
    figures = [("Gini", found.total.gini.value if found.total.gini else None), ("KS", found.total.ks), ("Brier", found.total.brier),
               ("mean PD", found.total.mean_pd), ("bad rate", found.total.observed.value if found.total.observed else None)]
    rows = ({"column": "pd", "measure": name, "value": value} for name, value in figures)
    return Page(title, tuple(blocks), table(rows, ("column", "measure", "value")))


PERIOD_TABLE = ("month", "decisions", "matured", "bad", "Gini", "ranking", "KS", "Brier", "mean PD", "bad rate", "calibration", "note")
BAND_TABLE = ("band", "decisions", "matured", "bad", "mean PD", "bad rate", "calibration")


def _point(month: str, series: str, found: Estimate | None, line: float | None = None) -> dict[str, Any]:
    bounds = (found.value, found.low, found.high) if found else (None, None, None)
    return dict(zip(("month", "series", "value", "low", "high", "line"), (month, series, *bounds, line), strict=True))


def _period_row(period: performance.Period) -> dict[str, Any]:
    figures = (period.month, period.decisions, period.matured, period.bad, number(period.gini), period.gini_verdict.value,
               *(NOTHING if value is None else f"{value:.3f}" for value in (period.ks, period.brier)), percent(period.mean_pd),
               number(period.observed, 3), period.calibration_verdict.value, period.note)
    return dict(zip(PERIOD_TABLE, figures, strict=True))


def _band_row(band: performance.Band) -> dict[str, Any]:
    figures = (band.band, band.decisions, band.matured, band.bad, percent(band.mean_pd), number(band.observed, 3), band.verdict.value)
    return dict(zip(BAND_TABLE, figures, strict=True))


def of_fairness(title: str, sentences: Sequence[str], found: Sequence[fairness.Attribute], limits: Limits) -> Page:
    """The fairness report."""
    verdicts = (verdict for attribute in found for group in attribute.groups for verdict in group.verdicts)
    blocks = [text(f"{title}: what was found", sentences), counters("Verdicts on groups, whole window", verdicts)]
    for attribute in found:
        blocks += _attribute_blocks(attribute, limits)
    blocks.append(text("How to read this", [fairness.READING]))
    figures = [{"column": f"{group.attribute}: {group.group}", "measure": measure, "value": estimate.value}
               for attribute in found for group in attribute.groups
               for measure, estimate in (("approval rate", group.approval_rate), ("adverse impact ratio", group.adverse_impact),
                                         ("equal opportunity difference", group.equal_opportunity)) if estimate]
    return Page(title, tuple(blocks), table(figures, ("column", "measure", "value")))


FAIRNESS_TABLE = ("group", "decisions", "approval rate", "adverse impact ratio", "in development", "impact", "good payers",
                  "equal opportunity difference", "opportunity", "matured", "mean PD", "bad rate")


def _attribute_blocks(attribute: fairness.Attribute, limits: Limits) -> list[Block]:
    name = attribute.attribute
    points = ("label", "series", "value", "low", "high", "line")
    approval = [{**_point("", "approval rate", group.approval_rate), "label": group.group} for group in attribute.groups]
    impact = [{**_point("", "ratio", group.adverse_impact, limits.alert), "label": group.group}
              for group in attribute.groups if group.adverse_impact]
    months = [_point(group.month, group.group, group.adverse_impact, limits.alert) for group in attribute.months if group.adverse_impact]
    rates = [{**_point("", "observed", group.observed), "label": group.group} for group in attribute.groups if group.observed]
    rates += [{**_point("", "mean PD", Estimate(group.mean_pd, None, None)), "label": group.group}
              for group in attribute.groups if group.mean_pd is not None]
    charts = [
        (f"{name}: approval rate by group", "estimates", approval, points),
        (f"{name}: adverse impact ratio against {attribute.reference}; dotted: four fifths", "estimates", impact, points),
        (f"{name}: adverse impact ratio by month", "over_time", months, ("month", "series", "value", "low", "high", "line")),
        (f"{name}: calibration by group, matured outcomes", "estimates", rates, points),
    ]
    drawn = [Block(title, kind, table(rows, columns), half=True) for title, kind, rows, columns in charts if rows]
    rows = (_group_row(group, attribute.development.get(group.group)) for group in attribute.groups)
    return [Block(f"{name}: figures", "table", table(rows, FAIRNESS_TABLE)), *drawn]


def _group_row(group: fairness.Group, development: float | None) -> dict[str, Any]:
    figures = (group.group, group.decisions, number(group.approval_rate), number(group.adverse_impact, 3),
               NOTHING if development is None else f"{development:.2f}", group.impact_verdict or "reference", group.good,
               number(group.equal_opportunity), group.opportunity_verdict or "reference", group.matured, percent(group.mean_pd),
               number(group.observed, 3))
    return dict(zip(FAIRNESS_TABLE, figures, strict=True))
