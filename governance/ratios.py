"""Two shares compared, as a ratio and as a difference, with their intervals: one formula each, in a release, in a window, under a pack.

Refuses nothing but what cannot be divided: the caller sees to it that the reference has a hit, or that each share has a case.
"""

from __future__ import annotations

from math import exp, hypot, sqrt
from statistics import NormalDist

Cases = tuple[int, int]
"""(hits, out of)"""
LEVEL = 0.95


def ratio_interval(cases: Cases, reference: Cases, level: float = LEVEL) -> tuple[float, float | None, float | None]:
    """Ratio of two shares with the log interval of Katz et al. (1978); no bounds where `cases` has no hit.

    The reference must have one.

    >>> ratio_interval((48, 100), (80, 100))[0]
    0.6
    """
    (hits, of), (other_hits, other_of) = cases, reference
    if not hits:
        return 0.0, None, None
    value = (hits * other_of) / (of * other_hits)  # in whole numbers: 640 of 1,000 over 800 of 1,000 is 0.8, and not a bit below a limit
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sqrt(1 / hits - 1 / of + 1 / other_hits - 1 / other_of)
    return value, value * exp(-reach), value * exp(reach)


def difference_interval(cases: Cases, reference: Cases, level: float = LEVEL) -> tuple[float, float, float]:
    """Difference of two shares with the interval of Newcombe (1998), his method 10, from Wilson's limits. Each needs a case.

    >>> [round(bound, 4) for bound in difference_interval((56, 70), (48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    (own, low, high), (other, other_low, other_high) = _wilson(cases, z), _wilson(reference, z)
    gap = (cases[0] * reference[1] - reference[0] * cases[1]) / (cases[1] * reference[1])  # in whole numbers, as the ratio
    return gap, gap - hypot(own - low, other_high - other), gap + hypot(high - own, other - other_low)


def _wilson(cases: Cases, z: float) -> tuple[float, float, float]:
    """A share with the limits of Wilson (1927)."""
    hits, of = cases
    own = hits / of
    middle = (own + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * sqrt(own * (1 - own) / of + z**2 / (4 * of**2))
    return own, middle - half, middle + half
