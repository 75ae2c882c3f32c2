"""The figures of one group of a window: of its decisions, and of its matured outcomes, beside those of its reference group.

Responsible for what each figure is. Refuses to show what is withheld, and to judge: verdicts are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from feature_repo.contract import Protected
from governance.exact import fisher
from governance.groups import Compared, Tally, standardized_difference
from governance.limits import Verdict
from governance.ratios import Cases
from monitoring.disclosure import coarse
from monitoring.intervals import Estimate, difference, ratio, share
from training import measures

IMPACT, OPPORTUNITY, SCORES, CALIBRATION = ("adverse_impact_ratio", "equal_opportunity_difference", "standardized_mean_difference",
                                            "calibration_by_group")


class Group(msgspec.Struct, frozen=True):
    """One group of one attribute over the whole window.

    approved counts straight approvals, referrals are not; matured, good and bad count outcomes that are known and old enough. What compares
    with the reference group is null for that group itself; verdicts are null where no pack has such a measure. withheld, outcomes_withheld:
    why figures are null, empty where they are not; p-values are exact (Fisher), overstated is Jeffreys' that the PDs are not too high.
    """

    attribute: str
    group: str
    withheld: str
    outcomes_withheld: str
    decisions: int | None = None
    approved: int | None = None
    approval_rate: Estimate | None = None
    referred: int | None = None
    referral_rate: Estimate | None = None
    adverse_impact: Estimate | None = None
    impact_p: float | None = None
    score_difference: Estimate | None = None
    matured: int | None = None
    good: int | None = None
    good_approved: int | None = None
    bad: int | None = None
    equal_opportunity: Estimate | None = None
    opportunity_p: float | None = None
    mean_pd: float | None = None
    observed: Estimate | None = None
    overstated: float | None = None
    impact_verdict: Verdict | None = None
    opportunity_verdict: Verdict | None = None
    score_verdict: Verdict | None = None
    calibration_verdict: Verdict | None = None

    @property
    def compared(self) -> tuple[Verdict, ...]:
        """The verdicts against the reference group."""
        return tuple(verdict for verdict in (self.impact_verdict, self.opportunity_verdict, self.score_verdict) if verdict)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts given; none for the reference group."""
        return (*self.compared, self.calibration_verdict) if self.calibration_verdict else self.compared


@dataclass(frozen=True)
class Telling:
    """What may be told of the groups of an attribute.

    hidden, quiet: why a group, or its outcomes, are withheld; verdicts: by measure and group; level: of every interval.
    """

    hidden: Mapping[str, str]
    quiet: Mapping[str, str]
    verdicts: Mapping[tuple[str, str], Verdict]
    level: float


def describe(column: Protected, name: str, own: Tally, other: Tally, telling: Telling) -> Group:
    """The figures of a group beside its reference group's; rounded where any group is withheld."""
    compared = None if name == column.reference else Compared(column.name, name, own, column.reference, other)
    few = telling.hidden.get(name, "")
    silent = few or telling.quiet.get(name, "")
    figures = {} if few else _decided(own, compared, telling.level)
    figures |= {} if silent else _outcomes(own, compared, telling.level)
    rounded, verdicts = bool(telling.hidden or telling.quiet), telling.verdicts
    shown = {key: coarse(value) if rounded and isinstance(value, Estimate) else value for key, value in figures.items()}
    return Group(column.name, name, few, silent, **shown,  # type: ignore[arg-type] # by name, as the fields are
                 impact_verdict=verdicts.get((IMPACT, name)), opportunity_verdict=verdicts.get((OPPORTUNITY, name)),
                 score_verdict=verdicts.get((SCORES, name)), calibration_verdict=verdicts.get((CALIBRATION, name)))


def _decided(own: Tally, of: Compared | None, level: float) -> dict[str, object]:
    """What is told from decisions alone."""
    scores = standardized_difference(own, of.other, level) if of else None
    return {
        "decisions": own.decisions, "approved": own.approved, "approval_rate": share(own.approvals, level), "referred": own.referred,
        "referral_rate": share(own.referrals, level), "adverse_impact": ratio(own.approvals, of.other.approvals, level) if of else None,
        "impact_p": _exact(own.approvals, of.other.approvals) if of else None,
        "score_difference": Estimate(*scores[:3]) if scores else None,
    }


def _outcomes(own: Tally, of: Compared | None, level: float) -> dict[str, object]:
    """What is told from matured outcomes."""
    mean = own.mean_pd
    return {
        "matured": own.matured, "good": own.good, "good_approved": own.good_approved, "bad": own.bad, "mean_pd": mean,
        "equal_opportunity": difference(own.good_approvals, of.other.good_approvals, level) if of else None,
        "opportunity_p": _exact(own.good_approvals, of.other.good_approvals) if of else None,
        "observed": share((own.bad, own.matured), level),
        "overstated": float(1 - measures.jeffreys(own.bad, own.matured, mean)) if mean is not None else None,
    }


def _exact(own: Cases, other: Cases) -> float | None:
    return fisher(own, other) if own[1] and other[1] else None
