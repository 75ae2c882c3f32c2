"""The time axis of a drafted portfolio: which column says when, how long an outcome takes, and where development ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from feature_repo.errors import DataError
from tally.drafting import vocabulary
from tally.drafting.profiles import Profile

Array = np.ndarray[Any, Any]
WAITS = (365, 180, 90, 30)
LEAST_MATURED = 0.6
DEVELOPMENT = 0.7
MOST_EMPTY = 0.02
DAY = 86_400.0


@dataclass(frozen=True)
class Axis:
    """When applications were made, in seconds since 1970 per row, and which other columns could say so."""

    column: Profile
    seconds: Array
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cuts:
    """What the dates suggest. matured: which rows have an outcome that counts; shares are of those."""

    observed_until: datetime
    wait: timedelta
    develop_until: date
    out_of_time_from: date
    matured: Array
    until: str  # what observed_until rests on, in words


def find(columns: list[Profile], named: str | None) -> Axis | None:
    """The column named, else the date in every row whose header says most of an application. None: no time axis."""
    if named is not None:
        found = next((column for column in columns if column.raw == named), None)
        if found is None or found.dates is None:
            raise DataError(f"--time {named!r}: there is no such column, or its values are no dates of one format; the columns are "
                            f"{[column.raw for column in columns]}")
        return Axis(found, seconds(found))
    dated = {column: _score(column) for column in columns if column.distinct > 2 and column.dates}
    likely = sorted((column for column, score in dated.items() if score > 0), key=lambda column: -dated[column])
    return Axis(likely[0], seconds(likely[0]), tuple(column.raw for column in likely[1:])) if likely else None


def seconds(column: Profile) -> Array:
    """Seconds since 1970 (UTC) per row, NaN where there is no date."""
    assert column.dates is not None  # noqa: S101 - who calls has asked
    moments = iter(column.dates.moments)
    return column.spread(np.array([np.nan if text.lower() in vocabulary.MISSING else next(moments).timestamp() for text in column.listed]))


def latest(tables: list[list[Profile]]) -> float:
    """The last event time of further tables, in seconds since 1970; what they hold was seen, so observation went on until then."""
    axes = [axis for columns in tables if (axis := find(columns, None))]
    return max((float(np.nanmax(axis.seconds)) for axis in axes), default=-np.inf)


def cuts(axis: Axis, dated: list[Profile], known: Array, further: float = -np.inf) -> Cuts | None:
    """Until when outcomes were seen, how long they take, and the day that leaves most matured ones to development. known: has an outcome.

    further: the last event time of the other tables. None where fewer than two days hold matured outcomes.
    """
    last = max(float(np.nanmax(seconds(column))) for column in dated if not vocabulary.PROTECTED["date of birth"].search(column.words))
    last = max(float(np.nanmax(axis.seconds)), min(last, datetime.now(UTC).timestamp()))
    wait = next((wait for wait in WAITS if np.mean(axis.seconds[known] <= last - wait * DAY) >= LEAST_MATURED), 0)
    applied = float(np.nanmax(axis.seconds))
    last, rests = _observed(last, applied, wait, further)
    wait = max(wait, int((last - applied) / DAY))  # else applications would seem to have stopped, long before other tables did
    matured = known & (axis.seconds <= last - wait * DAY)
    days = np.floor(axis.seconds[matured] / DAY)
    if len(np.unique(days)) < 2:
        return None
    until = min(float(np.quantile(days, DEVELOPMENT, method="lower")), float(days.max()) - 1)
    develop = _end_of_month(_day(until), _day(float(days.max())), _day(float(days.min())))
    return Cuts(_moment(last), timedelta(days=wait), develop, develop + timedelta(days=1), matured, rests)


def _observed(last: float, applied: float, wait: int, further: float) -> tuple[float, str]:
    """Until when outcomes were seen, and what says so. Much later than the last application, those would seem to have stopped."""
    found = (last, "the last date of the first file") if last <= applied + wait * DAY else (
        applied + wait * DAY, f"{wait} days after the last application, though the file has later dates")
    return found if found[0] >= further else (further, "the last event time of the further files")


def _score(column: Profile) -> float:
    """Above zero for a date that every row has and that may be the application's."""
    other = vocabulary.NOT_TIME.search(column.words) or vocabulary.PROTECTED["date of birth"].search(column.words)
    if other or column.empty > MOST_EMPTY * column.rows:
        return 0
    return 1 + 2 * bool(vocabulary.TIME.search(column.words)) + 0.5 * bool(vocabulary.DATE.search(column.words)) + 0.1 * (column.empty == 0)


def _end_of_month(day: date, latest: date, earliest: date) -> date:
    """The end of the month before or at `day`, where that leaves something on both sides; else the day itself."""
    end = day.replace(day=1) - timedelta(days=1) if (day + timedelta(days=1)).day != 1 else day
    return end if earliest < end < latest else day


def _moment(seconds_since: float) -> datetime:
    return datetime.fromtimestamp(seconds_since, UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _day(days_since: float) -> date:
    return datetime.fromtimestamp(days_since * DAY, UTC).date()
