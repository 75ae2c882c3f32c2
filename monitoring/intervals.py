"""Estimates with intervals for shares, their ratios and differences, in closed form.

Refuses to make a number of nothing: without a case, or a comparison group with no success, the answer is null.
"""

from __future__ import annotations

import msgspec

from governance.ratios import Cases, difference_interval, ratio_interval
from training import measures


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its interval; a bound is null where the data give none."""

    value: float
    low: float | None
    high: float | None


def share(cases: Cases, confidence: float) -> Estimate | None:
    """A share with the Jeffreys interval the release was measured with."""
    return share_of_some(cases, confidence) if cases[1] else None


def share_of_some(cases: Cases, confidence: float) -> Estimate:
    """`share` where there is at least one case."""
    hits, of = cases
    low, high = measures.rate_interval(hits, of, confidence)
    return Estimate(hits / of, float(low), float(high))


def ratio(cases: Cases, reference: Cases, confidence: float) -> Estimate | None:
    """Ratio of two shares with the log interval of Katz et al. (1978).

    >>> ratio((48, 100), (80, 100), 0.95).value
    0.6
    """
    if not (cases[1] and reference[0]):
        return None
    return Estimate(*ratio_interval(cases, reference, confidence))


def difference(cases: Cases, reference: Cases, confidence: float) -> Estimate | None:
    """Difference of two shares with Newcombe's (1998) interval from Wilson limits."""
    if not (cases[1] and reference[1]):
        return None
    return Estimate(*difference_interval(cases, reference, confidence))
