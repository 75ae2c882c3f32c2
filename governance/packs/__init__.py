"""Policy packs: what a jurisdiction, or the house, wants of how protected groups fare, and from which day to which. One YAML file each.

Responsible for reading a pack strictly, for which version of it is in force on a day, and for what a version says of counts. Refuses an
unknown name, a day that no version covers, versions that overlap, and to pass a group that is too small. A pack says which figure blocks
a promotion and which is only reported; it is no legal advice, and where a limit is practice and not law its source says so. The measures
themselves are `governance.disparities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec

from feature_repo.errors import ParamsError
from governance.disparities import AnyMeasure, Figure, Looks, Words
from governance.groups import Compared
from governance.limits import Verdict

FOLDER = Path(__file__).parent
FLAGGED = (Verdict.ALERT, Verdict.INSUFFICIENT)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a pack: an unknown key is an error."""


class Version(Strict, frozen=True):
    """A pack from one day (null: as long as anyone looks back) until, and without, another (null: for good); says: what holds, in words."""

    since: date | None = msgspec.field(name="from")
    until: date | None
    says: Words
    measures: Annotated[tuple[AnyMeasure, ...], msgspec.Meta(min_length=1)]

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


class Finding(msgspec.Struct, frozen=True):
    """What a measure says of one group; the figure is null where the counts give none.

    smaller: on how many it rests, of the group or its reference group, whichever has fewer; blocks: it holds a promotion up.
    """

    measure: str
    attribute: str
    group: str
    reference: str
    smaller: int
    figure: Figure | None
    verdict: Verdict
    blocks: bool


class Ruling(StrEnum):
    """What a pack comes to: nothing flagged, something flagged that it only reports, something that holds a promotion up."""

    PASSES = "passes"
    REPORTS = "reports"
    BLOCKS = "blocks"


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


def judge(pack: Pack, groups: Sequence[Compared], looks: Looks = Looks.ONCE, family: int = 1) -> tuple[Finding, ...]:
    """What every measure of a pack says of every group, in their order.

    family: among how many comparisons chance may strike, where many are made at once; each interval is then as much surer (Bonferroni).
    """
    return tuple(_judge(measure, each, looks, family) for measure in pack.version.measures for each in groups)


def ruling(pack: Pack, findings: Sequence[Finding]) -> Ruling:
    """What findings under a pack come to; none at all is no pass."""
    if any(each.blocks for each in findings) or (pack.blocks and not findings):
        return Ruling.BLOCKS
    return Ruling.REPORTS if not findings or any(each.verdict in FLAGGED for each in findings) else Ruling.PASSES


def _judge(measure: AnyMeasure, of: Compared, looks: Looks, family: int) -> Finding:
    level = 1 - (1 - measure.confidence) / family
    figure = measure.figure(of.own, of.other, level)
    smaller = measure.smaller(of.own, of.other)
    verdict = measure.judge(figure, looks, level) if figure and smaller >= measure.minimum else Verdict.INSUFFICIENT
    return Finding(measure.name, of.attribute, of.group, of.reference, smaller, figure, verdict,
                   blocks=measure.blocks and verdict in FLAGGED)
