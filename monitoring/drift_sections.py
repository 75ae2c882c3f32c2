"""What a reader is told beside PSI: faults of data, who came through the door, what moved the log-odds of bad.

Sentences and the blocks of the page. Measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from governance.limits import Verdict, spans
from governance.release import Release
from monitoring import attribution, pages
from monitoring.attribution import Attribution, Moved
from monitoring.blocks import Block
from monitoring.drift import Cell, Column
from monitoring.pages import NOTHING, percent
from monitoring.population import Door
from monitoring.quality import Fault, Kind

FAULTS = ("column", "month", "fault", "of", "share", "in development", "factor", "verdict")
DOORS = ("month", "decisions", "approved", "referred", "declined", "in doubt", "mean PD", "bands")
MOVES = ("column", "verdict", "months beyond the limits", "largest shift of the log-odds", "in", "interval")
RECORDED = "break"  # validation's rule
MOST_MOVED = 3  # inputs named in a sentence
FLAGGED = (Verdict.WATCH, Verdict.ALERT)


def recorded(release: Release) -> dict[str, str]:
    """How validation saw inputs of the model's data recorded over time, in words, where that changed."""
    return {one["column"]: one["seen"] for one in release.manifest.validation.get("warnings", ()) if one["rule"] == RECORDED}


def of_quality(columns: Sequence[Column], known: Mapping[str, str]) -> list[str]:
    """Each fault with its months, alerts first. known: as `recorded` tells."""
    found = [_fault(column, kind, list(cells), known) for column in columns for kind, cells in _by_kind(column)]
    if not found:
        return ["**No fault of data.**"] if any(column.quality is Verdict.OK for column in columns) else []
    return [f"**{len(found)} {'fault' if len(found) == 1 else 'faults'} of data:** what changed is how it is recorded, not who applies:",
            *(f"- {sentence}" for alarmed in (True, False) for sentence, alert in found if alert is alarmed)]


def _by_kind(column: Column) -> Iterator[tuple[tuple[Kind, str], Iterator[tuple[Cell, Fault]]]]:
    every = [(cell, fault) for cell in (column.months if _judged(column) else (column.total,)) for fault in cell.faults]
    ranked = sorted(every, key=lambda found: (found[1].kind, found[1].which))
    return groupby(ranked, key=lambda found: (found[1].kind, found[1].which))


def _judged(column: Column) -> bool:
    return any(cell.quality is not Verdict.INSUFFICIENT for cell in column.months)


def _fault(column: Column, of: tuple[Kind, str], found: list[tuple[Cell, Fault]], known: Mapping[str, str]) -> tuple[str, bool]:
    kind, which = of
    cell, worst = max(found, key=lambda each: abs(each[1].share - (each[1].development or 0)))
    months = spans([at.month for at, _ in found], [at.month for at in column.months]) or "the window as a whole"
    alert = any(fault.verdict is Verdict.ALERT for _, fault in found)
    words = f"**{column.column}** in {months}: {_words(which, worst, '' if len(found) == 1 else f' in {cell.month}')}"
    said = f"; in the data the model is from: {known[column.column]}" if kind is Kind.MISSING and column.column in known else ""
    return f"{words}{said} ({'alert' if alert else 'watch'})", alert


def _words(which: str, fault: Fault, when: str) -> str:
    """when: the month the share is of, where there are several."""
    share, before = percent(fault.share), "" if fault.development is None else f", {percent(fault.development)} in development"
    told = {
        Kind.UNIT: f"{share} look as if they were in another unit, {times(fault.factor or 1.0)} development's",
        Kind.MISSING: f"{share} missing", Kind.RANGE: f"{share} outside the contract's usual range", Kind.CODE: f"{share} are {which}",
        Kind.ENDED: f"nobody has {which} any more",
    }
    return f"{told.get(fault.kind, f'{share} {fault.kind.value}: {which}')}{when}{before}"


def times(factor: float) -> str:
    """A factor in words.

    >>> times(12.0), times(1 / 100)
    ('12 times', 'one 100th of')
    """
    return f"{factor:.3g} times" if factor >= 1 else f"one {1 / factor:.3g}th of"


