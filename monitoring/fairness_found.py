"""Everything that is told of how protected groups fared in one window, measured once, and what it comes to. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.limits import Verdict, worst
from governance.release import Release
from monitoring import cut_offs, fairness, group_reasons, in_force, intersections, rulings
from monitoring.cut_offs import AtCutOff, InBand
from monitoring.fairness import Attribute
from monitoring.group_counts import Grouped
from monitoring.group_reasons import GroupReason
from monitoring.intersections import Intersection
from monitoring.params import FairnessParams
from monitoring.rulings import PackRuling
from serving.scoring.parts import Policy


@dataclass(frozen=True)
class Found:
    """What is told of a window, all of it."""

    attributes: Sequence[Attribute]
    rulings: Sequence[PackRuling]
    intersections: Sequence[Intersection]
    bands: Sequence[InBand]
    cut_offs: Sequence[AtCutOff]
    reasons: Sequence[GroupReason]


def measure(of: Grouped, known: fairness.Development, judges: fairness.Judges, release: Release, params: FairnessParams) -> Found:
    """Everything that is told of a window."""
    policy = release.read("policy.json", Policy)
    on = params.as_of or (in_force.newest(of.frame) if of.portfolio.is_dated else None)
    return Found(
        fairness.assess(of, known, judges, params), rulings.assess(of, judges.newest, on),
        intersections.assess(of, judges.newest, params), cut_offs.by_band(of, policy, params), cut_offs.along(of, policy, params),
        group_reasons.assess(of, params),
    )


def summary(found: Found) -> dict[str, object]:
    """What the figures come to, and all of them."""
    groups = [group for attribute in found.attributes for group in attribute.groups]
    ratios = [group.adverse_impact.value for group in groups if group.adverse_impact and group.impact_verdict is not Verdict.INSUFFICIENT]
    return {
        "verdict": worst(attribute.verdict for attribute in found.attributes),
        "groups_in_alert": sum(Verdict.ALERT in group.verdicts for group in groups),
        "lowest_adverse_impact_ratio": min(ratios, default=None), "attributes": found.attributes, "rulings": found.rulings,
        "intersections": found.intersections, "bands": found.bands,
        "cut_offs": found.cut_offs, "reasons_by_group": found.reasons,
    }
