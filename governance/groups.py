"""Counts of the decisions on one group of people, and a group beside its reference group.

Responsible for counts that are whole numbers and add up exactly, whatever shards they come from and in whatever order. Refuses counts that
contradict each other. Knows no person, and measures nothing but the difference of two mean scores, which whole numbers give exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import msgspec

from governance.ratios import Cases

BILLIONTHS = 1_000_000_000


class Tally(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is counted of a group.

    approved counts straight approvals, referred what a person has yet to see. good, bad: outcomes that are known and old enough;
    good_approved: of the good, those approved; foreseen: the PDs of those outcomes added up, in billionths. scored decisions have `scores`
    points together, and `squares` their squares.
    """

    decisions: int = 0
    approved: int = 0
    referred: int = 0
    good: int = 0
    good_approved: int = 0
    bad: int = 0
    foreseen: int = 0
    scored: int = 0
    scores: int = 0
    squares: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError where a part is more than its whole."""
        if not 0 <= self.approved <= self.approved + self.referred <= self.decisions:
            raise ValueError(f"{self.approved} approved and {self.referred} referred of {self.decisions} decisions")
        if not (0 <= self.good_approved <= self.good and self.bad >= 0 and 0 <= self.foreseen <= self.matured * BILLIONTHS):
            raise ValueError(f"{self.good_approved} approved of {self.good} good, beside {self.bad} bad")

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(mine + theirs for mine, theirs in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)))

    @property
    def matured(self) -> int:
        return self.good + self.bad

    @property
    def approvals(self) -> Cases:
        return self.approved, self.decisions

    @property
    def referrals(self) -> Cases:
        return self.referred, self.decisions

    @property
    def good_approvals(self) -> Cases:
        return self.good_approved, self.good

    @property
    def mean_pd(self) -> float | None:
        """Of the matured outcomes."""
        return self.foreseen / BILLIONTHS / self.matured if self.matured else None

    @property
    def deviation(self) -> float:
        """Squared deviations of the scores from their mean, added up; from whole numbers, so nothing cancels."""
        return (self.scored * self.squares - self.scores**2) / self.scored


NOBODY = Tally()


@dataclass(frozen=True)
class Compared:
    """A group of a protected attribute beside its reference group."""

    attribute: str
    group: str
    own: Tally
    reference: str
    other: Tally


def standardized_difference(own: Tally, other: Tally, level: float) -> tuple[float, float, float, float] | None:
    """Difference of mean scores in pooled standard deviations (Cohen 1988), its bounds, and its variance for large groups.

    Hedges and Olkin (1985), Statistical Methods for Meta-Analysis. Null where a group has fewer than two, or all scores are alike.
    """
    if min(own.scored, other.scored) < 2 or not (spread := own.deviation + other.deviation):
        return None
    both = own.scored + other.scored
    value = (own.scores / own.scored - other.scores / other.scored) / sqrt(spread / (both - 2))
    variance = 1 / own.scored + 1 / other.scored + value**2 / (2 * both)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sqrt(variance)
    return value, value - reach, value + reach, variance
