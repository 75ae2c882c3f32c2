"""Fisher's exact test of two shares: the chance of a table at least as unlikely as the one counted, were the groups alike. Holm's of many.

Two-sided as Fisher (1922) is commonly computed: the tables with the same margins that are no likelier, by the hypergeometric distribution.
Whole numbers and their ratios alone, so nothing of a numerical library is needed where gates are judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum

from governance.ratios import Cases

AS_LIKELY = 1 + 1e-7  # tables whose chances differ by rounding alone count as equally likely


def fisher(cases: Cases, reference: Cases) -> float:
    """The two-sided p-value; 1 where a margin is empty.

    >>> round(fisher((1, 10), (11, 14)), 12)
    0.002759456185
    """
    (hits, of), (other_hits, other_of) = cases, reference
    drawn = hits + other_hits
    lowest, highest = max(0, drawn - other_of), min(of, drawn)
    mode = min(max((of + 1) * (drawn + 1) // (of + other_of + 2), lowest), highest)
    up, down = (_outwards(mode, last, (of, drawn, other_of), step) for last, step in ((highest, 1), (lowest, -1)))
    weights = {mode: 1.0, **dict(up), **dict(down)}
    ours = weights.get(hits, 0.0)
    return min(fsum(weight for weight in weights.values() if weight <= ours * AS_LIKELY) / fsum(weights.values()), 1.0)


def _outwards(mode: int, last: int, margins: tuple[int, int, int], step: int) -> Iterator[tuple[int, float]]:
    """Each table beside the likeliest with its weight against it, until there is none or it is no number."""
    (of, drawn, other_of), weight = margins, 1.0
    for at in range(mode, last, step):
        lower = at if step > 0 else at - 1
        ratio = (of - lower) * (drawn - lower) / ((lower + 1) * (other_of - drawn + lower + 1))
        weight *= ratio if step > 0 else 1 / ratio
        if not weight:
            return
        yield at + step, weight


def holm(p_values: list[float]) -> list[float]:
    """P-values of several tests, comparable with a limit for one (Holm 1979).

    >>> [round(p, 2) for p in holm([0.04, 0.01, 0.5])]
    [0.08, 0.03, 0.5]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, reached = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        reached = max(reached, min((len(p_values) - rank) * p_values[i], 1.0))
        adjusted[i] = reached
    return adjusted
