"""Faults of data, told from drift of applicants: how a column is recorded has changed, not who applies.

Missing shares and codes that jump, levels that begin or end, values outside the contract's range, numbers in another unit, a column with
one value left. Judged per column and window, from counts against the release's frozen bins. Refuses to call a fault what chance explains,
and any of it on fewer decisions than a verdict needs. Guesses a unit from the factors people mistake, and says it as a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np

from feature_repo.contract import OTHER, Derived, Input
from governance.limits import Verdict
from monitoring.distances import p_value
from monitoring.params import QualityParams
from serving.scoring.bins import Bins, psi
from serving.scoring.counts import PER_OCTAVE, ColumnCounts, middle, octave
from serving.scoring.kernel import Array

FACTORS = (52 / 12, 12.0, 52.0, 100.0, 1_000.0)
"""Month for week, year for month, year for week, cents for euros, thousands."""
EITHER_WAY = (*FACTORS, *(1 / factor for factor in FACTORS))
SPREAD = 8  # places in a size its numbers are spread over
SHIFTED = 1.0  # a change of unit moves nearly everybody: PSI from which one is looked for,
BETTER = 4.0  # and how many times nearer to development the column must be in the other unit
FITS = 0.8  # share of the unusual values that another unit must make usual,
LIKE = 0.4  # and how far from development's distribution function they may be then: the tail of a real shift ends up all in one place
FEWEST = 10  # unusual values a unit is guessed from
EXPECTED = 30  # fewest decisions development would have had of a level that ends
ONE_BIN = 0.9  # development's share of a bin that is no news when it is the only one


class Kind(StrEnum):
    """What is wrong with a column."""

    MISSING = "missing share"
    CODE = "share of a code"
    NEW = "new level"
    ENDED = "level that ended"
    RANGE = "outside the usual range"
    UNIT = "another unit"
    CONSTANT = "one value"


class Fault(msgspec.Struct, frozen=True):
    """One fault of a column in a window.

    which: the bin it is about; share: of the window's values it concerns; development: the share there, null where there is none to tell;
    factor: what values seem to be multiplied by.
    """

    kind: Kind
    which: str
    share: float
    development: float | None
    factor: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Against:
    """What a column is judged by. alpha: false alarms it may give by chance."""

    column: Input | Derived | None
    bins: Bins
    params: QualityParams
    alpha: float


def faults(counts: ColumnCounts, against: Against) -> tuple[Fault, ...]:
    """What is wrong with a column that has enough decisions for a verdict."""
    found = (*_shares(counts, against), *_new(counts, against), *_ended(counts, against), *_unusual(counts, against),
             *_unit(counts, against), *_constant(counts, against))
    return tuple(fault for fault in found if fault.verdict is not Verdict.OK)


def _shares(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    """Missing values, special codes, and what is put down as `other`."""
    bins, rows = against.bins, sum(counts.bins)
    plain = len(bins.names) or len(bins.edges) + 1
    codes = [at for at, name in enumerate(bins.names) if name == OTHER and bins.shares[at] > 0]
    for at in (*codes, *range(plain, len(bins.shares))):
        share, before = counts.bins[at] / rows, bins.shares[at]
        verdict = against.params.share.verdict(abs(share - before))
        if verdict is not Verdict.OK and _chance(counts.bins[at], rows, before, bins.rows) < against.alpha:
            yield Fault(Kind.MISSING if at == len(bins.shares) - 1 else Kind.CODE, bins.labels[at], share, before, None, verdict)


def _new(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    """Levels development never had; all of them together are chance where the window would be so full of them by its size alone."""
    rows, bins = sum(counts.bins), against.bins
    fresh = [at for at, share in enumerate(bins.shares[: len(bins.names)]) if share == 0 and counts.bins[at]]
    new = sum(counts.bins[at] for at in fresh) + (0 if len(bins.names) - 1 in fresh else counts.unseen)
    if new and (rows / (rows + bins.rows)) ** new < against.alpha:
        yield Fault(Kind.NEW, ", ".join(bins.labels[at] for at in fresh) or OTHER, new / rows, 0.0, None,
                    against.params.new.verdict(new / rows))


def _ended(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    bins, rows = against.bins, sum(counts.bins)
    given = rows - counts.bins[-1]
    for name, share, count in zip(bins.names, bins.shares, counts.bins, strict=False):
        if not count and share * given >= EXPECTED and _chance(0, rows, share, bins.rows) < against.alpha:
            yield Fault(Kind.ENDED, name, 0.0, share, None, Verdict.WATCH)


def _unusual(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    rows, bins = sum(counts.bins), against.bins
    share, before = counts.unusual / rows, bins.unusual / bins.rows
    if share > before and _chance(counts.unusual, rows, before, bins.rows) < against.alpha:
        yield Fault(Kind.RANGE, "", share, before, None, against.params.unusual.verdict(share - before))


def _unit(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    """All of the column, or what of it is unusual, is like development once it is divided."""
    numbers = Numbers.of(counts, against.bins)
    if numbers is None:
        return
    if (now := numbers.distance(1.0)) >= SHIFTED:
        best = min(EITHER_WAY, key=numbers.distance)
        if numbers.distance(best) * BETTER <= now:
            yield Fault(Kind.UNIT, "", sum(counts.sizes.values()) / sum(counts.bins), None, best, Verdict.ALERT)
            return
    if counts.unusual >= FEWEST and isinstance(against.column, Input) and against.column.usual:
        yield from _some_in_another_unit(numbers.outside(*against.column.usual), counts, against.column.usual)


def _some_in_another_unit(unusual: Numbers, counts: ColumnCounts, usual: tuple[float, float]) -> Iterator[Fault]:
    fitting = [factor for factor in EITHER_WAY if unusual.within(usual, factor) >= FITS]
    best = min(fitting, key=unusual.gap, default=None)
    if best is not None and unusual.gap(best) < LIKE:
        yield Fault(Kind.UNIT, "", counts.unusual / sum(counts.bins), None, best, Verdict.WATCH)


def _constant(counts: ColumnCounts, against: Against) -> Iterator[Fault]:
    used = np.flatnonzero(counts.bins)
    at = int(used[0])
    if len(used) == 1 and at < len(counts.bins) - 1 and len(counts.sizes) <= 1 and against.bins.shares[at] < ONE_BIN:
        yield Fault(Kind.CONSTANT, against.bins.labels[at], 1.0, against.bins.shares[at], None, Verdict.ALERT)


@dataclass(frozen=True)
class Numbers:
    """A column's numbers as far as their sizes tell them, spread evenly within each. weights: how many are at each of `places`."""

    places: Array
    weights: Array
    edges: Array
    expected: Array

    @classmethod
    def of(cls, counts: ColumnCounts, bins: Bins) -> Numbers | None:
        """None where there are no numbers on one of the sides."""
        expected = np.asarray(bins.shares[: len(bins.edges) + 1])
        if bins.names or not counts.sizes or not expected.sum():
            return None
        middles, weights = np.array([middle(size) for size in counts.sizes]), np.array(list(counts.sizes.values()), dtype=np.float64)
        width = np.array([octave(size) / PER_OCTAVE for size in counts.sizes])
        steps = (np.arange(SPREAD) + 0.5) / SPREAD - 0.5
        return cls((middles[:, None] + width[:, None] * steps).ravel(), np.repeat(weights / SPREAD, SPREAD), np.array(bins.edges),
                   expected / expected.sum())

    def distance(self, factor: float) -> float:
        """PSI against development of the numbers divided by `factor`."""
        return psi(self._counts(factor), tuple(self.expected))

    def gap(self, factor: float) -> float:
        """The largest difference of their distribution functions, which the few can be judged by."""
        counts = self._counts(factor)
        return float(np.max(np.abs(np.cumsum(counts) / counts.sum() - np.cumsum(self.expected))))

    def _counts(self, factor: float) -> Array:
        at = np.searchsorted(self.edges, self.places / factor, side="right")
        return np.bincount(at, self.weights, minlength=len(self.expected))

    def within(self, usual: tuple[float, float], factor: float) -> float:
        """The share of the numbers that are usual once divided by `factor`."""
        places = self.places / factor
        return float(self.weights[(places >= usual[0]) & (places <= usual[1])].sum() / self.weights.sum()) if len(places) else 0.0

    def outside(self, low: float, high: float) -> Numbers:
        """The numbers outside the usual range alone."""
        kept = (self.places < low) | (self.places > high)
        return Numbers(self.places[kept], self.weights[kept], self.edges, self.expected)


def _chance(count: int, rows: int, share: float, of: int) -> float:
    """How often chance alone makes two shares so unlike."""
    return p_value(np.array([count, rows - count]), Bins(shares=(share, 1 - share), rows=of))
