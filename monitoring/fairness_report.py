"""What a reader is told of protected groups: sentences, the worst first, and the page. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.limits import Limits, Verdict, spans
from monitoring import pages
from monitoring.fairness import READING, Attribute, Group
from monitoring.pages import NOTHING, number, percent
from monitoring.params import FairnessParams
from monitoring.reports import Block, Page

APPROVAL = ("group", "decisions", "approval rate", "adverse impact ratio", "in development", "verdict")
OUTCOMES = ("group", "good payers", "equal opportunity difference", "verdict", "matured", "mean PD", "bad rate")


def findings(attributes: Sequence[Attribute], params: FairnessParams) -> list[str]:
    """Which groups are approved less often, by how much, and which are too small to tell."""
    if not attributes:
        return ["This portfolio declares no protected attribute."]
    if not any(attribute.groups for attribute in attributes):
        none = "No decision of this window has protected attributes in the vault: nothing was compared, which is not a pass."
        return [f"**Fairness: {Verdict.INSUFFICIENT}.** {none}"]
    groups = [(attribute, group) for attribute in attributes for group in attribute.groups]
    said = [_impact(attribute, group, params) for attribute, group in groups if group.impact_verdict is Verdict.ALERT]
    said += [_impact(attribute, group, params) for attribute, group in groups if group.impact_verdict is Verdict.WATCH]
    said += [_opportunity(attribute, group) for attribute, group in groups if group.opportunity_verdict in {Verdict.ALERT, Verdict.WATCH}]
    return [_headline(groups) + (":" if said else "."), *said, *_left_out(attributes, groups, params)]


def _headline(groups: Sequence[tuple[Attribute, Group]]) -> str:
    compared = [group.verdicts for _, group in groups if group.verdicts]
    judged = [verdicts for verdicts in compared if set(verdicts) != {Verdict.INSUFFICIENT}]
    if not judged:
        return f"**Fairness: {Verdict.INSUFFICIENT}.** None of {len(compared)} groups could be judged, which is not a pass"
    untold = f"; {len(compared) - len(judged)} more could not be judged" if len(judged) < len(compared) else ""
    return f"**{sum(Verdict.ALERT in verdicts for verdicts in judged)} of {len(judged)} groups in alert**{untold}"


def _left_out(attributes: Sequence[Attribute], groups: Sequence[tuple[Attribute, Group]], params: FairnessParams) -> list[str]:
    small = [f"{attribute.attribute}: {group.group} ({group.decisions:,})" for attribute, group in groups
             if Verdict.INSUFFICIENT in group.verdicts]
    unknown = [f"{attribute.attribute} ({attribute.unknown:,})" for attribute in attributes if attribute.unknown]
    return [
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


def page(title: str, sentences: Sequence[str], found: Sequence[Attribute], limits: Limits) -> Page:
    """The fairness report."""
    verdicts = (verdict for attribute in found for group in attribute.groups for verdict in group.verdicts)
    blocks = [pages.text(f"{title}: what was found", sentences), pages.counters("Verdicts on groups, whole window", verdicts)]
    for attribute in found:
        blocks += [*_tables(attribute), *_charts(attribute, limits)]
    blocks.append(pages.text("How to read this", [READING]))
    figures = [{"column": f"{group.attribute}: {group.group}", "measure": measure, "value": estimate.value}
               for attribute in found for group in attribute.groups
               for measure, estimate in (("approval rate", group.approval_rate), ("adverse impact ratio", group.adverse_impact),
                                         ("equal opportunity difference", group.equal_opportunity)) if estimate]
    return Page(title, tuple(blocks), pages.table(figures, pages.FIGURE))


def _tables(attribute: Attribute) -> list[Block]:
    """Two, because one of all figures is wider than a screen."""
    approvals = (_approval(group, attribute.development.get(group.group)) for group in attribute.groups)
    return [Block(f"{attribute.attribute}: approvals", "table", pages.table(approvals, APPROVAL)),
            Block(f"{attribute.attribute}: matured outcomes", "table", pages.table(map(_outcomes, attribute.groups), OUTCOMES))]


def _charts(attribute: Attribute, limits: Limits) -> list[Block]:
    name, dotted = attribute.attribute, f"dotted: {limits.alert:g}"
    charts = [
        (f"{name}: approval rate by group", "estimates",
         [pages.point(group.group, "approval rate", group.approval_rate) for group in attribute.groups]),
        (f"{name}: adverse impact ratio against {attribute.reference}; {dotted}", "estimates",
         [pages.point(group.group, "ratio", group.adverse_impact, limits.alert) for group in attribute.groups if group.adverse_impact]),
        (f"{name}: adverse impact ratio by month; {dotted}", "over_time",
         [pages.point(one.month, one.group, one.adverse_impact, limits.alert) for one in attribute.months if one.adverse_impact]),
        (f"{name}: calibration by group, matured outcomes", "estimates",
         pages.beside((group.group, group.observed, group.mean_pd) for group in attribute.groups)),
    ]
    return [Block(title, kind, pages.table(rows, pages.POINT), half=True) for title, kind, rows in charts if rows]


def _approval(group: Group, development: float | None) -> dict[str, Any]:
    figures = (group.group, group.decisions, number(group.approval_rate), number(group.adverse_impact, 3),
               NOTHING if development is None else f"{development:.2f}", group.impact_verdict or "reference")
    return dict(zip(APPROVAL, figures, strict=True))


def _outcomes(group: Group) -> dict[str, Any]:
    figures = (group.group, group.good, number(group.equal_opportunity), group.opportunity_verdict or "reference", group.matured,
               percent(group.mean_pd), number(group.observed, 3))
    return dict(zip(OUTCOMES, figures, strict=True))
