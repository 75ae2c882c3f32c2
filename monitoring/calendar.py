"""Days, weeks and months of business time, UTC: where a window begins and ends, and which have ended at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum


class Grain(StrEnum):
    """How long a window is. A week begins on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def begin(at: datetime, grain: Grain) -> date:
    """The first day of the window that a moment is in."""
    day = at.astimezone(UTC).date()
    if grain is Grain.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if grain is Grain.WEEK else day


def after(start: date, grain: Grain) -> date:
    """The first day of the next window.

    >>> after(date(2026, 12, 1), Grain.MONTH)
    datetime.date(2027, 1, 1)
    """
    if grain is Grain.MONTH:
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if grain is Grain.WEEK else 1)


def name(start: date, grain: Grain) -> str:
    """What people call a window.

    >>> [name(date(2026, 11, 30), grain) for grain in Grain]
    ['2026-11-30', '2026-W49', '2026-11']
    """
    if grain is Grain.MONTH:
        return f"{start:%Y-%m}"
    return f"{start:%G-W%V}" if grain is Grain.WEEK else start.isoformat()


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), UTC)


def closed(first: date, grain: Grain, at: datetime) -> Iterator[date]:
    """The windows from `first` on that have ended by a moment, oldest first."""
    start = first
    while midnight(end := after(start, grain)) <= at:
        yield start
        start = end
