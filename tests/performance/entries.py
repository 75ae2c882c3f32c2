"""What a bench says: entries of reports/bench.json, and the same as a table. Refuses an entry whose correctness gate failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

RATE = "/s"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our figure beside a peer's in one workload.

    ratio: how many times better ours is, over 1 is better; spread: the lowest and highest ratio of a round; goal: the ratio to reach;
    gate: whether the answers were right, without which no figure counts. The peer "goal" is a promise, not a program.
    """

    bench: str
    workload: str
    ours: float
    peer: str
    theirs: float
    unit: str
    ratio: float
    spread: tuple[float, float]
    goal: float
    gate: Literal["passed", "failed"]


class Figures(msgspec.Struct, frozen=True):
    """What each of us came to in the same rounds. Of a rate ("decisions/s") more is better, of anything else ("s", "MiB") less is."""

    ours: Sequence[float]
    peer: str
    theirs: Sequence[float]
    unit: str
    goal: float = 1.0

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.theirs, strict=True)
        return [own / other if self.unit.endswith(RATE) else other / own for own, other in pairs]


def compare(bench: str, workload: str, found: Figures, *, gate: bool) -> Entry:
    """The entry of a workload: medians over its rounds."""
    ratios = found.ratios
    return Entry(bench, workload, _short(median(found.ours)), found.peer, _short(median(found.theirs)), found.unit, _short(median(ratios)),
                 (_short(min(ratios)), _short(max(ratios))), found.goal, "passed" if gate else "failed")


def merge(known: Iterable[Entry], bench: str, workload: str, fresh: Iterable[Entry]) -> list[Entry]:
    """`known` with what it says of one workload replaced by those of `fresh` that passed their gate."""
    others = [entry for entry in known if (entry.bench, entry.workload) != (bench, workload)]
    return sorted([*others, *(entry for entry in fresh if entry.gate == "passed")], key=_place)


def read(path: Path) -> list[Entry]:
    """The entries of a file; none where there is no file."""
    return msgspec.json.decode(path.read_bytes(), type=list[Entry]) if path.is_file() else []


def write(path: Path, entries: Iterable[Entry]) -> None:
    """One JSON list, an entry per line, so that a diff names what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(msgspec.json.encode(entry).decode() for entry in entries)
    path.write_text(f"[\n{lines}\n]\n" if lines else "[]\n")


def table(entries: Iterable[Entry]) -> str:
    """What write() keeps, for people; a Markdown table."""
    head = ("bench", "workload", "ours", "peer", "theirs", "unit", "ratio", "spread", "goal", "gate")
    rows = [(entry.bench, entry.workload, f"{entry.ours:,g}", entry.peer, f"{entry.theirs:,g}", entry.unit, f"{entry.ratio:g}",
             f"{entry.spread[0]:g} to {entry.spread[1]:g}", f"{entry.goal:g}", entry.gate) for entry in entries]
    return markdown(head, rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that reads well as text too."""
    cells = [tuple(head), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _place(entry: Entry) -> tuple[str, str, str, str]:
    return entry.bench, entry.workload, entry.peer, entry.unit


def _short(figure: float) -> float:
    return float(f"{figure:.4g}")
