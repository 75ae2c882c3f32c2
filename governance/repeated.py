"""Intervals that hold at every look: however often a growing window is looked at, all of them cover what is true at once.

An interval of 95% is wrong at one look in twenty; looked at every month, one of 24 is wrong far more often. The normal mixture of Robbins
(1970, Annals of Mathematical Statistics 41, 1397), for estimates that are normal in the limit as Waudby-Smith et al. (2024, Annals of
Statistics 52, 2613) show, needs no planned number of looks and no memory of those before: it is a function of the counts.
Refuses nothing; the price is an interval about half as wide again.
"""

from __future__ import annotations

from math import log, sqrt

from governance.ratios import Cases

Bounds = tuple[float, float]


def lasting(value: float, variance: float, prior: float, level: float) -> Bounds:
    """Bounds around an estimate, at least `level` sure over all looks together.

    prior: the standard deviation of the mixture over true values, which decides where the bounds are narrowest and never whether they
    hold; a measure's alert limit is a sensible one.
    """
    scale = variance / prior**2
    reach = sqrt(variance * (1 + scale) * log((1 + 1 / scale) / (1 - level) ** 2))
    return value - reach, value + reach


def gap(cases: Cases, reference: Cases) -> tuple[float, float]:
    """Difference of two shares and its variance, each with a hit and a miss added: Agresti and Caffo (2000).

    It is no less than that of groups that are alike: where nearly all are approved, or none, a small group's own is too small.
    """
    hits, of, other_hits, other_of = cases[0] + 1, cases[1] + 2, reference[0] + 1, reference[1] + 2
    own, other, pooled = hits / of, other_hits / other_of, (hits + other_hits) / (of + other_of)
    variance = own * (1 - own) / of + other * (1 - other) / other_of
    return own - other, max(variance, pooled * (1 - pooled) * (1 / of + 1 / other_of))
