"""How old a stored value may be: the one arithmetic, over arrays offline and over scalars online.

Knows times and limits only; what follows from an old value is decided by who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from feature_repo.contract import Stored, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime


def is_fresh(as_of: Any, at: Any, limit: float) -> Any:
    """Whether a value of time `as_of` counts at time `at`: neither from the future nor more than `limit` seconds old.

    as_of, at: seconds since 1970 (UTC), arrays or floats. An unknown time (NaN) is not fresh.

    >>> is_fresh(0.0, 60.0, 60.0), is_fresh(0.0, 60.1, 60.0), is_fresh(1.0, 0.0, 60.0)
    (True, False, False)
    """
    return (as_of <= at) & (at - as_of <= limit)


def ageing(portfolio: Portfolio) -> Iterator[tuple[Table, Stored, float]]:
    """Every stored column with its table and its limit in seconds, infinite where it does not age.

    Nothing ages where there is no time axis, whatever `fresh_for` says.
    """
    for table in portfolio.views:
        dated = portfolio.is_dated and isinstance(table.time, EventTime)
        for column in table.stored:
            yield table, column, column.fresh_for.total_seconds() if dated and column.fresh_for is not None else inf
