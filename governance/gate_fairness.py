"""The fairness gate: approvals by protected group, as the release counted them, under a policy pack as it is in force on a day.

Responsible for reading the counts and for saying in words what blocks and what is only reported. Refuses to pass where the contract
declares no protected attribute or the release counted none: a pack that nothing was held against says nothing. A release counts approvals
and no more; a measure of scores or outcomes that only reports is left to what watches decisions, and one that blocks has no evidence here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from governance import packs
from governance.gate_evidence import Said, fails
from governance.groups import NOBODY, Compared, Tally
from governance.limits import Verdict
from governance.packs import FLAGGED, Finding, Pack
from governance.release import Release

FILE = "fairness.json"
MOST_NAMED = 6
COUNTED = "adverse_impact_ratio"
WHOLE = 1e-6


class Rate(msgspec.Struct, frozen=True):
    """A group in fairness.json: of everyone who applied in development, rejected applicants included."""

    count: int
    approval_rate: float


class Attribute(msgspec.Struct, frozen=True):
    """A protected attribute in contract.json."""

    name: str
    reference: str
    groups: dict[str, str]
    edges: tuple[tuple[Any, str], ...]

    @property
    def group_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.groups.values(), *(group for _, group in self.edges)]))


class Contract(msgspec.Struct, frozen=True):
    """contract.json, as far as groups are concerned."""

    protected: tuple[Attribute, ...]


def counts(release: Release) -> tuple[Compared, ...]:
    """Approvals of every declared group but the references; a group of which nobody applied counts none. Raises for what cannot be read."""
    rates = release.read(FILE, dict[str, dict[str, Rate]])
    return tuple(Compared(attribute.name, group, _tally(rates[attribute.name], group), attribute.reference,
                          _tally(rates[attribute.name], attribute.reference))
                 for attribute in release.read("contract.json", Contract).protected
                 for group in attribute.group_names if group != attribute.reference)


def found(release: Release, pack: Pack) -> Said:
    """What a pack says of a release, what blocks first."""
    counted = counts(release)
    if not counted:
        return fails("no evidence: the contract declares no protected attribute, so nothing tells how groups fare")
    findings = [each for each in packs.judge(pack, counted) if each.measure in _held(pack)]
    told = sorted((each for each in findings if each.verdict in FLAGGED), key=lambda each: (FLAGGED.index(each.verdict), _value(each)))
    more = f"; and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    reported = "" if any(each.blocks for each in told) or not told else ": reported, does not block"
    least = f"least of {len(findings)}: {_words(min(findings, key=_value))}" if findings else "nothing of it is counted in a release"
    return Said(not any(each.blocks for each in findings), "; ".join(map(_words, told[:MOST_NAMED])) + more + reported if told else least)


def allowed(pack: Pack) -> str:
    """The limits of a pack in words."""
    later = [measure.words for measure in pack.version.measures if measure.name not in _held(pack)]
    return "; ".join([*(f"{measure.words} {measure.alert} unless chance explains it, groups of {measure.minimum} or more"
                        f"{'' if measure.blocks else ', only reported'}"
                        for measure in pack.version.measures if measure.name in _held(pack)),
                      *([f"reported on decisions: {', '.join(later)}"] if later else [])])


def source(pack: Pack) -> str:
    """Whose pack, of which date, and its clauses."""
    since = f" from {pack.version.since}" if pack.version.since else ""
    until = f" until {pack.version.until}" if pack.version.until else ""
    clauses = " ".join(dict.fromkeys(measure.source for measure in pack.version.measures if measure.name in _held(pack)))
    return f"{pack.title} ({pack.jurisdiction}{since}{until}). {pack.version.says} {clauses}"


def _held(pack: Pack) -> set[str]:
    """The measures a release is held to: what it counts, and what blocks."""
    return {measure.name for measure in pack.version.measures if measure.blocks or measure.name == COUNTED}


def _tally(rates: dict[str, Rate], group: str) -> Tally:
    rate = rates.get(group)
    if rate is None:
        return NOBODY
    approved = round(rate.count * rate.approval_rate)
    if abs(approved - rate.count * rate.approval_rate) > WHOLE:
        raise ValueError(f"{FILE}: {rate.approval_rate} of {rate.count} applications is no whole number of approvals")
    return Tally(decisions=rate.count, approved=approved)


def _value(of: Finding) -> float:
    return of.figure.value if of.figure else 0


def _words(of: Finding) -> str:
    figure = of.figure
    ratio = "nothing to compare" if figure is None else f"{figure.value:.2f}"
    bounds = f" ({figure.low:.2f} to {figure.high:.2f})" if figure and figure.low is not None and figure.high is not None else ""
    few = f", {of.smaller} applications in the smaller of both: insufficient" if of.verdict == Verdict.INSUFFICIENT else ""
    measure = "" if of.measure == COUNTED else f"{of.measure.replace('_', ' ')} "
    return f"{measure}{of.attribute} {of.group}: {ratio}{bounds} against {of.reference}{few}"
