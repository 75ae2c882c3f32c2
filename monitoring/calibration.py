"""Tests of calibration beside Jeffreys': the binomial test of one PD, and the Hosmer-Lemeshow test over score bands.

Secondary, and no verdict rests on them: both call any difference that cannot be chance, however small. The bands are the release's, so
that no test chooses its own bins; neighbours are joined until each expects five bad and five good outcomes (Cochran 1954). Outcomes of
development would cost degrees of freedom; a window has none.
"""

from __future__ import annotations

import msgspec
import numpy as np
from scipy import stats

from serving.scoring.kernel import Array

LEAST_EXPECTED = 5.0


class HosmerLemeshow(msgspec.Struct, frozen=True):
    """The statistic over so many groups, and its p-value by chi-square with as many degrees of freedom."""

    statistic: float
    groups: int
    p_value: float


def binomial(bads: int, rows: int, pd_: float) -> float:
    """P-value that so many bad outcomes, or more, are chance where the PD is right.

    >>> round(binomial(20, 1000, 0.01), 5)
    0.00329
    """
    return float(stats.binom.sf(bads - 1, rows, pd_))


def hosmer_lemeshow(bad: Array, pd_: Array, band: Array) -> HosmerLemeshow | None:
    """Hosmer and Lemeshow (1980) over bands, given as 0, 1, ... from the best; null where two groups cannot be made."""
    rows, said, bads = (np.bincount(band, of) for of in (np.ones(len(band)), pd_, bad))
    groups = _joined(said, rows - said)
    if groups[-1] < 1:
        return None
    rows, said, bads = (np.bincount(groups, of) for of in (rows, said, bads))
    statistic = float(np.sum((bads - said) ** 2 / (said * (1 - said / rows))))
    return HosmerLemeshow(statistic, len(rows), float(stats.chi2.sf(statistic, len(rows))))


def _joined(bads: Array, goods: Array) -> Array:
    """The group of each band, from the best; what is left at the end joins the group before."""
    groups, sums, group = np.zeros(len(bads), dtype=np.int64), np.zeros(2), 0
    for place, expected in enumerate(zip(bads, goods, strict=True)):
        groups[place] = group
        sums += expected
        if sums.min() >= LEAST_EXPECTED:
            group, sums = group + 1, np.zeros(2)
    return np.minimum(groups, max(group - 1, 0))
