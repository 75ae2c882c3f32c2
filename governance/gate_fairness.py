"""The fairness gate: approvals by protected group, as the release counted them, under a policy pack as it is in force on a day.

Responsible for reading the counts and for saying in words what blocks and what is only reported. Refuses to pass where the contract
declares no protected attribute or the release counted none: a pack that nothing was held against says nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from governance import packs
from governance.gate_evidence import Said, fails
from governance.limits import Verdict
from governance.packs import Counts, Finding, Pack
from governance.release import Release

FILE = "fairness.json"
MOST_NAMED = 6
TOLD = (Verdict.ALERT, Verdict.INSUFFICIENT)
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


def counts(release: Release) -> tuple[Counts, ...]:
    """Approvals of every declared group but the references; a group of which nobody applied counts none. Raises for what cannot be read."""
    rates = release.read(FILE, dict[str, dict[str, Rate]])
    return tuple(Counts(attribute.name, group, _cases(rates[attribute.name], group), attribute.reference,
                        _cases(rates[attribute.name], attribute.reference))
                 for attribute in release.read("contract.json", Contract).protected
                 for group in attribute.group_names if group != attribute.reference)


def found(release: Release, pack: Pack) -> Said:
    """What a pack says of a release, what blocks first."""
    counted = counts(release)
    if not counted:
        return fails("no evidence: the contract declares no protected attribute, so nothing tells how groups fare")
    findings = packs.judge(pack, counted)
    told = sorted((each for each in findings if each.verdict in TOLD), key=lambda each: (TOLD.index(each.verdict), each.ratio or 0))
    more = f"; and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    reported = "" if any(each.blocks for each in told) or not told else ": reported, does not block"
    return Said(not any(each.blocks for each in findings), "; ".join(map(_words, told[:MOST_NAMED])) + more + reported if told
                else f"least of {len(findings)}: {_words(min(findings, key=lambda each: each.ratio or 0))}")


def allowed(pack: Pack) -> str:
    """The limits of a pack in words."""
    return "; ".join(f"{measure.name.replace('_', ' ')} at least {measure.limits.alert:g} unless chance explains it, groups of "
                     f"{measure.minimum} or more{'' if measure.blocks else ', only reported'}" for measure in pack.version.measures)


def source(pack: Pack) -> str:
    """Whose pack, of which date, and its clauses."""
    since = f" from {pack.version.since}" if pack.version.since else ""
    until = f" until {pack.version.until}" if pack.version.until else ""
    clauses = " ".join(dict.fromkeys(measure.source for measure in pack.version.measures))
    return f"{pack.title} ({pack.jurisdiction}{since}{until}). {pack.version.says} {clauses}"


def _cases(rates: dict[str, Rate], group: str) -> tuple[int, int]:
    rate = rates.get(group, Rate(0, 0.0))
    approved = round(rate.count * rate.approval_rate)
    if abs(approved - rate.count * rate.approval_rate) > WHOLE:
        raise ValueError(f"{FILE}: {rate.approval_rate} of {rate.count} applications is no whole number of approvals")
    return approved, rate.count


def _words(of: Finding) -> str:
    ratio = "nothing to compare" if of.ratio is None else f"{of.ratio:.2f}"
    bounds = f" ({of.low:.2f} to {of.high:.2f})" if of.low is not None and of.high is not None else ""
    few = f", {of.smaller} applications in the smaller of both: insufficient" if of.verdict == Verdict.INSUFFICIENT else ""
    return f"{of.attribute} {of.group}: {ratio}{bounds} against {of.reference}{few}"
