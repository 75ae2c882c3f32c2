"""The page of protected groups: tables and charts of what was found. Measures nothing, and shows nothing that is withheld."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.limits import Verdict
from governance.packs import Pack
from monitoring import in_force, pages
from monitoring.blocks import Block, Page
from monitoring.cut_offs import AtCutOff, InBand
from monitoring.disclosure import WITHHELD
from monitoring.fairness import Attribute
from monitoring.fairness_found import Found
from monitoring.fairness_report import READING
from monitoring.group_figures import IMPACT, Group
from monitoring.group_reasons import GroupReason
from monitoring.intervals import Estimate
from monitoring.pages import NOTHING, number, percent
from monitoring.rulings import PackRuling

APPROVAL = ("group", "decisions", "approval rate", "adverse impact ratio", "exact p", "in development", "verdict")
SCORING = ("group", "referral rate", "score difference", "verdict")
OUTCOMES = ("group", "good payers", "equal opportunity difference", "exact p", "verdict", "matured", "mean PD", "bad rate", "calibration")
PACKS = ("pack", "in force", "measure", "alert limit", "smallest group", "holds up")
MEETING = ("groups", "decisions", "adverse impact ratio", "verdict")
BANDS = ("group", "band", "decisions", "approval rate", "adverse impact ratio")
REASONS = ("group", "reason named in declines", "share of declines", "of the reference group", "p, Holm")
TINY = 0.0001


def page(title: str, sentences: Sequence[str], found: Found, judges: Sequence[Pack]) -> Page:
    """The fairness report."""
    verdicts = (verdict for attribute in found.attributes for group in attribute.groups for verdict in group.verdicts)
    limits = in_force.limits(judges, IMPACT)
    blocks = [pages.text(f"{title}: what was found", sentences), pages.counters("Verdicts on groups, whole window", verdicts)]
    for attribute in found.attributes:
        blocks += [*_tables(attribute), *_charts(attribute, found.cut_offs, limits.alert if limits else None), *_beside(attribute, found)]
    blocks += [Block(f"Where {' and '.join(pair.attributes)} meet, against {' and '.join(pair.reference)}", "table",
                     pages.table(map(_meeting, pair.cells), MEETING)) for pair in found.intersections if pair.cells]
    blocks += [Block("Policy packs", "table", pages.table((row for one in found.rulings for row in _pack(one)), PACKS)),
               pages.text("Where limits come from", [line for one in found.rulings for line in _sources(one)]),
               pages.text("How to read this", [READING])]
    return Page(title, tuple(blocks), pages.table(_figures(found.attributes), pages.FIGURE))


def _figures(attributes: Sequence[Attribute]) -> list[dict[str, Any]]:
    return [{"column": f"{group.attribute}: {group.group}", "measure": measure, "value": estimate.value}
            for attribute in attributes for group in attribute.groups
            for measure, estimate in (("approval rate", group.approval_rate), ("adverse impact ratio", group.adverse_impact),
                                      ("equal opportunity difference", group.equal_opportunity)) if estimate]


def _tables(attribute: Attribute) -> list[Block]:
    """Three, because one of all figures is wider than a screen."""
    approvals = (_approval(group, attribute.development.get(group.group)) for group in attribute.groups)
    return [Block(f"{attribute.attribute}: approvals", "table", pages.table(approvals, APPROVAL)),
            Block(f"{attribute.attribute}: referrals and scores", "table", pages.table(map(_scoring, attribute.groups), SCORING)),
            Block(f"{attribute.attribute}: matured outcomes", "table", pages.table(map(_outcomes, attribute.groups), OUTCOMES))]


def _charts(attribute: Attribute, cut_offs: Sequence[AtCutOff], alert: float | None) -> list[Block]:
    name, dotted = attribute.attribute, f"; dotted: {alert:g}" if alert else ""
    charts = [
        (f"{name}: approval rate by group", "estimates",
         [pages.point(group.group, "approval rate", group.approval_rate) for group in attribute.groups if group.approval_rate]),
        (f"{name}: adverse impact ratio against {attribute.reference}{dotted}", "estimates",
         [pages.point(group.group, "ratio", group.adverse_impact, alert) for group in attribute.groups if group.adverse_impact]),
        (f"{name}: adverse impact ratio by month{dotted}", "over_time",
         [pages.point(one.month, one.group, one.adverse_impact, alert) for one in attribute.months if one.adverse_impact]),
        (f"{name}: the ratio if the cut-off moved, by the share then approved{dotted}", "over_time",
         [pages.point(_share(one), one.group, Estimate(one.adverse_impact.value, None, None), alert) for one in cut_offs
          if one.attribute == name and one.adverse_impact]),
        (f"{name}: calibration by group, matured outcomes", "estimates",
         pages.beside((group.group, group.observed, group.mean_pd) for group in attribute.groups)),
    ]
    return [Block(title, kind, pages.table(rows, pages.POINT), half=True) for title, kind, rows in charts if rows]


def _share(at: AtCutOff) -> str:
    return f"{at.approved:.1%}" + (f" ({at.name})" if at.name else "")


def _beside(attribute: Attribute, found: Found) -> list[Block]:
    """By band, and the reasons that differ; tables of every reason would hide them, and are in the JSON beside."""
    bands = [one for one in found.bands if one.attribute == attribute.attribute and one.band in _approving(found.bands)]
    apart = [one for one in found.reasons if one.attribute == attribute.attribute and one.differs]
    return [
        *([Block(f"{attribute.attribute}: by score band", "table", pages.table(map(_band, bands), BANDS))] if bands else []),
        *([Block(f"{attribute.attribute}: reasons that differ from those of {attribute.reference}", "table",
                 pages.table(map(_reason, apart), REASONS))] if apart else []),
    ]


def _approving(bands: Sequence[InBand]) -> set[str]:
    """The bands of which anybody is approved: of the others there is nothing to compare."""
    return {one.band for one in bands if one.approval_rate is None or one.approval_rate.value}


def _approval(group: Group, development: float | None) -> dict[str, Any]:
    figures = (group.group, _count(group.decisions), number(group.approval_rate), number(group.adverse_impact, 3), _p(group.impact_p),
               NOTHING if development is None else f"{development:.2f}", _verdict(group, group.impact_verdict))
    return dict(zip(APPROVAL, figures, strict=True))


def _scoring(group: Group) -> dict[str, Any]:
    figures = (group.group, WITHHELD if group.withheld else number(group.referral_rate), number(group.score_difference),
               _verdict(group, group.score_verdict))
    return dict(zip(SCORING, figures, strict=True))


def _outcomes(group: Group) -> dict[str, Any]:
    figures = (group.group, _count(group.good), number(group.equal_opportunity), _p(group.opportunity_p),
               _verdict(group, group.opportunity_verdict), _count(group.matured), percent(group.mean_pd), number(group.observed, 3),
               _verdict(group, group.calibration_verdict))
    return dict(zip(OUTCOMES, figures, strict=True))


def _verdict(group: Group, verdict: Verdict | None) -> str:
    """A group without any verdict is the reference; one without this verdict is held to no such measure."""
    return verdict.value if verdict else NOTHING if group.verdicts else "reference"


def _count(of: int | None) -> Any:
    return WITHHELD if of is None else of


def _p(value: float | None) -> str:
    return NOTHING if value is None else f"below {TINY:.4f}" if value < TINY else f"{value:.4f}"


def _band(one: InBand) -> dict[str, Any]:
    return dict(zip(BANDS, (one.group, one.band, one.size, number(one.approval_rate), number(one.adverse_impact)), strict=True))


def _reason(one: GroupReason) -> dict[str, Any]:
    return dict(zip(REASONS, (one.group, one.text, f"{one.share:.0%}", f"{one.reference_share:.0%}", _p(one.p)), strict=True))


def _meeting(cell: Any) -> dict[str, Any]:
    return dict(zip(MEETING, (" and ".join(cell.groups), cell.size, number(cell.adverse_impact), cell.verdict or NOTHING), strict=True))


def _pack(of: PackRuling) -> list[dict[str, Any]]:
    span = f"{of.version.since or 'always'} until {of.version.until or 'further notice'}"
    return [dict(zip(PACKS, (of.pack, span, measure.words, measure.alert, measure.minimum, "yes" if measure.blocks else "reported"),
                     strict=True)) for measure in of.version.measures]


def _sources(of: PackRuling) -> list[str]:
    return [f"**{of.pack}** ({of.title}, {of.jurisdiction})", *(f"- {measure.words}: {measure.source}" for measure in of.version.measures)]
