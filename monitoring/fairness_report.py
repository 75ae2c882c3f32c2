"""What a reader is told of protected groups in sentences, the worst first. Measures nothing, and tells no figure of a withheld group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.limits import Verdict, spans
from governance.packs import Pack, Ruling
from monitoring import in_force
from monitoring.disclosure import WITHHELD
from monitoring.fairness import Attribute
from monitoring.group_figures import IMPACT, Group
from monitoring.group_reasons import GroupReason
from monitoring.intersections import Cell, Intersection
from monitoring.pages import number, percent
from monitoring.rulings import Flag, PackRuling

FLAGGED = (Verdict.ALERT, Verdict.WATCH)
COMES_TO = {Ruling.PASSES: "passes: nothing it judges is flagged", Ruling.REPORTS: "reports, and holds nothing up",
            Ruling.BLOCKS: "would hold a promotion up"}
MOST_NAMED = 6

READING = """\
**Packs**: limits, smallest groups and confidences come from the policy packs params.yaml names, in their versions of the newest decision's
day. A pack says of every measure whether it holds a promotion up or is only reported, and whether a limit is law or practice.

**Adverse impact ratio**: a group's share of straight approvals over the reference group's, with the interval of Katz et al. (1978) and
Fisher's exact test. Referrals and declines both count as not approved.

**Equal opportunity difference**: the same shares among those who repaid, subtracted, with Newcombe's (1998) interval. Outcomes are
known only of those who were given credit, so it says nothing of the others.

**Score difference**: mean scores subtracted, in pooled standard deviations (Cohen 1988). **Calibration by group**: mean PD beside the bad
rate of matured outcomes, with its Jeffreys interval; judged is by what share bad outcomes fall short of the PDs.

**Chance**: the size of a figure decides its verdict; where chance alone explains it, the verdict is one step milder. A window that grows is
looked at again and again, so chance is judged by an interval that holds at every look together (Robbins 1970; Waudby-Smith et al. 2024);
months, and groups that two attributes make, are as much surer as there are many of them (Bonferroni). Intervals shown are for one look.

**Withheld**: no figure of a group of few is shown, nor of another that would tell of it by subtraction; where anything is withheld, the
rest is rounded. A group below the minimum sample is *insufficient*, which is not a pass.

