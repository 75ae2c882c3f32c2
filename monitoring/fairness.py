"""How protected groups fared in a window: approvals, referrals, scores and matured outcomes by group, judged by the packs in force.

Counts per group are exact; the tests hold them against Fairlearn's. Refuses to pass a group that is too small, and to show it: its verdict
is "insufficient", and its figures are withheld (`monitoring.disclosure`). Gives figures and the names of practices, no legal conclusion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pandas as pd

from feature_repo.contract import Protected
from feature_repo.portfolio import Portfolio
from governance import packs
from governance.disparities import Looks
from governance.groups import NOBODY, Compared, Tally
from governance.limits import Verdict, worst
from governance.packs import Finding, Pack
from governance.release import Release
from monitoring import disclosure, group_counts, in_force, window
from monitoring.disclosure import UNKNOWN, coarse
from monitoring.group_counts import At, Grouped
from monitoring.group_figures import IMPACT, Group, Telling, describe
from monitoring.in_force import InForce
from monitoring.intervals import Estimate, ratio
from monitoring.params import FairnessParams
from serving.scoring.parts import Calibrator

Rates = dict[str, dict[str, float]]
YEAR = 12


class Development(msgspec.Struct, frozen=True):
    """What a release knows of groups: per attribute and group count and approval_rate of everyone who applied in development.

    shift: what a declared bad rate added to the log-odds of PDs, where rows were drawn by outcome.
    """

    rates: dict[str, dict[str, dict[str, float]]]
    shift: float = 0.0


@dataclass(frozen=True)
class Judges:
    """The packs in force on the day of the newest decision, and on the last day of each month (none without a time axis)."""

    newest: tuple[Pack, ...]
    months: Mapping[str, tuple[Pack, ...]]


class Month(msgspec.Struct, frozen=True):
    """Approvals of one group in one month, by the packs of its own last day; `size` is told coarsely, as sums over months are known.

    Of so many months, a year's at least, one may be flagged by chance, so each interval is as much surer (Bonferroni).
    """

    attribute: str
    group: str
    month: str
    size: str
    adverse_impact: Estimate | None
    verdict: Verdict | None


class Attribute(msgspec.Struct, frozen=True):
    """All groups of one protected attribute.

    unknown: decisions whose group the vault does not know, null where that would tell of a withheld group; development: adverse impact
    ratio per group in the development population.
    """

    attribute: str
    reference: str
    unknown: int | None
    development: dict[str, float]
    verdict: Verdict
    groups: tuple[Group, ...]
    months: tuple[Month, ...]


def development(release: Release) -> Development:
    """What the release carries of it."""
    return Development(release.read("fairness.json", dict[str, dict[str, dict[str, float]]]),
                       release.read("calibrator.json", Calibrator).shift)


def judges(frame: pd.DataFrame, portfolio: Portfolio, rules: InForce) -> Judges:
    """Who judges a window, and each month of it. Raises ParamsError where a pack has no version of the newest decision's day."""
    spans = window.slices(frame, portfolio) if portfolio.is_dated else ()
    return Judges(rules.on(in_force.newest(frame)), {month: rules.then(in_force.newest(frame.iloc[rows])) for month, rows in spans})


def assess(of: Grouped, known: Development, by: Judges, params: FairnessParams) -> tuple[Attribute, ...]:
    """Every protected attribute; empty where the contract declares none."""
    months = window.months(of.frame, of.portfolio)
    return tuple(_attribute(column, of.by(column.name, months), len(of.frame), (by, known.rates.get(column.name, {})), params)
                 for column in of.portfolio.protected)


def tallies(column: Protected, counted: Mapping[At, Tally]) -> dict[str, Tally]:
    """Per group in the contract's order, all months together; nobody at all where no decision's group is known.

    A group nobody is of is told as one of few is: that somebody is there would be told otherwise, and the gate counts it too.
    """
    total = group_counts.merge({(group,): tally} for (group, _), tally in counted.items())
    known = any((name,) in total for name in column.group_names)
    return {name: total.get((name,), NOBODY) for name in column.group_names} if known else {}


def _attribute(column: Protected, counted: Mapping[At, Tally], decisions: int, known: tuple[Judges, Rates],
               params: FairnessParams) -> Attribute:
    (by, rates), total = known, tallies(column, counted)
    unknown = decisions - group_counts.total(total.values()).decisions
    hidden = disclosure.withheld({**{name: of.decisions for name, of in total.items()}, UNKNOWN: unknown}, params.least)
    quiet = disclosure.withheld({name: of.matured for name, of in total.items()}, params.least)
    telling = Telling(hidden, quiet, severest(found for pack in by.newest for found in judged(pack, column, total)), params.confidence)
    groups = tuple(describe(column, name, own, total.get(column.reference, NOBODY), telling) for name, own in total.items())
    by_month = {month: {group: tally for (group, at), tally in counted.items() if at == month} for month in by.months}
    return Attribute(column.name, column.reference, None if UNKNOWN in hidden else unknown, _ratios(rates, column.reference, params.least),
                     _verdict(groups), groups,
                     tuple(_months(column, by_month, by.months, hidden, params)))


def _verdict(groups: Sequence[Group]) -> Verdict:
    """The most severe one; where no group could be compared with the reference group, calibration alone passes nothing."""
    given = worst(verdict for group in groups for verdict in group.verdicts)
    compared = worst(verdict for group in groups for verdict in group.compared)
    return Verdict.INSUFFICIENT if given is Verdict.OK and compared is Verdict.INSUFFICIENT else given


def judged(pack: Pack, column: Protected, total: Mapping[str, Tally]) -> tuple[Finding, ...]:
    """What a pack finds in a window that is looked at again and again as it grows."""
    return packs.judge(pack, group_counts.compared(column.name, total, column.group_names, column.reference), Looks.EVER)


def severest(findings: Iterable[Finding]) -> dict[tuple[str, str], Verdict]:
    """(measure, group) -> the most severe verdict of the packs that have the measure."""
    found: dict[tuple[str, str], Verdict] = {}
    for each in findings:
        at = each.measure, each.group
        found[at] = worst((found[at], each.verdict)) if at in found else each.verdict
    return found


def _ratios(rates: Rates, reference: str, least: int) -> dict[str, float]:
    """Of groups of whom enough applied."""
    other = rates.get(reference, {}).get("approval_rate", 0.0)
    return {group: rate["approval_rate"] / other for group, rate in rates.items()
            if other and group != reference and rate["count"] >= least}


def _months(column: Protected, by_month: Mapping[str, Mapping[str, Tally]], days: Mapping[str, tuple[Pack, ...]],
            hidden: Mapping[str, str], params: FairnessParams) -> Iterator[Month]:
    for month, tallies in by_month.items():
        pairs = group_counts.compared(column.name, tallies, column.group_names, column.reference)
        verdicts = severest(each for pack in days[month] for each in packs.judge(pack, pairs, Looks.ONCE, family=max(len(days), YEAR)))
        yield from (_month(each, month, verdicts.get((IMPACT, each.group)), params, shown=each.group not in hidden) for each in pairs)


def _month(of: Compared, month: str, verdict: Verdict | None, params: FairnessParams, *, shown: bool) -> Month:
    few = min(of.own.decisions, of.other.decisions) < params.least
    return Month(of.attribute, of.group, month, f"fewer than {params.least}" if few else disclosure.size(of.own.decisions),
                 coarse(ratio(of.own.approvals, of.other.approvals, params.confidence)) if shown and not few else None, verdict)
