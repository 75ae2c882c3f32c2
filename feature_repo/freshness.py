"""How old a stored value may be: the one arithmetic, over arrays offline and over scalars online.

Knows times and limits only; what follows from an old value is decided by who asks.
"""

from __future__ import annotations

from typing import Any


def is_fresh(as_of: Any, at: Any, limit: float) -> Any:
    """Whether a value of time `as_of` counts at time `at`: neither from the future nor more than `limit` seconds old.

    as_of, at: seconds since 1970 (UTC), arrays or floats. An unknown time (NaN) is not fresh.

    >>> is_fresh(0.0, 60.0, 60.0), is_fresh(0.0, 60.1, 60.0), is_fresh(1.0, 0.0, 60.0)
    (True, False, False)
    """
    return (as_of <= at) & (at - as_of <= limit)
