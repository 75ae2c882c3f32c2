"""Counting decisions into frozen bins: an increment per column, of one decision or of many at once, into the same `Counts`.

Responsible for the same bins as `Bins.count`, in memory that does not grow with what is counted. Refuses nothing: values arrive checked,
numbers with NaN for missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit

from feature_repo.contract import Derived, Input
from feature_repo.portfolio import Portfolio
from serving.scoring.bins import Bins
from serving.scoring.counts import LEAST, NEGATIVE, PER_OCTAVE, SIZES, ColumnCounts, Counts
from serving.scoring.kernel import Array, Levels

QUARTERS = np.uint64(50)  # a float64 without its last 50 bits: sign, exponent, and which quarter of the octave
FIRST = (1023 + LEAST) * PER_OCTAVE  # of 2^LEAST
MAGNITUDE = (1 << 13) - 1
EVERYTHING = (-np.inf, np.inf)


class Places(NamedTuple):
    """Where a number falls: the edges of its bins, the codes after them, and the usual range."""

    edges: Array
    specials: Array
    low: float
    high: float


@dataclass
class Column:
    """One column's frozen bins, and what was counted so far. usual: the contract's range, infinite where it names none."""

    bins: Bins
    usual: tuple[float, float]
    counted: Array
    sizes: Array
    unseen: int = 0
    unusual: int = 0

    @classmethod
    def of(cls, bins: Bins, column: Input | Derived | None) -> Column:
        usual = column.usual if isinstance(column, Input) and column.usual is not None else EVERYTHING
        return cls(bins, usual, np.zeros(len(bins.labels), dtype=np.int64), np.zeros(0 if bins.names else SIZES, dtype=np.int64))

    def add(self, values: Array | Levels | pd.Series) -> None:
        """Count these values. Levels: `Levels`, or texts with null for missing."""
        if self.bins.names:
            self._add_levels(values if isinstance(values, Levels) else _coded(values))
            return
        plain = np.ascontiguousarray(values, dtype=np.float64)
        places = Places(np.array(self.bins.edges), np.array(self.bins.specials), *self.usual)
        self.unusual += count_numbers(plain, plain.view(np.uint64), places, self.counted, self.sizes)

    def _add_levels(self, levels: Levels) -> None:
        """A level that no bin names is `other`, the last of them."""
        place = {name: at for at, name in enumerate(self.bins.names)}
        other, gone = len(self.bins.names) - 1, len(self.bins.names)
        per_code = np.bincount(np.asarray(levels.codes, dtype=np.int64) + 1, minlength=len(levels.names) + 1)
        self.counted[gone] += per_code[0]
        for name, count in zip(levels.names, per_code[1:], strict=True):
            self.counted[place.get(name, other)] += count
            self.unseen += 0 if name in place else int(count)

    def found(self) -> ColumnCounts:
        """What was counted, as it may be kept and added to other counts."""
        sizes = {int(size): int(self.sizes[size]) for size in np.flatnonzero(self.sizes)}
        return ColumnCounts(tuple(self.counted.tolist()), self.unseen, self.unusual, sizes)


@dataclass(frozen=True)
class Counter:
    """The columns of a release, counted together."""

    columns: Mapping[str, Column]

    @classmethod
    def of(cls, bins: Mapping[str, Bins], portfolio: Portfolio) -> Counter:
        """Nothing counted yet."""
        inputs: dict[str, Input | Derived] = {column.name: column for column in portfolio.inputs}
        return cls({name: Column.of(each, inputs.get(name)) for name, each in bins.items()})

    def add(self, values: Mapping[str, Array | Levels | pd.Series] | pd.DataFrame) -> None:
        """Count every column of some decisions."""
        for name, column in self.columns.items():
            column.add(values[name])

    def found(self) -> Counts:
        return Counts({name: column.found() for name, column in self.columns.items()})


def count(values: Mapping[str, Array | Levels | pd.Series] | pd.DataFrame, bins: Mapping[str, Bins], portfolio: Portfolio) -> Counts:
    """The counts of some decisions."""
    counter = Counter.of(bins, portfolio)
    counter.add(values)
    return counter.found()


@njit(cache=True, nogil=True)
def _size(bits: np.uint64) -> int:
    quarters = int(bits >> QUARTERS)
    at = min(max((quarters & MAGNITUDE) - FIRST, 0), NEGATIVE - 1)
    return at + NEGATIVE if quarters > MAGNITUDE else at


@njit(cache=True, nogil=True)
def count_numbers(values: Array, bits: Array, places: Places, counted: Array, sizes: Array) -> int:
    """Add each value to its bin and to its size; the answer is how many are unusual. bits: the same memory as unsigned integers."""
    edges, specials, low, high = places
    first_special, missing, outside = len(edges) + 1, len(counted) - 1, 0
    for i in range(len(values)):
        x = values[i]
        at = 0
        for j in range(len(edges)):
            at += x >= edges[j]
        special = False
        for j in range(len(specials)):
            if x == specials[j]:
                at, special = first_special + j, True
        if x != x:  # noqa: PLR0124 - NaN
            counted[missing] += 1
        else:
            counted[at] += 1
            if not special:
                sizes[_size(bits[i])] += 1
                outside += (x < low) | (x > high)
    return outside


def _coded(texts: Array | pd.Series | Iterable[str | None]) -> Levels:
    codes, names = pd.factorize(np.asarray(texts, dtype=object))
    return Levels(codes, tuple(map(str, names)))
