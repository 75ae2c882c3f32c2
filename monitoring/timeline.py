"""The key figures and verdicts of each window, as the reports say them: what is drawn along time.

Responsible for one moment a window, a month of the pipeline's reports or a window of the record. Reads reports alone; measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from feature_repo.contract import NO_TIME, Action
from feature_repo.errors import DataError
from governance.limits import Verdict, worst
from monitoring.drift import Cell, Column
from monitoring.intervals import Estimate
from monitoring.maturing import Maturing, Span
from monitoring.overrides import Overrides
from monitoring.performance import Performance, Period
from monitoring.population import Door
from monitoring.window import ALL

NOON = 12  # of a window's first day: the same day on every clock of the world but a few
QUARTER = 3


class Point(msgspec.Struct, frozen=True):
    """A figure of a window: of what, which measure, its value."""

    of: str
    measure: str
    value: float


class Moment(msgspec.Struct, frozen=True):
    """One window. since: its first day, at noon; verdicts: by report, or by what of it."""

    window: str
    since: datetime
    release_id: str
    points: tuple[Point, ...]
    verdicts: dict[str, Verdict]


class GroupMonth(msgspec.Struct, frozen=True):
    """A protected group in a month, or in all of them (month is empty)."""

    attribute: str
    group: str
    month: str = ""
    adverse_impact: Estimate | None = None
    verdict: Verdict | None = None
    impact_verdict: Verdict | None = None


class Attribute(msgspec.Struct, frozen=True):
    """A protected attribute."""

    groups: tuple[GroupMonth, ...] = ()
    months: tuple[GroupMonth, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What is read of any report; what a report has not, is empty."""

    release_id: str = ""
    verdict: Verdict = Verdict.INSUFFICIENT
    columns: tuple[Column, ...] = ()
    doors: tuple[Door, ...] = ()
    performance: Performance | None = None
    estimate: Maturing | None = None
    attributes: tuple[Attribute, ...] = ()
    overrides: Overrides | None = None


def by_month(folder: Path) -> tuple[Moment, ...]:
    """A moment for each month of the reports in a folder; none where nothing was reported yet."""
    drift, performance, fairness = (read(folder / f"{name}.json") for name in ("drift", "performance", "fairness"))
    months = [cell.month for cell in drift.columns[0].months] if drift.columns else []
    return tuple(_month(month, drift, performance, fairness) for month in months)


def of_window(folder: Path, window: str, since: datetime) -> Moment:
    """One moment for the reports in a folder, each as a whole. window: its name."""
    drift, performance, fairness, decisions = (read(folder / f"{name}.json") for name in ("drift", "performance", "fairness", "decisions"))
    measured = performance.performance
    points = [*_drifted([column.total for column in drift.columns]), *_doors(drift.doors),
              *(_performed(measured.total) if measured else ()),
              *_fared(group for attribute in fairness.attributes for group in attribute.groups)]
    if decisions.overrides and decisions.overrides.rate.share:
        points.append(Point("decisions", "overridden", decisions.overrides.rate.share.value))
    verdicts = {"drift": drift.verdict, "data": worst(column.quality for column in drift.columns), "performance": performance.verdict,
                "fairness": fairness.verdict}
    return Moment(window, since.replace(hour=NOON), drift.release_id or decisions.release_id, tuple(points), verdicts)


def read(path: Path) -> Report:
    """A report; an empty one where there is none. Raises DataError for one that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        return Report()
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path.name} cannot be read as a report ({type(error).__name__}); make it again") from None


def first_day(month: str) -> datetime:
    """The first day of a month, quarter or year, at noon UTC.

    >>> first_day("2023-07").date(), first_day("2023-Q4").date(), first_day("2023").date()
    (datetime.date(2023, 7, 1), datetime.date(2023, 10, 1), datetime.date(2023, 1, 1))
    """
    if month == ALL:
        return NO_TIME.replace(hour=NOON)
    year, _, part = month.partition("-")
    number = QUARTER * int(part[1:]) - 2 if part.startswith("Q") else int(part or 1)
    return datetime(int(year), number, 1, NOON, tzinfo=UTC)


def _month(month: str, drift: Report, performance: Report, fairness: Report) -> Moment:
    cells = [cell for column in drift.columns for cell in column.months if cell.month == month]
    periods: Mapping[str, Period] = {one.month: one for one in performance.performance.months} if performance.performance else {}
    spans: Mapping[str, Span] = {one.month: one for one in performance.estimate.spans} if performance.estimate else {}
    groups = [group for attribute in fairness.attributes for group in attribute.months if group.month == month]
    period, span = periods.get(month), spans.get(month)
    points = [*_drifted(cells), *_doors([door for door in drift.doors if door.month == month]), *(_performed(period) if period else ()),
              *(_estimated(span) if span else ()), *_fared(groups)]
    verdicts = {"drift": worst(cell.verdict for cell in cells), "data": worst(cell.quality for cell in cells),
                "performance": worst((period.gini_verdict, period.calibration_verdict) if period else ()),
                "fairness": worst(group.verdict for group in groups if group.verdict)}
    return Moment(month, first_day(month), drift.release_id, tuple(points), verdicts)


def _drifted(cells: Iterable[Cell]) -> Iterator[Point]:
    judged = [cell for cell in cells if cell.verdict is not Verdict.INSUFFICIENT]
    if judged:
        yield Point("any column", "highest PSI", max(cell.psi for cell in judged))
        for verdict in (Verdict.ALERT, Verdict.WATCH):
            yield Point("columns", f"drifted: {verdict}", float(sum(cell.verdict is verdict for cell in judged)))
        yield Point("columns", "data at fault", float(sum(cell.quality in {Verdict.WATCH, Verdict.ALERT} for cell in judged)))


def _doors(doors: Iterable[Door]) -> Iterator[Point]:
    every = list(doors)
    decisions = sum(door.decisions for door in every)
    for action in Action if decisions else ():
        yield Point("decisions", action.value, sum(door.outcomes.get(action, 0.0) * door.decisions for door in every) / decisions)


def _performed(period: Period) -> Iterator[Point]:
    figures = (("Gini", "matured outcomes", period.gini), ("bad rate", "matured outcomes", period.observed))
    yield from (Point(of, measure, found.value) for of, measure, found in figures if found)
    if period.mean_pd is not None:
        yield Point("bad rate", "mean PD of matured", period.mean_pd)


def _estimated(span: Span) -> Iterator[Point]:
    figures = (("Gini", span.estimated.gini), ("bad rate", span.estimated.bad_rate))
    yield from (Point(of, "estimated from PDs", found.value) for of, found in figures if found)


def _fared(groups: Iterable[GroupMonth]) -> Iterator[Point]:
    for group in groups:
        if group.adverse_impact:
            yield Point(f"{group.attribute}: {group.group}", "adverse impact ratio", group.adverse_impact.value)
