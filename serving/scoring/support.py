"""What development had of each column, and where a value lies outside of it: beyond its range, or a level or code nobody there had.

Responsible for the same answer for one application and for many. It is frozen into the release with what follows (`support.json`), so that
a decision is made again as it was; of a release without it nothing is said. A stored value that is missing is the business of its age.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import msgspec
import numpy as np

from feature_repo.contract import Derived, Input, Outside, Request
from feature_repo.portfolio import Portfolio
from serving.scoring.kernel import Array, Levels

FILE = "support.json"


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What development had of one column.

    low, high: the range of its numbers, codes apart; none where it had no number. known: codes or levels it had; never: declared codes it
    had not. missing: whether a missing value is none to notice, as one that is stored or derived is not. outside: what follows.
    """

    low: float | None = None
    high: float | None = None
    known: tuple[float | str, ...] = ()
    never: tuple[float, ...] = ()
    missing: bool = True
    outside: Outside = Outside.REFER

    @property
    def ends(self) -> tuple[float, float]:
        """The range; where there is none, one that nothing is in."""
        return (inf, -inf) if self.low is None or self.high is None else (self.low, self.high)

    def excludes(self, value: float | str | None) -> bool:
        """Whether a value lies outside."""
        if value is None:
            return not self.missing
        if isinstance(value, str):
            return value not in self.known
        low, high = self.ends
        return (not low <= value <= high and value not in self.known) or value in self.never


Support = Mapping[str, Seen]


def observed(portfolio: Portfolio, columns: Mapping[str, Any]) -> dict[str, Seen]:
    """What a population had of every input. columns: by name, derived ones too, as `Scorer.assess` has them."""
    return {column.name: (_levels if column.is_level else _numbers)(column, columns[column.name]) for column in portfolio.inputs}


def outside(portfolio: Portfolio, support: Support, columns: Mapping[str, Any]) -> dict[str, Array]:
    """Where values lie outside, bool of shape (n,) of every input of which one does, as declared."""
    found = {column.name: excluded(support[column.name], columns[column.name]) for column in portfolio.inputs if column.name in support}
    return {name: at for name, at in found.items() if at.any()}


def excluded(seen: Seen, values: Array | Levels) -> Array:
    """`Seen.excludes` of many values; NaN, and None among levels, is missing."""
    if isinstance(values, Levels):
        return np.array([*(seen.excludes(name) for name in values.names), not seen.missing])[values.codes]
    if values.dtype == object:
        return np.array([seen.excludes(value) for value in values], dtype=bool)
    low, high = seen.ends
    found = (values < low) | (values > high)
    if seen.known and found.any():
        found &= ~np.isin(values, seen.known)
    if seen.never:
        found |= np.isin(values, seen.never)
    return np.asarray(found if seen.missing else found | np.isnan(values))


def referred(support: Support, found: Mapping[str, Array], count: int) -> Array:
    """Whether what lies outside makes a decision a referral, bool of shape (count,)."""
    refers = [at for name, at in found.items() if support[name].outside is Outside.REFER]
    return np.any(refers, axis=0) if refers else np.zeros(count, dtype=bool)


def _numbers(column: Input | Derived, values: Array) -> Seen:
    coded = np.isin(values, column.special)
    plain = values[~(np.isnan(values) | coded)]
    low, high = (float(plain.min()), float(plain.max())) if len(plain) else (None, None)
    had = set(np.unique(values[coded]).tolist())
    known, never = (tuple(map(float, (code for code in column.special if (code in had) is wanted))) for wanted in (True, False))
    return Seen(low, high, known, never, _may_be_missing(column, missing=bool(np.isnan(values).any())), column.outside)


def _levels(column: Input | Derived, values: Array) -> Seen:
    had = {level for level in values if level is not None}
    return Seen(known=tuple(sorted(had)), missing=_may_be_missing(column, missing=any(level is None for level in values)),
                outside=column.outside)


def _may_be_missing(column: Input | Derived, *, missing: bool) -> bool:
    return missing or not isinstance(column, Request)
