"""How protected groups fare: approval, adverse impact, equal opportunity and calibration, each with its sample and interval.

Rates per group are Fairlearn's (`MetricFrame`). Refuses to pass a group that is too small: its verdict is "insufficient". Gives
figures and the names of practices, no legal conclusion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, mean_prediction, selection_rate

from feature_repo.contract import BAD, Action, Protected
from feature_repo.portfolio import Portfolio
from monitoring import window
from monitoring.alerts import Verdict, unless_chance, worst
from monitoring.intervals import Cases, Estimate, difference, ratio, share, share_of_some
from monitoring.params import FairnessParams

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


class Tally(NamedTuple):
    """What one group counts: (approved, decisions), (bad, matured), (approved good payers, good payers)."""

    approved: Cases
    bad: Cases
    good_approved: Cases
    mean_pd: float | None


UNKNOWN = -1.0
NONE = Tally((0, 0), (0, 0), (0, 0), None)


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
        "approved": (frame["outcome"] == Action.APPROVE).to_numpy(dtype=np.float64), "pd": frame["pd"].to_numpy(),
        "bad": frame[BAD].to_numpy(), "matured": window.matured(frame, portfolio), "month": window.months(frame, portfolio),
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
    counts = tally(facts)
    found: list[Group] = []
    for month in sorted(set(counts.index.get_level_values("month"))):
        cases = {str(name): _cases(row) for name, row in counts.xs(month, level="month").iterrows()}
        other = cases.get(column.reference, NONE)
        found += [_group(column, (month, name), cases[name], other, params) for name in column.group_names if name in cases]
    return tuple(found)


def tally(facts: pd.DataFrame) -> pd.DataFrame:
    """Per month and group: decisions and approval rate of all, bad rate and mean PD of the matured, approval rate of good payers.

    Decisions alike are counted first and weighed, so that Fairlearn sees a few hundred rows, whatever the size of the window.
    """
    outcome = facts["bad"].where(facts["matured"], UNKNOWN)
    facts = facts.assign(outcome=outcome).astype({"month": "category", "group": "category"})
    alike = facts.groupby(["month", "group", "approved", "outcome"], observed=True)["pd"].agg(n="size", pd="mean").reset_index()
    alike = alike.astype({"month": object, "group": object})
    matured, good = alike[alike["outcome"] != UNKNOWN], alike[alike["outcome"] == 0]
    parts = {"decisions": _cases_of(alike), "approval_rate": _rate(alike, "approved", selection_rate), "matured": _cases_of(matured),
             "bad_rate": _rate(matured, "outcome", selection_rate), "mean_pd": _rate(matured, "pd", mean_prediction),
             "good": _cases_of(good), "good_approval_rate": _rate(good, "approved", selection_rate)}
    return pd.DataFrame(parts)


def _cases_of(alike: pd.DataFrame) -> pd.Series[int]:
    return alike.groupby(["month", "group"])["n"].sum()


def _rate(alike: pd.DataFrame, of: str, metric: Callable[..., Any]) -> pd.Series[float]:
    if alike.empty:
        return pd.Series(dtype=np.float64, index=pd.MultiIndex.from_arrays([[], []], names=["month", "group"]))
    frame = MetricFrame(metrics=metric, y_true=alike[of], y_pred=alike[of], sensitive_features=alike["group"],
                        control_features=alike["month"], sample_params={"sample_weight": alike["n"]})
    rates: pd.Series[float] = frame.by_group.dropna()
    return rates


def _cases(row: pd.Series[float]) -> Tally:
    def pair(rate: str, of: str) -> Cases:
        return (round(row[rate] * row[of]), int(row[of])) if row[of] > 0 else (0, 0)

    return Tally(pair("approval_rate", "decisions"), pair("bad_rate", "matured"), pair("good_approval_rate", "good"),
                 float(row["mean_pd"]) if row["matured"] > 0 else None)


def _group(column: Protected, at: tuple[str, str], own: Tally, other: Tally, params: FairnessParams) -> Group:
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
    return unless_chance(params.adverse_impact.below(found.value), explained=found.high is not None and found.high >= 1)


def _opportunity(found: Estimate | None, smaller: int, params: FairnessParams) -> Verdict:
    if found is None or smaller < params.minimum:
        return Verdict.INSUFFICIENT
    return unless_chance(params.equal_opportunity.at_least(-found.value), explained=found.high is not None and found.high >= 0)
