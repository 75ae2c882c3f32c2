"""What a soak says: a workload, a figure, its goal, and whether it was met. One file a soak, one table for a person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Result:
    """One line of a soak. figure and goal: in words or numbers; gate: whether the figure is what was promised."""

    soak: str
    workload: str
    figure: str | float
    goal: str | float
    gate: Literal["passed", "failed"]


def judged(soak: str, workload: str, figure: str | float, goal: str | float, *, met: bool) -> Result:
    return Result(soak, workload, figure, goal, "passed" if met else "failed")


def write(path: Path, results: list[Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def table(results: list[Result]) -> str:
    rows = [("soak", "workload", "figure", "goal", "gate"), *(tuple(map(str, asdict(result).values())) for result in results)]
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows) + "\n"
