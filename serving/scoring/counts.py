"""Counts of decisions: how many values of each column fell in each frozen bin. What drift is judged on, and all that is kept of a window.

Integers alone, so the counts of shards, hours and workers add up to exactly those of one pass, in any order. Numbers are counted by size
too, four sizes to an octave, which tells a change of unit and keeps a value of nobody. Refuses to add counts of different bins; judges
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import msgspec

from feature_repo.errors import DataError

PER_OCTAVE = 4
LEAST, OCTAVES = -24, 64  # from 2^-24, below which all is zero, to 2^40, above which all is of the last size
NEGATIVE = OCTAVES * PER_OCTAVE  # sizes of numbers below zero begin there
SIZES = 2 * NEGATIVE


class ColumnCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column.

    bins: values per bin, in the order of `Bins.labels`; unseen: of those in `other`, the levels that no bin names; unusual: numbers
    outside the contract's usual range, neither codes nor missing; sizes: numbers by size, no codes, sizes without a number left out.
    """

    bins: tuple[int, ...]
    unseen: int = 0
    unusual: int = 0
    sizes: dict[int, int] = {}


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of some decisions. Nothing counted yet is `Counts({})`, which adds to any."""

    columns: dict[str, ColumnCounts]

    @property
    def rows(self) -> int:
        """How many decisions were counted."""
        return next((sum(each.bins) for each in self.columns.values()), 0)


def merge(first: Counts, second: Counts) -> Counts:
    """The counts of both. Raises DataError where they are of different bins: of two releases, or of other columns."""
    if not first.columns or not second.columns:
        return first if first.columns else second
    if _shape(first) != _shape(second):
        raise DataError("these counts are of different bins and do not add up; count both with the bins.json of one release")
    return Counts({name: _added(each, second.columns[name]) for name, each in first.columns.items()})


def merged(several: Iterable[Counts]) -> Counts:
    """The counts of all."""
    return reduce(merge, several, Counts({}))


def middle(size: int) -> float:
    """A number in the middle of those of one size."""
    magnitude = size % NEGATIVE
    found = octave(magnitude) * (1 + (magnitude % PER_OCTAVE + 0.5) / PER_OCTAVE) if magnitude else 0.0
    return -found if size >= NEGATIVE else found


def octave(size: int) -> float:
    """The power of two that a size begins after."""
    return 2.0 ** (size % NEGATIVE // PER_OCTAVE + LEAST)


def _shape(counts: Counts) -> dict[str, int]:
    return {name: len(each.bins) for name, each in counts.columns.items()}


def _added(first: ColumnCounts, second: ColumnCounts) -> ColumnCounts:
    sizes = {size: first.sizes.get(size, 0) + second.sizes.get(size, 0) for size in sorted(first.sizes | second.sizes)}
    bins = tuple(one + other for one, other in zip(first.bins, second.bins, strict=True))
    return ColumnCounts(bins, first.unseen + second.unseen, first.unusual + second.unusual, sizes)
