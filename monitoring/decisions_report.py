"""The report on a window's decisions themselves: how many, how mature their outcomes are, by segment, and what people overrode.

Responsible for what belongs to no other report: what the window could not take up, and that a window without a decision says so. Gives no
verdict on a model; "insufficient" where there was nothing to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from feature_repo.contract import BAD
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.limits import Verdict
from governance.release import dump, verify
from monitoring import maturity, overrides, pages, reports, segments, window
from monitoring.blocks import Block, Page
from monitoring.exporting import left_of
from monitoring.maturity import Maturity
from monitoring.overrides import CODE, OVERRIDE, Overrides
from monitoring.pages import NOTHING, number, percent
from monitoring.params import OverrideParams, SegmentParams
from monitoring.segments import Segment

COLUMNS = ("pd", "band", "outcome", BAD, OVERRIDE, CODE)
SEGMENTS = ("segment", "value", "decisions", "approved", "mean PD", "matured", "bad", "bad rate", "note")
APPROVED = ("approved", "decisions", "matured", "bad", "bad rate", "against the service's")
GROUPS = ("group", "decisions", "approved though declined", "declined though approved", "note")
AGES = ("months on book", "decisions", "matured")

READING = """\
**Overrides**: low-side ones approve what the service declined, high-side ones decline what it approved. What it referred is for a person to
decide and is no override. Outcomes of people who were declined after all are never seen, so nothing is said of them.

**Outcomes** count at the age the contract names. A share or rate below the minimum sample is not given, which is not a pass."""


class Found(msgspec.Struct, frozen=True):
    """Everything that is told of a window's decisions."""

    maturity: Maturity
    segments: tuple[Segment, ...]
    overrides: Overrides


def main(portfolio: str, decisions: Path, release: Path, vault: Path, figures: Path, report: Path) -> None:  # noqa: PLR0913, PLR0917
    """Assess a window that has columns for overrides, and write the report."""
    contract, verified = load(portfolio), verify(release)
    frame = window.read(decisions, contract, verified, columns=(*COLUMNS, *contract.segments))
    counted = frame.assign(bad=frame[BAD].where(window.matured(frame, contract)))
    grouped = window.with_vault(counted, vault, contract)
    found = Found(maturity.assess(frame, contract), segments.assess(counted, contract, read("segments", SegmentParams)),
                  overrides.assess(grouped, read("overrides", OverrideParams), {one.name: one.group_names for one in contract.protected}))
    left = left_of(decisions).said
    said = [*findings(found.overrides), *pages.of_window(frame, contract, verified),
            *([f"**Not counted, in this window or any report on it**: {left}."] if left else [])]
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({"portfolio": portfolio, "release_id": verified.id, "verdict": Verdict.OK, "decisions": len(frame),
                              "found": said, "maturity": found.maturity, "segments": found.segments, "overrides": found.overrides}))
    reports.write(page(f"{portfolio}: decisions", said, found), report)


def findings(found: Overrides) -> list[str]:
    """What people did with the service's decisions, in sentences."""
    rate, low, high, referred = (f"{one.hits:,} of {one.of:,}" + (f", {percent(one.share.value)}" if one.share else "")
                                 for one in (found.rate, found.low_side, found.high_side, found.referred))
    if not (found.rate.hits or found.referred.hits):
        return [f"**No decision was overridden.** {found.rate.of:,} were made by the service, {found.referred.of:,} referred to people."]
    said = [f"**Overridden: {rate}** decisions of the service.",
            f"Approved though declined: {low} declines. Declined though approved: {high} approvals. Referred and decided: {referred}."]
    said += [f"Of those {one.way}, {percent(one.bad_rate.value)} went bad ({one.bad:,} of {one.matured:,}): {number(one.against_service)} "
             "against what the service approved." for one in found.approved if one.bad_rate and one.against_service]
    return [*said, "Reasons: " + ", ".join(f"{code} {count:,}" for code, count in found.codes.items()) + "."]


def empty(portfolio: str, why: Sequence[str], figures: Path, report: Path) -> None:
    """A report that says why there is nothing to judge, which is not a pass."""
    said = list(why)
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({"portfolio": portfolio, "verdict": Verdict.INSUFFICIENT, "decisions": 0, "found": said}))
    title = f"{portfolio}: {figures.stem}"
    reports.write(Page(title, (pages.text(f"{title}: what was found", said),), pages.table((), pages.FIGURE)), report)


def page(title: str, sentences: Sequence[str], found: Found) -> Page:
    """The report."""
    ages = ({"months on book": age.months_on_book, "decisions": age.decisions, "matured": age.matured} for age in found.maturity.ages)
    tables = [("Outcomes by months on book", pages.table(ages, AGES)),
              ("By segment", pages.table(map(_segment, found.segments), SEGMENTS)),
              ("How loans turned out, by who approved them", pages.table(map(_approved, found.overrides.approved), APPROVED)),
              ("Overrides by group", pages.table(map(_group, found.overrides.groups), GROUPS))]
    blocks = [pages.text(f"{title}: what was found", sentences),
              *(Block(name, "table", rows) for name, rows in tables if len(rows)), pages.text("How to read this", [READING])]
    return Page(title, tuple(blocks), pages.table((), pages.FIGURE))


def _segment(one: Segment) -> dict[str, Any]:
    figures = (one.column, one.value, one.decisions, number(one.approved), percent(one.mean_pd), one.matured,
               NOTHING if one.bad is None else one.bad, number(one.bad_rate, 3), one.note or NOTHING)
    return dict(zip(SEGMENTS, figures, strict=True))


def _approved(one: overrides.Approved) -> dict[str, Any]:
    figures = (one.way, one.decisions, one.matured, one.bad, number(one.bad_rate, 3), number(one.against_service, 3))
    return dict(zip(APPROVED, figures, strict=True))


def _group(one: overrides.Group) -> dict[str, Any]:
    figures = (f"{one.attribute}: {one.group}", one.size or NOTHING, number(one.low_side), number(one.high_side), one.note or NOTHING)
    return dict(zip(GROUPS, figures, strict=True))
