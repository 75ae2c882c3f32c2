"""Frozen bins: a column's distribution in the development population, to count later values against.

Edges are quantiles of development and never move, so an outlier or a batch of missing values cannot hide a shift. Missing values,
special codes and levels have bins of their own. Workers count in them, so nothing here needs pandas. Refuses to judge: what a PSI means
is monitoring's business.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from feature_repo.contract import OTHER
from serving.scoring.kernel import Array

if TYPE_CHECKING:
    import pandas as pd

MISSING = "missing"
FLOOR = 1e-4


class Bins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bins of one column, in this order: `names` or intervals between `edges`, then `specials`, then missing.

    edges: ascending; interval k is [edges[k-1], edges[k]). names: levels, the last one `other`; a column has edges or names.
    shares: of the `rows` development values, per bin; they add up to 1. unusual: how many were outside the contract's usual range.
    """

    shares: tuple[float, ...]
    rows: int
    edges: tuple[float, ...] = ()
    specials: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    unusual: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """One text per bin, for people."""
        return (*(self.names or intervals(self.edges)), *(f"special {code:g}" for code in self.specials), MISSING)

    def count(self, values: Array | pd.Series) -> Array:
        """How many values fall in each bin, int64 of shape (bins,). Numbers: NaN is missing; levels: null is, unknown is `other`."""
        return np.bincount(self.places(values), minlength=len(self.labels))

    def places(self, values: Array | pd.Series) -> Array:
        """The bin of each value, by its place in `labels`."""
        return self._level_positions(values) if self.names else self._number_positions(np.asarray(values, dtype=np.float64))

    def _level_positions(self, values: Array | pd.Series) -> Array:
        """A level is a text; whatever is none is missing."""
        place, other, gone = {name: at for at, name in enumerate(self.names)}, len(self.names) - 1, len(self.names)
        return np.array([place.get(value, other) if isinstance(value, str) else gone for value in values], dtype=np.int64)

    def _number_positions(self, values: Array) -> Array:
        at = np.searchsorted(self.edges, values, side="right")
        for position, code in enumerate(self.specials, start=len(self.edges) + 1):
            at[values == code] = position
        at[np.isnan(values)] = len(self.edges) + 1 + len(self.specials)
        return at


def freeze_numbers(values: Array, most: int, specials: tuple[float, ...] = (), usual: tuple[float, float] | None = None) -> Bins:
    """Bins of about equal size, at most `most` and one more per value that fills a bin alone."""
    values = np.asarray(values, dtype=np.float64)
    plain = values[~(np.isnan(values) | np.isin(values, specials))]
    outside = 0 if usual is None else int(np.sum((plain < usual[0]) | (plain > usual[1])))
    return _with_shares(Bins((), 0, tuple(_edges(plain, most).tolist()), tuple(map(float, specials)), unusual=outside), values)


def freeze_levels(values: Array | pd.Series, names: tuple[str, ...]) -> Bins:
    """One bin per level; what is not among `names` is `other`."""
    return _with_shares(Bins((), 0, names=tuple(dict.fromkeys((*(name for name in names if name != OTHER), OTHER)))), values)


def psi(counts: Array, expected_shares: tuple[float, ...] | Array) -> float:
    """Population stability index of counts against expected shares, natural logarithm; NaN where nothing was counted.

    A share under `FLOOR` (0.01%) counts as `FLOOR` on both sides, so that an empty bin has a finite and small weight.

    >>> import numpy as np
    >>> round(psi(np.array([60, 40]), (0.5, 0.5)), 4)
    0.0405
    """
    total = int(np.sum(counts))
    if not total:
        return float("nan")
    actual, expected = np.maximum(np.asarray(counts) / total, FLOOR), np.maximum(expected_shares, FLOOR)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def psi_by_chance(counts: Array, bins: Bins) -> float:
    """The PSI expected of so few values where nothing has changed, (bins - 1)(1/n + 1/N): Yurdakul (2018). Empty bins do not count."""
    occupied = sum(1 for share, count in zip(bins.shares, counts, strict=True) if share > 0 or count > 0)
    return (occupied - 1) * (1 / int(np.sum(counts)) + 1 / bins.rows)


def intervals(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Texts such as "below 2", "2 to below 5", "5 and over" for the intervals between edges."""
    if not edges:
        return ("any",)
    inner = (f"{low:g} to below {high:g}" for low, high in pairwise(edges))
    return (f"below {edges[0]:g}", *inner, f"{edges[-1]:g} and over")


def _with_shares(bins: Bins, values: Array | pd.Series) -> Bins:
    counts = bins.count(values)
    shares = counts / max(int(counts.sum()), 1)
    return msgspec.structs.replace(bins, shares=tuple(shares.tolist()), rows=int(counts.sum()))


def _edges(plain: Array, most: int) -> Array:
    """Quantiles that are values of the column. A value that fills a bin alone ends there, or a spike at zero would hide all above it."""
    distinct, counts = np.unique(plain, return_counts=True)
    if len(distinct) <= most:
        return distinct[1:]
    cuts = np.quantile(plain, np.arange(1, most) / most, method="inverted_cdf")
    heavy = np.flatnonzero(counts >= len(plain) / most)
    after = distinct[heavy[heavy + 1 < len(distinct)] + 1]
    edges = np.union1d(np.union1d(cuts, distinct[heavy]), after)
    return np.asarray(edges[edges > distinct[0]])
