"""How protected groups fare: approval, adverse impact, equal opportunity and calibration, each with its sample and interval.

Counts per group are exact; the tests hold them against Fairlearn's. Refuses to pass a group that is too small: its verdict is
"insufficient". Gives figures and the names of practices, no legal conclusion.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Action, Protected
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, unless_chance, worst
from governance.ratios import Cases
from monitoring import window
from monitoring.intervals import Estimate, difference, ratio, share, share_of_some
from monitoring.params import FairnessParams
from serving.scoring.kernel import Array

Baseline = dict[str, dict[str, dict[str, float]]]

READING = """\
**Adverse impact ratio**: a group's share of straight approvals over the reference group's, with the interval of Katz et al. (1978).
Referrals and declines both count as not approved.

**Equal opportunity difference**: the same shares among those who repaid, subtracted, with Newcombe's (1998) interval. Outcomes are
known only of those who were given credit, so it says nothing of the others.

**Calibration by group**: mean PD beside the bad rate of matured outcomes, with its Jeffreys interval.

A group below the minimum sample is *insufficient*, which is not a pass. The size of a figure decides its verdict; where chance alone
explains it, the verdict is one step milder.

The four-fifths rule is 29 CFR 1607.4(D), of the US guidelines on employee selection; lenders use it as a practice, so 0.80 is a flag
for review. Federal disparate-impact liability under Regulation B (12 CFR 1002) ended on 21 July 2026, and state law differs; no legal
conclusion is drawn here."""


class Group(msgspec.Struct, frozen=True):
    """One group of one attribute in one month, or in all of them.

    approved counts straight approvals, referrals are not; matured, good and bad count outcomes that are known and old enough.
    What compares with the reference group is null for that group itself.
    """

    attribute: str
    group: str
    month: str
    decisions: int
    approved: int
    approval_rate: Estimate
    adverse_impact: Estimate | None
    matured: int
    good: int
    good_approved: int
    bad: int
    equal_opportunity: Estimate | None
    mean_pd: float | None
    observed: Estimate | None
    impact_verdict: Verdict | None
    opportunity_verdict: Verdict | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts given; none for the reference group."""
        return tuple(verdict for verdict in (self.impact_verdict, self.opportunity_verdict) if verdict)


class Counts(NamedTuple):
    """What one group counts: (approved, decisions), (bad, matured), (approved good payers, good payers)."""

    approved: Cases
    bad: Cases
    good_approved: Cases
    mean_pd: float | None


NONE = Counts((0, 0), (0, 0), (0, 0), None)


class Attribute(msgspec.Struct, frozen=True):
    """All groups of one protected attribute.

    unknown: decisions whose group the vault does not know; development: adverse impact ratio per group in the development population.
    """

    attribute: str
    reference: str
    unknown: int
    development: dict[str, float]
    verdict: Verdict
    groups: tuple[Group, ...]
    months: tuple[Group, ...]


def assess(frame: pd.DataFrame, portfolio: Portfolio, baseline: Baseline, params: FairnessParams) -> tuple[Attribute, ...]:
    """Every protected attribute of a window that `window.with_vault` joined; empty where the contract declares none.

    baseline: attribute -> group -> count and approval_rate of the development population, the release's fairness.json.
    """
    facts = pd.DataFrame({
        "approved": (frame["outcome"] == Action.APPROVE).to_numpy(), "pd": frame["pd"].to_numpy(),
        "bad": frame[BAD].where(window.matured(frame, portfolio)).to_numpy(dtype=np.float64), "month": window.months(frame, portfolio),
    })
    return tuple(_attribute(facts.assign(group=frame[column.name].to_numpy()), column, baseline, params) for column in portfolio.protected)


def _attribute(facts: pd.DataFrame, column: Protected, baseline: Baseline, params: FairnessParams) -> Attribute:
    known = facts[facts["group"].notna()]
    total = _groups(known.assign(month=window.ALL), column, params)
    by_month = _groups(known, column, params) if (known["month"] != window.ALL).any() else ()
    verdict = worst(verdict for group in total for verdict in group.verdicts)
    development = _ratios(baseline.get(column.name, {}), column.reference)
    return Attribute(column.name, column.reference, len(facts) - len(known), development, verdict, total, by_month)


def _ratios(rates: dict[str, dict[str, float]], reference: str) -> dict[str, float]:
    other = rates.get(reference, {}).get("approval_rate", 0.0)
    return {group: rate["approval_rate"] / other for group, rate in rates.items() if other and group != reference}


def _groups(facts: pd.DataFrame, column: Protected, params: FairnessParams) -> tuple[Group, ...]:
    """Groups in the contract's order within each month; one with no decision is left out."""
    if facts.empty:
        return ()
    counted = counts(facts)
    found: list[Group] = []
    for month in sorted({month for month, _ in counted}):
        cases = {name: counted[month, name] for name in column.group_names if (month, name) in counted}
        other = cases.get(column.reference, NONE)
        found += [_group(column, (month, name), own, other, params) for name, own in cases.items()]
    return tuple(found)


def counts(facts: pd.DataFrame) -> dict[tuple[str, str], Counts]:
    """Per month and group with a decision; `bad` is NaN where no outcome has matured."""
    bad, approved, pd_ = (facts[name].to_numpy() for name in ("bad", "approved", "pd"))
    rows_of = cast("dict[tuple[str, str], Array]", facts.groupby(["month", "group"]).indices)
    return {at: _count(bad[rows], approved[rows], pd_[rows]) for at, rows in rows_of.items()}


def _count(bad: Array, approved: Array, pd_: Array) -> Counts:
    matured, good = np.isfinite(bad), bad == 0
    return Counts(
        approved=(int(approved.sum()), len(approved)), bad=(int((bad == 1).sum()), int(matured.sum())),
        good_approved=(int(approved[good].sum()), int(good.sum())), mean_pd=float(pd_[matured].mean()) if matured.any() else None,
    )


def _group(column: Protected, at: tuple[str, str], own: Counts, other: Counts, params: FairnessParams) -> Group:
    compared = at[1] != column.reference
    impact = ratio(own.approved, other.approved, params.confidence) if compared else None
    gap = difference(own.good_approved, other.good_approved, params.confidence) if compared else None
    return Group(
        attribute=column.name, group=at[1], month=at[0], decisions=own.approved[1], approved=own.approved[0],
        approval_rate=share_of_some(own.approved, params.confidence), adverse_impact=impact, matured=own.bad[1], bad=own.bad[0],
        good=own.good_approved[1], good_approved=own.good_approved[0], equal_opportunity=gap, mean_pd=own.mean_pd,
        observed=share(own.bad, params.confidence),
        impact_verdict=_impact(impact, min(own.approved[1], other.approved[1]), params) if compared else None,
        opportunity_verdict=_opportunity(gap, min(own.good_approved[1], other.good_approved[1]), params) if compared else None,
    )


def _impact(found: Estimate | None, smaller: int, params: FairnessParams) -> Verdict:
    """29 CFR 1607.4(D) excepts differences that rest on small numbers and are not statistically significant."""
    if found is None or smaller < params.minimum:
        return Verdict.INSUFFICIENT
    return unless_chance(params.adverse_impact.verdict(found.value), explained=found.high is not None and found.high >= 1)


def _opportunity(found: Estimate | None, smaller: int, params: FairnessParams) -> Verdict:
    if found is None or smaller < params.minimum:
        return Verdict.INSUFFICIENT
    return unless_chance(params.equal_opportunity.verdict(-found.value), explained=found.high is not None and found.high >= 0)
