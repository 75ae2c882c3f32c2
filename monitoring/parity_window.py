"""The report on parity of a window: what the check that compared decisions of its time found, column by column, with a verdict.

Alert where other values are beyond what holds up a promotion (`gates.parity`), or may be on enough decisions; watch where there are any. A
window whose decisions no check compared is not judged, nor is one where a stored column was compared in too few of them: neither is a pass,
here or at the gate. Compares nothing itself: `tally parity` does, and records it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from governance import gate_settings
from governance.events import ParityChecked
from governance.gate_evidence import STORED
from governance.gate_files import Contract
from governance.gate_settings import Gates
from governance.limits import Verdict, worst
from governance.release import Release, dump, verify
from monitoring import decisions_report, parity, parity_report, reports
from monitoring.parity import Column, Kind


class Judged(Column, frozen=True):
    """A stored column, or a view's as_of, with its verdict."""

    verdict: Verdict = Verdict.INSUFFICIENT


def main(portfolio: str, release: Path, check: Path, figures: Path, report: Path) -> None:
    """check: the event of the check that counts, or null."""
    contract, verified, limits = load(portfolio), verify(release), read("gates", Gates).parity
    seen = msgspec.json.decode(check.read_bytes(), type=ParityChecked | None)
    if contract.views and seen is None:
        decisions_report.empty(portfolio, ["**Parity cannot be judged: insufficient**, which is not a pass.",
                                           "No check compared decisions of this window; run: tally parity"], figures, report)
        return
    columns = judged(contract, stored(verified), seen, limits) if seen else ()
    found = ([*parity_report.differing(columns, limits.minimum), _basis(seen)] if seen else
             ["No column is stored: nothing can differ online."])
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump({"portfolio": portfolio, "release_id": verified.id, "found": found,
                              "verdict": overall(one.verdict for one in columns) if seen else Verdict.OK,
                              "check": seen, "limits": limits, "parity": columns}))
    reports.write(parity_report.page(f"{portfolio}: parity", found, columns, limits.mismatch), report)


def stored(release: Release) -> tuple[str, ...]:
    """The stored columns that a release decides on."""
    return tuple(one.name for one in release.read("contract.json", Contract).inputs if one.kind == STORED)


def judged(portfolio: Portfolio, wanted: Iterable[str], seen: ParityChecked, limits: gate_settings.Parity) -> tuple[Judged, ...]:
    """Every column of a check, and those of `wanted` that it did not compare."""
    views = {name: table.name for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))}
    found = [parity.counted(one.column, views.get(one.column, ""), one.compared, {Kind(kind): n for kind, n in one.kinds.items()},
                            seen.confidence) for one in seen.columns]
    there = {one.column for one in found}
    found += [parity.counted(name, views.get(name, ""), 0, {}, seen.confidence) for name in wanted if name not in there]
    return tuple(Judged(**msgspec.structs.asdict(one), verdict=verdict(one, limits)) for one in found)


def verdict(found: Column, limits: gate_settings.Parity) -> Verdict:
    """Of one column. Too few decisions to exclude the limit: watch where some differ, insufficient where none does."""
    enough = found.compared >= limits.minimum
    if found.mismatched and (found.low > limits.mismatch or (enough and found.upper > limits.mismatch)):
        return Verdict.ALERT
    if found.mismatched:
        return Verdict.WATCH
    return Verdict.OK if enough else Verdict.INSUFFICIENT


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Of all columns the worst; one that could not be judged is no pass of the others, as at the gate."""
    given = tuple(verdicts)
    found = worst(given)
    return Verdict.INSUFFICIENT if found is Verdict.OK and Verdict.INSUFFICIENT in given else found


def _basis(seen: ParityChecked) -> str:
    days = " to ".join(dict.fromkeys((seen.first[:10], seen.last[:10])))
    return f"Compared: {seen.decisions:,} decisions of {days}, whichever release made them; checked on {seen.came_at[:10]}."
