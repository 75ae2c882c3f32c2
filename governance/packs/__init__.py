"""Policy packs: what a jurisdiction, or the house, wants of how protected groups fare, and from which day to which. One YAML file each.

Responsible for reading a pack strictly, for which version of it is in force on a day, and for what a version says of counts. Refuses an
unknown name, a day that no version covers, versions that overlap, and to pass a group that is too small. A pack says which figure blocks
a promotion and which is only reported; it is no legal advice, and where a limit is practice and not law its source says so.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from feature_repo.errors import ParamsError
from governance.limits import Floor, Verdict, unless_chance
from governance.ratios import Cases, ratio_interval

FOLDER = Path(__file__).parent
Words = Annotated[str, msgspec.Meta(min_length=1)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a pack: an unknown key is an error."""


class Measure(Strict, frozen=True):
    """A figure per group against its reference group, and its limits.

    adverse_impact_ratio: the share approved over the reference group's. blocks: whether a figure beyond the alert limit, or a group of
    fewer than `minimum` applications, holds a promotion up, or is only reported. source: clause, date and jurisdiction.
    """

    name: Literal["adverse_impact_ratio"]
    limits: Floor
    blocks: bool
    minimum: Annotated[int, msgspec.Meta(ge=1)]
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]
    source: Words


class Version(Strict, frozen=True):
    """A pack from one day (null: as long as anyone looks back) until, and without, another (null: for good); says: what holds, in words."""

    since: date | None = msgspec.field(name="from")
    until: date | None
    says: Words
    measures: Annotated[tuple[Measure, ...], msgspec.Meta(min_length=1)]

    def covers(self, on: date) -> bool:
        """Whether it is in force on a day."""
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)


class Dated(Strict, frozen=True):
    """All versions of one jurisdiction, oldest first: what is in a file, and what a release carries."""

    jurisdiction: Words
    title: Words
    versions: Annotated[tuple[Version, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Raise ValueError where two versions would hold on one day, or one on none."""
        for each in self.versions:
            if each.since and each.until and each.since >= each.until:
                raise ValueError(f"a version from {each.since} until {each.until} holds on no day")
        for before, after in pairwise(self.versions):
            if before.until is None or after.since is None or before.until > after.since:
                raise ValueError(f"the version from {after.since} begins before the one from {before.since} ends, {before.until}")


class Pack(msgspec.Struct, frozen=True):
    """The version of a pack that is in force on a day."""

    name: str
    jurisdiction: str
    title: str
    version: Version

    @property
    def blocks(self) -> bool:
        """Whether any figure of it can hold a promotion up."""
        return any(measure.blocks for measure in self.version.measures)


class Counts(Strict, frozen=True):
    """Approvals of one group and of its reference group, each (approved, applications)."""

    attribute: str
    group: str
    cases: Cases
    reference: str
    reference_cases: Cases

    def __post_init__(self) -> None:
        """Raise ValueError where more are approved than applied."""
        for approved, applications in (self.cases, self.reference_cases):
            if not 0 <= approved <= applications:
                raise ValueError(f"{approved} of {applications} applications approved")


class Finding(msgspec.Struct, frozen=True):
    """What a measure says of one group; ratio and bounds are null where the counts give none.

    smaller: applications of the group or its reference group, whichever has fewer; blocks: it holds a promotion up.
    """

    measure: str
    attribute: str
    group: str
    reference: str
    smaller: int
    ratio: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    blocks: bool


def names() -> list[str]:
    """The packs there are."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name: str) -> Dated:
    """A pack with all its versions. Raises ParamsError for an unknown name or a file that is not as it must be."""
    if name not in names():
        raise ParamsError(f"no policy pack {name!r}; there are {names()}. A new one is a file governance/packs/{name}.yaml")
    try:
        return msgspec.yaml.decode((FOLDER / f"{name}.yaml").read_bytes(), type=Dated)
    except msgspec.MsgspecError as error:
        raise ParamsError(f"governance/packs/{name}.yaml: {error}") from None


def load(name: str, on: date) -> Pack:
    """The pack as it is in force on a day. Raises ParamsError where there is none."""
    return in_force(name, read(name), on)


def in_force(name: str, pack: Dated, on: date) -> Pack:
    """The version that covers a day. Raises ParamsError where none does."""
    for version in pack.versions:
        if version.covers(on):
            return Pack(name, pack.jurisdiction, pack.title, version)
    raise ParamsError(f"policy pack {name} has no version for {on}; see governance/packs/{name}.yaml")


def judge(pack: Pack, groups: tuple[Counts, ...]) -> tuple[Finding, ...]:
    """What every measure of a pack says of every group, in their order."""
    return tuple(_judge(measure, counts) for measure in pack.version.measures for counts in groups)


def _judge(measure: Measure, of: Counts) -> Finding:
    """29 CFR 1607.4(D) excepts differences that rest on small numbers and are not statistically significant."""
    ratio, low, high = ratio_interval(of.cases, of.reference_cases, measure.confidence) if _divisible(of) else (None, None, None)
    verdict = unless_chance(measure.limits.verdict(ratio), explained=high is not None and high >= 1)
    smaller = min(of.cases[1], of.reference_cases[1])
    if smaller < measure.minimum:
        verdict = Verdict.INSUFFICIENT
    return Finding(measure.name, of.attribute, of.group, of.reference, smaller, ratio, low, high, verdict,
                   blocks=measure.blocks and verdict in {Verdict.ALERT, Verdict.INSUFFICIENT})


def _divisible(of: Counts) -> bool:
    return of.cases[1] > 0 and of.reference_cases[0] > 0