The four-fifths rule is 29 CFR 1607.4(D), of the US guidelines on employee selection; lenders use it as a practice, so 0.80 is a flag
for review. Federal disparate-impact liability under Regulation B (12 CFR 1002) ended on 21 July 2026, and state law differs; no legal
conclusion is drawn here."""


def findings(attributes: Sequence[Attribute], judges: Sequence[Pack]) -> list[str]:
    """Which groups are approved less often, by how much, and which are too small to tell."""
    if not attributes:
        return ["This portfolio declares no protected attribute."]
    if not any(attribute.groups for attribute in attributes):
        none = "No decision of this window has protected attributes in the vault: nothing was compared, which is not a pass."
        return [f"**Fairness: {Verdict.INSUFFICIENT}.** {none}"]
    groups = [(attribute, group) for attribute in attributes for group in attribute.groups]
    said = [sentence for word in FLAGGED for attribute, group in groups for sentence in _flagged(attribute, group, word, judges)]
    return [_headline(groups) + (":" if said else "."), *said, *_left_out(attributes, groups)]


def _headline(groups: Sequence[tuple[Attribute, Group]]) -> str:
    compared = [group.verdicts for _, group in groups if group.verdicts]
    judged = [verdicts for verdicts in compared if set(verdicts) != {Verdict.INSUFFICIENT}]
    if not judged:
        return f"**Fairness: {Verdict.INSUFFICIENT}.** None of {len(compared)} groups could be judged, which is not a pass"
    untold = f"; {len(compared) - len(judged)} more could not be judged" if len(judged) < len(compared) else ""
    return f"**{sum(Verdict.ALERT in verdicts for verdicts in judged)} of {len(judged)} groups in alert**{untold}"


def _flagged(attribute: Attribute, group: Group, word: Verdict, judges: Sequence[Pack]) -> Iterator[str]:
    """What a measure says of a group in this word; figures are dashes where the group is withheld."""
    name = f"- **{attribute.attribute}: {group.group}**, {word}"
    if group.impact_verdict is word:
        limits = in_force.limits(judges, IMPACT)
        limit = f" below {limits.alert if word is Verdict.ALERT else limits.watch:g}" if limits else ""
        ratio = number(group.adverse_impact, 3) if group.adverse_impact else WITHHELD
        yield f"{name}{limit}: adverse impact ratio {ratio}{_rates(attribute, group)}{_months(attribute, group)}"
    if group.opportunity_verdict is word:
        gap = number(group.equal_opportunity) if group.equal_opportunity else f"a figure that is {WITHHELD}"
        yield f"{name}: of those who repaid, approvals differ by {gap} from {attribute.reference}"
    if group.score_verdict is word:
        gap = f"{number(group.score_difference)} standard deviations" if group.score_difference else f"a figure that is {WITHHELD}"
        yield f"{name}: mean scores differ by {gap} from {attribute.reference}"
    if group.calibration_verdict is word:
        told = f"{number(group.observed, 3)} against a mean PD of {percent(group.mean_pd)}" if group.observed else WITHHELD
        yield f"{name}: fewer went bad than the PDs foresee, {told}"


def _rates(attribute: Attribute, group: Group) -> str:
    other = next((one for one in attribute.groups if one.group == attribute.reference), None)
    own = f"; {percent(group.approval_rate.value)} approved" if group.approval_rate else ""
    theirs = f", {percent(other.approval_rate.value)} of {attribute.reference}" if own and other and other.approval_rate else ""
    return own + theirs


def _months(attribute: Attribute, group: Group) -> str:
    flagged = [one.month for one in attribute.months if one.group == group.group and one.verdict is Verdict.ALERT]
    months = list(dict.fromkeys(one.month for one in attribute.months))
    return f"; in alert in {spans(flagged, months)}" if flagged else ""


def _left_out(attributes: Sequence[Attribute], groups: Sequence[tuple[Attribute, Group]]) -> list[str]:
    small = [f"{attribute.attribute}: {group.group}" for attribute, group in groups if Verdict.INSUFFICIENT in group.verdicts]
    hidden = [f"{attribute.attribute}: {group.group} ({group.withheld})" for attribute, group in groups if group.withheld]
    unknown = [f"{attribute.attribute} ({attribute.unknown:,})" for attribute in attributes if attribute.unknown]
    untold = [attribute.attribute for attribute in attributes if attribute.unknown is None]
    return [
        *([f"Too few to tell in whole or part, not a pass: {', '.join(small)}."] if small else []),
        *([f"Withheld: {', '.join(hidden)}."] if hidden else []),
        *([f"Decisions whose group the vault does not know are left out: {', '.join(unknown)}."] if unknown else []),
        *([f"Decisions whose group the vault does not know are left out, and withheld: {', '.join(untold)}."] if untold else []),
    ]


def ruled(found: Sequence[PackRuling]) -> list[str]:
    """What every pack comes to."""
    return [f"Policy pack **{one.pack}** ({one.jurisdiction}){f', as of {one.on}' if one.on else ''}: "
            f"{COMES_TO[one.ruling]}{_because(one)}. {one.version.says}" for one in found]


def _because(of: PackRuling) -> str:
    if not of.judged:
        return ", for nothing could be judged"
    held = [flag for flag in of.flagged if flag.blocks or of.ruling is not Ruling.BLOCKS]
    told = sorted(held, key=lambda flag: flag.verdict is not Verdict.ALERT)
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return f" ({', '.join(_flag(flag) for flag in told[:MOST_NAMED])}{more})" if told else ""


def _flag(flag: Flag) -> str:
    return f"{flag.attribute} {flag.group}: {flag.measure.replace('_', ' ')} {flag.verdict}"


def beyond(pairs: Sequence[Intersection], reasons: Sequence[GroupReason]) -> list[str]:
    """Which intersections are in alert, and which groups are told a reason more or less often than chance explains."""
    cells = [(pair, cell) for pair in pairs for cell in pair.cells]
    alert = [_meeting(pair, cell) for pair, cell in cells if cell.verdict is Verdict.ALERT]
    small = sum(cell.verdict is Verdict.INSUFFICIENT for _, cell in cells)
    met = f"Where two attributes meet, {len(alert)} of {len(cells)} groups are in alert, and {small} are too small to tell"
    told = (f"Of {len(reasons)} comparisons of how often declines name a reason, {sum(one.differs for one in reasons)} differ from the "
            "reference group beyond chance.")
    return [*([met + (":" if alert else "."), *alert] if cells else []), *([told] if reasons else [])]


def _meeting(pair: Intersection, cell: Cell) -> str:
    ratio = number(cell.adverse_impact) if cell.adverse_impact else WITHHELD
    return f"- **{' and '.join(cell.groups)}**, alert: adverse impact ratio {ratio} against {' and '.join(pair.reference)}"
