"""What each policy pack comes to over a window: whether it would hold a promotion up, what it only reports, and by which clauses.

The same measures and limits as the fairness gate of a release, on decisions instead of development. Shows verdicts and no figures, so that
nothing of a withheld group is told. Refuses to pass where nothing could be judged; no legal conclusion is drawn.
"""

from __future__ import annotations

from datetime import date

import msgspec

from governance import packs
from governance.limits import Verdict
from governance.packs import FLAGGED, Finding, Pack, Ruling, Version
from monitoring import fairness
from monitoring.group_counts import Grouped


class Flag(msgspec.Struct, frozen=True):
    """A group that a measure flags: in alert, or too small to tell; blocks: it would hold a promotion up."""

    measure: str
    attribute: str
    group: str
    verdict: Verdict
    blocks: bool


class PackRuling(msgspec.Struct, frozen=True):
    """A pack in its version of a day (null: without a time axis, and it has but one); judged: how many figures of groups it judged."""

    pack: str
    jurisdiction: str
    title: str
    on: date | None
    version: Version
    ruling: Ruling
    judged: int
    flagged: tuple[Flag, ...]


def assess(of: Grouped, newest: tuple[Pack, ...], on: date | None) -> tuple[PackRuling, ...]:
    """What every pack says of all attributes together."""
    totals = [(column, fairness.tallies(column, of.by(column.name, "portfolio"))) for column in of.portfolio.protected]
    return tuple(_ruling(pack, on, [each for column, total in totals for each in fairness.judged(pack, column, total)])
                 for pack in newest)


def _ruling(pack: Pack, on: date | None, found: list[Finding]) -> PackRuling:
    flagged = tuple(Flag(each.measure, each.attribute, each.group, each.verdict, each.blocks) for each in found if each.verdict in FLAGGED)
    return PackRuling(pack.name, pack.jurisdiction, pack.title, on, pack.version, packs.ruling(pack, found), len(found), flagged)
