"""Counting decisions into frozen bins in the worker that made them: all columns of some decisions at once.

Responsible for the counts of `serving.scoring.counter` to the last one, without what a worker does not load: no pandas, and nothing that
is compiled while others wait. For some dozens of decisions at a time; a window is counted by the other. Values arrive as a decision holds
them, None for missing. Refuses decisions that lack a column, or have a text where a number belongs: KeyError, ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from feature_repo.portfolio import Portfolio
from serving.scoring.bins import Bins
from serving.scoring.counts import LEAST, NEGATIVE, PER_OCTAVE, SIZES, ColumnCounts, Counts
from serving.scoring.kernel import Array
from serving.scoring.parts import Value

QUARTERS = np.uint64(50)  # as in `serving.scoring.counter`
FIRST = (1023 + LEAST) * PER_OCTAVE
MAGNITUDE = (1 << 13) - 1


class Increments:
    """The columns of a release, and what was counted so far."""

    def __init__(self, bins: Mapping[str, Bins], portfolio: Portfolio) -> None:
        usual = {column.name: column.usual for column in portfolio.raw_inputs if column.usual is not None}
        self._names = tuple(bins)
        self._levels = [Levels(name, each) for name, each in bins.items() if each.names]
        self._numbers = Numbers({name: each for name, each in bins.items() if not each.names}, usual)

    def add(self, decisions: Sequence[Mapping[str, Value]]) -> None:
        """Count every column of some decisions, or none: what a column has not is found out before another is counted."""
        levels = [[decision[each.name] for decision in decisions] for each in self._levels]
        numbers = [[decision[name] for name in self._numbers.names] for decision in decisions]
        self._numbers.add(np.array(numbers, dtype=np.float64).reshape(len(decisions), len(self._numbers.names)))
        for each, values in zip(self._levels, levels, strict=True):
            each.add(values)

    def found(self) -> Counts:
        """What was counted, in the order of the bins."""
        found = {**{each.name: each.found() for each in self._levels}, **self._numbers.found()}
        return Counts({name: found[name] for name in self._names})


class Levels:
    """A column of levels: the last name is for those that no bin names, and after it comes what is missing."""

    def __init__(self, name: str, bins: Bins) -> None:
        self.name, self._counted, self._unseen = name, [0] * (len(bins.names) + 1), 0
        self._place: dict[Value, int] = {None: len(bins.names), **{level: at for at, level in enumerate(bins.names)}}
        self._other = len(bins.names) - 1

    def add(self, values: Sequence[Value]) -> None:
        for value in values:
            at = self._place.get(value, -1)
            self._counted[at if at >= 0 else self._other] += 1
            self._unseen += at < 0

    def found(self) -> ColumnCounts:
        return ColumnCounts(tuple(self._counted), self._unseen)


class Numbers:
    """All columns of numbers: their edges and codes in one piece of memory each, as wide as the column that has most."""

    def __init__(self, bins: Mapping[str, Bins], usual: Mapping[str, tuple[float, float]]) -> None:
        self.names = tuple(bins)
        self._edges = _wide([each.edges for each in bins.values()])
        self._codes = _wide([each.specials for each in bins.values()])
        self._first_code = np.array([len(each.edges) + 1 for each in bins.values()], dtype=np.int64)
        self._missing = np.array([len(each.labels) - 1 for each in bins.values()], dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._missing + 1)]).astype(np.int64)
        self._usual = np.array([usual.get(name, (-np.inf, np.inf)) for name in bins], dtype=np.float64).reshape(-1, 2)
        self._counted = np.zeros(int(self._starts[-1]), dtype=np.int64)
        self._sizes = np.zeros(len(bins) * SIZES, dtype=np.int64)
        self._unusual = np.zeros(len(bins), dtype=np.int64)

    def add(self, values: Array) -> None:
        """values: shape (decisions, columns), NaN for missing."""
        missing = np.isnan(values)
        hits = values[:, :, None] == self._codes
        coded = hits.any(axis=2)
        at = (values[:, :, None] >= self._edges).sum(axis=2)
        at = np.where(coded, self._first_code + hits.argmax(axis=2), np.where(missing, self._missing, at))
        plain = ~(missing | coded)
        self._counted += np.bincount((self._starts[:-1] + at).ravel(), minlength=len(self._counted))
        sizes = _sizes(values) + np.arange(len(self.names)) * SIZES
        self._sizes += np.bincount(sizes[plain], minlength=len(self._sizes))
        self._unusual += (plain & ((values < self._usual[:, 0]) | (values > self._usual[:, 1]))).sum(axis=0)

    def found(self) -> dict[str, ColumnCounts]:
        sizes = self._sizes.reshape(-1, SIZES)
        return {name: ColumnCounts(tuple(self._counted[start:stop].tolist()), 0, int(unusual),
                                   {int(size): int(of[size]) for size in np.flatnonzero(of)})
                for name, (start, stop), unusual, of in zip(self.names, pairwise(self._starts.tolist()), self._unusual, sizes, strict=True)}


def _wide(rows: Sequence[Sequence[float]]) -> Array:
    """Rows of different length side by side, filled up with NaN, which equals nothing and is below nothing."""
    found = np.full((len(rows), max(map(len, rows), default=0) or 1), np.nan)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found


def _sizes(values: Array) -> Array:
    """The size of each number; of what is none, anything."""
    quarters = (np.ascontiguousarray(values).view(np.uint64) >> QUARTERS).astype(np.int64)
    at = np.clip((quarters & MAGNITUDE) - FIRST, 0, NEGATIVE - 1)
    return np.asarray(at + NEGATIVE * (quarters > MAGNITUDE))
