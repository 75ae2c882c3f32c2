"""The measures a policy pack can name: how a group fares against its reference group, as a figure, its interval and what chance explains.

Each is a pure function of counts, with the limits its pack sets. Refuses to make a figure of nothing. In every measure the size of the
figure decides the word, and chance makes it milder; `Looks` says whether chance is asked once, as of a release, or again and again, as of a
window that grows.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from math import erfc, sqrt
from typing import Annotated

import msgspec

from governance.exact import fisher
from governance.groups import BILLIONTHS, Tally, standardized_difference
from governance.limits import Ceiling, Floor, Verdict, unless_chance
from governance.ratios import difference_interval, ratio_interval
from governance.repeated import Bounds, gap, lasting

Words = Annotated[str, msgspec.Meta(min_length=1)]


class Looks(StrEnum):
    """How often the same figure is looked at."""

    ONCE = "once"
    EVER = "ever"


class Figure(msgspec.Struct, frozen=True):
    """A measure of one group.

    low, high: its interval for one look, null where the counts give none; p: of the test that the groups are alike, exact for shares, null
    where the measure has none; lasting: the interval that holds at every look.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    lasting: Bounds


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name"):
    """blocks: whether a figure beyond the alert limit, or a group of fewer than `minimum`, holds a promotion up, or is only reported.

    source: clause, date and jurisdiction, or whose practice it is.
    """

    blocks: bool
    minimum: Annotated[int, msgspec.Meta(ge=1)]
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]
    source: Words

    @property
    def name(self) -> str:
        return str(self.__struct_config__.tag)

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    @abstractmethod
    def alert(self) -> str:
        """The alert limit in words."""

    @abstractmethod
    def smaller(self, own: Tally, other: Tally) -> int:
        """On how many the figure rests, of the group that has fewer."""

    @abstractmethod
    def figure(self, own: Tally, other: Tally, level: float) -> Figure | None:
        """The figure, with `level` sure intervals; null where there is nothing to divide by."""

    @abstractmethod
    def judge(self, figure: Figure, looks: Looks, level: float) -> Verdict:
        """The word for a figure, as sure as `level`, of groups that are large enough."""


class AdverseImpactRatio(Measure, frozen=True, tag="adverse_impact_ratio"):
    """The share approved over the reference group's; referrals and declines both count as not approved."""

    limits: Floor

    @property
    def alert(self) -> str:
        return f"at least {self.limits.alert:g}"

    def smaller(self, own: Tally, other: Tally) -> int:
        return min(own.decisions, other.decisions)

    def figure(self, own: Tally, other: Tally, level: float) -> Figure | None:
        if not (own.decisions and other.approved):
            return None
        mine, theirs = own.approvals, other.approvals
        return Figure(*ratio_interval(mine, theirs, level), fisher(mine, theirs), self._lasting(own, other, level))

    def _lasting(self, own: Tally, other: Tally, level: float) -> Bounds:
        """Of the difference, over the reference group's share; the logarithm of a ratio of none approved would be no number.

        The prior is the difference at the alert limit.
        """
        pooled = (own.approved + other.approved) / (own.decisions + other.decisions)
        low, high = lasting(*gap(own.approvals, other.approvals), (1 - self.limits.alert or 1.0) * pooled, level)
        share = other.approved / other.decisions
        return 1 + low / share, 1 + high / share

    def judge(self, figure: Figure, looks: Looks, level: float) -> Verdict:
        """29 CFR 1607.4(D) excepts differences that rest on small numbers and are not statistically significant."""
        once = figure.high >= 1 if figure.high is not None else figure.p is None or figure.p >= 1 - level
        return unless_chance(self.limits.verdict(figure.value), explained=figure.lasting[1] >= 1 if looks is Looks.EVER else once)


class Shortfall(Measure, frozen=True):
    """A difference to the reference group: worse the further it is below zero, and judged by how far."""

    limits: Ceiling

    @property
    def alert(self) -> str:
        return f"above -{self.limits.alert:g}"

    def judge(self, figure: Figure, looks: Looks, level: float) -> Verdict:  # noqa: ARG002 - its intervals are as sure already
        once = figure.high is not None and figure.high >= 0
        return unless_chance(self.limits.verdict(-figure.value), explained=figure.lasting[1] >= 0 if looks is Looks.EVER else once)


class EqualOpportunityDifference(Shortfall, frozen=True, tag="equal_opportunity_difference"):
    """The share approved of those who repaid, less the reference group's: Hardt, Price and Srebro (2016)."""

    def smaller(self, own: Tally, other: Tally) -> int:
        return min(own.good, other.good)

    def figure(self, own: Tally, other: Tally, level: float) -> Figure | None:
        if not (own.good and other.good):
            return None
        mine, theirs = own.good_approvals, other.good_approvals
        bounds = lasting(*gap(mine, theirs), self.limits.alert, level)
        return Figure(*difference_interval(mine, theirs, level), fisher(mine, theirs), bounds)


class StandardizedMeanDifference(Shortfall, frozen=True, tag="standardized_mean_difference"):
    """The mean score less the reference group's, in pooled standard deviations: Cohen (1988); 0.30 is 30 on the scale of 100 some use.

    p is of the normal test for large groups.
    """

    def smaller(self, own: Tally, other: Tally) -> int:
        return min(own.scored, other.scored)

    def figure(self, own: Tally, other: Tally, level: float) -> Figure | None:
        if (found := standardized_difference(own, other, level)) is None:
            return None
        value, low, high, variance = found
        alike = 1 / own.scored + 1 / other.scored
        return Figure(value, low, high, erfc(abs(value) / sqrt(2 * alike)), lasting(value, variance, self.limits.alert, level))


class CalibrationByGroup(Measure, frozen=True, tag="calibration_by_group"):
    """By what share bad outcomes fall short of what the group's own PDs foresee: people charged or refused for risk that is not there.

    The reference group has no part in it. The interval of a bad rate is shown by the report, Jeffreys'; here is only what lasts.
    """

    limits: Ceiling

    @property
    def alert(self) -> str:
        return f"below {self.limits.alert:g}"

    def smaller(self, own: Tally, other: Tally) -> int:  # noqa: ARG002 - every measure is given both
        return own.matured

    def figure(self, own: Tally, other: Tally, level: float) -> Figure | None:  # noqa: ARG002 - every measure is given both
        foreseen, mean = own.foreseen / BILLIONTHS, own.mean_pd
        if not foreseen or mean is None or mean >= 1:
            return None
        value = 1 - own.bad / foreseen
        return Figure(value, None, None, None, lasting(value, (1 - mean) / foreseen, self.limits.alert, level))

    def judge(self, figure: Figure, looks: Looks, level: float) -> Verdict:  # noqa: ARG002 - there is but the one interval
        return unless_chance(self.limits.verdict(figure.value), explained=figure.lasting[0] <= 0)


AnyMeasure = AdverseImpactRatio | EqualOpportunityDifference | StandardizedMeanDifference | CalibrationByGroup