def of_door(everyone: Sequence[Door], development: Door, minimum: int) -> list[str]:
    """How many of those who applied are approved and referred, at the least and the most of months with `minimum`, and in development."""
    doors = [door for door in everyone if door.decisions >= minimum] or everyone
    shares = {name: [door.outcomes.get(name, 0.0) for door in doors] for name in development.outcomes}
    told = "; ".join(f"{name} {_range(found)}, {percent(development.outcomes[name])} in development" for name, found in shares.items())
    doubtful = _range([door.degraded or 0.0 for door in doors])
    return [f"At the door, everybody who applied, booked or not: {told}. In doubt for a stored value: {doubtful}."]


def of_attribution(found: Sequence[Attribution]) -> list[str]:
    """What moved the mean log-odds of bad most, in the month it moved most; nothing where no release baseline is there."""
    if not found:
        return ["What moved the log-odds is not told: the release holds no contributions of development."]
    totals = [attribution.total(found, place) for place in range(len(found[0].months))]
    judged = [place for place, month in enumerate(found[0].months) if month.verdict is not Verdict.INSUFFICIENT]
    if not judged:
        return ["What moved the log-odds is not told: no month has enough decisions."]
    place = max(judged, key=lambda at: abs(totals[at]))
    ranked = sorted(found, key=lambda each: -abs(each.months[place].shift))[:MOST_MOVED]
    named = ", ".join(f"{each.column} {each.months[place].shift:+.2f}" for each in ranked)
    beyond = [each.column for each in found if each.verdict in FLAGGED]
    said = f" Beyond the limits by itself: {', '.join(beyond)}." if beyond else ""
    month = found[0].months[place].month
    return [f"The mean log-odds of bad moved by {totals[place]:+.2f} in {month}, the most of any month: {named}.{said}"]


def blocks(columns: Sequence[Column], doors: Sequence[Door], moves: Sequence[Attribution]) -> list[Block]:
    """The tables of all three; those with nothing in them are left out."""
    faults = [_line(column.column, cell, fault) for column in columns for cell in column.months for fault in cell.faults]
    ranked = sorted(moves, key=lambda each: -abs(_most(each).shift))
    parts = (("Faults of data", faults, FAULTS), ("Who came through the door", [_door(door) for door in doors], DOORS),
             ("What moved the log-odds of bad, most first", [_moved(each) for each in ranked], MOVES))
    return [Block(title, "table", pages.table(rows, names)) for title, rows, names in parts if rows]


def _line(column: str, cell: Cell, fault: Fault) -> dict[str, Any]:
    figures = (column, cell.month, fault.kind.value, fault.which or NOTHING, percent(fault.share), percent(fault.development),
               NOTHING if fault.factor is None else f"{fault.factor:.3g}", fault.verdict.value)
    return dict(zip(FAULTS, figures, strict=True))


def _door(door: Door) -> dict[str, Any]:
    outcomes = (percent(door.outcomes.get(name, 0.0)) for name in ("approve", "refer", "decline"))
    bands = ", ".join(f"{name} {share:.0%}" for name, share in door.bands.items())
    figures = (door.month, door.decisions, *outcomes, percent(door.degraded), percent(door.mean_pd), bands or NOTHING)
    return dict(zip(DOORS, figures, strict=True))


def _most(found: Attribution) -> Moved:
    """The month it moved the log-odds most, one with enough decisions before any other."""
    return max(found.months, key=lambda month: (month.verdict is not Verdict.INSUFFICIENT, abs(month.shift)))


def _moved(found: Attribution) -> dict[str, Any]:
    most = _most(found)
    flagged = [month.month for month in found.months if month.verdict in FLAGGED]
    bounds = NOTHING if most.low is None else f"{most.low:+.3f} to {most.high:+.3f}"
    figures = (found.column, found.verdict.value, spans(flagged, [month.month for month in found.months]) or NOTHING,
               f"{most.shift:+.3f}", most.month, bounds)
    return dict(zip(MOVES, figures, strict=True))


def _range(shares: Sequence[float]) -> str:
    low, high = percent(min(shares)), percent(max(shares))
    return low if low == high else f"{low} to {high}"
