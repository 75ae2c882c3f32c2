"""What was found, in plain words, the worst first: the sentences at the top of a report and in its JSON. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from feature_repo.portfolio import Portfolio
from governance.release import Release
from monitoring import window
from monitoring.alerts import Verdict, spans
from monitoring.drift import Column, peak
from monitoring.fairness import Attribute, Group
from monitoring.intervals import Estimate
from monitoring.params import DriftParams, FairnessParams, PerformanceParams
from monitoring.performance import Performance

NOTHING = "-"
MISSING_CHANGE = 0.05
"""Change of a missing share worth a word, in points of share."""


def percent(value: float | None) -> str:
    """A share in words; a missing one is a dash."""
    return NOTHING if value is None else f"{value:.1%}"


def number(found: Estimate | None, digits: int = 2) -> str:
    """An estimate with its interval in words.

    >>> number(Estimate(0.66, 0.61, 0.70))
    '0.66 (0.61 to 0.70)'
    """
    if found is None:
        return NOTHING
    bounds = "" if found.low is None or found.high is None else f" ({found.low:.{digits}f} to {found.high:.{digits}f})"
    return f"{found.value:.{digits}f}{bounds}"


def of_window(frame: pd.DataFrame, portfolio: Portfolio, release: Release) -> list[str]:
    """What was looked at: how many decisions, by which release, in which months."""
    who = f"{len(frame):,} decisions by release {release.id[:12]} of {portfolio.name}"
    if not portfolio.is_dated:
        return [f"Looked at: {who}. This portfolio has no time axis: the window is judged as a whole."]
    months = [month for month, _ in window.slices(frame, portfolio)]
    return [f"Looked at: {who}, {months[0]} to {months[-1]}."]


def of_drift(columns: Sequence[Column], params: DriftParams) -> list[str]:
    """Which columns drifted, when, how far; whose missing share changed; which months had too few decisions."""
    drifted = sorted((column for column in columns if column.verdict is Verdict.ALERT), key=lambda column: -peak(column).psi)
    watched = [column for column in columns if column.verdict is Verdict.WATCH]
    colon = ":" if drifted else "."
    found = [f"**{len(drifted)} of {len(columns)} columns drifted** (PSI {params.psi.alert:g} or more){colon}"]
    found += [f"- **{one.column}** in {_when(one, Verdict.ALERT)}, at most {peak(one).psi:.2f} in {peak(one).month}{_missing(one)}"
              for one in drifted]
    if watched:
        said = "; ".join(f"{one.column} in {_when(one, Verdict.WATCH)}" for one in watched)
        found.append(f"To watch (PSI {params.psi.watch:g} or more): {said}.")
    return [*found, *_unusual(columns), *_few(columns, params)]


def _unusual(columns: Sequence[Column]) -> list[str]:
    said = [f"{column.column} {cell.unusual:,} in {cell.month}" for column in columns for cell in column.months if cell.unusual]
    return [f"Values outside the contract's usual range: {'; '.join(said)}."] if said else []


def _when(column: Column, verdict: Verdict) -> str:
    return spans(column.flagged(verdict), [cell.month for cell in column.months]) or "the window as a whole"


def _missing(column: Column) -> str:
    changed = max(column.months, key=lambda cell: abs(cell.missing - column.development_missing))
    if abs(changed.missing - column.development_missing) < MISSING_CHANGE:
        return ""
    return f"; missing {percent(changed.missing)} in {changed.month}, {percent(column.development_missing)} in development"


def _few(columns: Sequence[Column], params: DriftParams) -> list[str]:
    few = {cell.month: cell.decisions for column in columns for cell in column.months if cell.decisions < params.minimum}
    said = ", ".join(f"{month} ({decisions:,})" for month, decisions in few.items())
    return [f"No verdict where a month has fewer than {params.minimum} decisions: {said}."] if few else []


def of_performance(found: Performance, params: PerformanceParams) -> list[str]:
    """How PDs rank and hold against development, on how many outcomes."""
    total, reference = found.total, found.reference
    basis = f"{total.matured:,} of {total.decisions:,} decisions have a matured outcome, {total.bad:,} of them bad."
    if total.gini is None or total.mean_pd is None or total.observed is None:
        return [f"**Performance cannot be measured**: {total.note}.", basis]
    excess = total.observed.value / total.mean_pd - 1
    more = "as the PDs say" if abs(excess) < 0.005 else f"{abs(excess):.0%} {'more' if excess > 0 else 'fewer'} than the PDs say"
    said = [
        f"**Ranking: {total.gini_verdict}.** Gini {number(total.gini, 3)} against {number(reference, 3)} in development.",
        f"**Calibration: {total.calibration_verdict}.** {percent(total.observed.value)} bad, mean PD {percent(total.mean_pd)}: {more}.",
        basis,
    ]
    months = [month.month for month in found.months]
    for what, flagged in (("Ranking", [month.month for month in found.months if month.gini_verdict is Verdict.ALERT]),
                          ("Calibration", [month.month for month in found.months if month.calibration_verdict is Verdict.ALERT])):
        said += [f"{what} in alert: {spans(flagged, months)}."] if flagged else []
    said += [f"Calibration of band {band.band} in alert: {percent(band.observed.value)} bad, mean PD {percent(band.mean_pd)}."
             for band in found.bands if band.verdict is Verdict.ALERT and band.observed]
    young = [month.month for month in found.months if not month.matured]
    said += [f"No outcome has matured yet: {spans(young, months)}."] if young else []
    least = f"{params.minimum} matured outcomes and {params.minimum_bad} bad"
    return [*said, f"A verdict needs {least}; one that chance explains is a step milder."]


def of_fairness(attributes: Sequence[Attribute], params: FairnessParams) -> list[str]:
    """Which groups are approved less often, by how much, and which are too small to tell."""
    if not attributes:
        return ["This portfolio declares no protected attribute."]
    groups = [(attribute, group) for attribute in attributes for group in attribute.groups]
    said = [_impact(attribute, group, params) for attribute, group in groups if group.impact_verdict is Verdict.ALERT]
    said += [_impact(attribute, group, params) for attribute, group in groups if group.impact_verdict is Verdict.WATCH]
    said += [_opportunity(attribute, group) for attribute, group in groups if group.opportunity_verdict in (Verdict.ALERT, Verdict.WATCH)]
    headline = sum(1 for _, group in groups if Verdict.ALERT in group.verdicts)
    compared = sum(1 for _, group in groups if group.impact_verdict)
    small = [f"{attribute.attribute}: {group.group} ({group.decisions:,})" for attribute, group in groups
             if Verdict.INSUFFICIENT in group.verdicts]
    unknown = [f"{attribute.attribute} ({attribute.unknown:,})" for attribute in attributes if attribute.unknown]
    return [
        f"**{headline} of {compared} groups in alert**" + (":" if said else "."), *said,
        *([f"Too few to tell in whole or part (fewer than {params.minimum}), not a pass: {', '.join(small)}."] if small else []),
        *([f"Decisions whose group the vault does not know are left out: {', '.join(unknown)}."] if unknown else []),
    ]


def _impact(attribute: Attribute, group: Group, params: FairnessParams) -> str:
    other = next((one for one in attribute.groups if one.group == attribute.reference), None)
    rates = f"{percent(group.approval_rate.value)} approved"
    rates += f", {percent(other.approval_rate.value)} of {attribute.reference}" if other else ""
    flagged = [one for one in attribute.months if one.group == group.group and one.impact_verdict is Verdict.ALERT]
    months = list(dict.fromkeys(one.month for one in attribute.months))
    when = f"; in alert in {spans([one.month for one in flagged], months)}" if flagged else ""
    limit = params.adverse_impact.alert if group.impact_verdict is Verdict.ALERT else params.adverse_impact.watch
    return (f"- **{attribute.attribute}: {group.group}**, {group.impact_verdict} below {limit:g}: adverse impact ratio "
            f"{number(group.adverse_impact, 3)}; {rates}{when}")


def _opportunity(attribute: Attribute, group: Group) -> str:
    return (f"- **{attribute.attribute}: {group.group}**, {group.opportunity_verdict}: of those who repaid, approvals differ by "
            f"{number(group.equal_opportunity)} from {attribute.reference}")
