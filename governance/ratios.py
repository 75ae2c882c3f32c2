"""The ratio of two shares with its interval: the one formula of adverse impact, in a release, in a window and under a policy pack.

Refuses nothing but what cannot be divided: the caller sees to it that the reference has a hit.
"""

from __future__ import annotations

from math import exp, sqrt
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
