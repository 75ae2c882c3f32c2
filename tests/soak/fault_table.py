"""The table of faults in docs/reliability.md, written from the results of soaks: fault, figure, goal, whether it was met.

Responsible for what stands between two lines of that page and for nothing else of it. A fault whose soak has no results says so; one that
does not apply to one machine says why. Nobody edits a figure by hand: a test compares the page with what would be written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from results import Result

BEGIN, END = "<!-- written by make soak: begin -->", "<!-- written by make soak: end -->"
HEAD = ("| | fault | workload | figure | goal | |", "|---|---|---|---|---|---|")


@dataclass(frozen=True)
class Fault:
    """soak: whose results tell of it. of: how their workloads begin, where a soak tells of more than this. why: where none applies."""

    name: str
    what: str
    soak: str = ""
    of: str = ""
    why: str = ""


FAULTS = (
    Fault("F1", "online store refused", "features", "refused"),
    Fault("F2", "online store silent", "features", "silent"),
    Fault("F3", "online store slow, answers in slices", "features", "slow|killed|[0-9,]+ requests"),
    Fault("F4", "registry down, service started again meanwhile", "registry"),
    Fault("F5", "workers killed", "answers"),
    Fault("F6", "killed between score, commit and answer", "moments"),
    Fault("F7", "ledger locked, its server lost", "ledger", "the lock|PostgreSQL"),
    Fault("F8", "disk of the ledger full, then freed", "ledger", "the disk|files"),
    Fault("F9", "up to ten times the load", "load"),
    Fault("F10", "a release swapped every two seconds, one of five corrupt", "swap"),
    Fault("F11", "the pipeline killed in each stage, at random moments, with a torn dvc.lock", "kill", "[0-9]+ kills"),
    Fault("F12", "clocks jump an hour", "clock"),
    Fault("", "failover to another machine, certificates and JWKS that expire",
          why="not of one machine: the core has no TLS and no tokens of others; PostgreSQL's failover is tested as the loss of its server"),
)


def rows(results: Path) -> list[str]:
    """The table's lines from the results in a folder."""
    return [*HEAD, *(line for fault in FAULTS for line in told(fault, results))]


def told(fault: Fault, results: Path) -> list[str]:
    if not fault.soak:
        return [f"| {fault.name} | {fault.what} | - | {fault.why} | - | - |"]
    found = [each for each in read(results / f"{fault.soak}.json") if re.match(fault.of, each.workload)]
    if not found:
        return [f"| {fault.name} | {fault.what} | - | not run yet: `make soak ONLY={fault.soak}` | - | - |"]
    titles = [(fault.name, fault.what), *[("", "")] * (len(found) - 1)]
    return [f"| {name} | {what} | {each.workload} | {each.figure} | {each.goal} | {each.gate} |"
            for (name, what), each in zip(titles, found, strict=True)]


def read(path: Path) -> list[Result]:
    return [Result(**each) for each in json.loads(path.read_text())] if path.exists() else []


def write_into(page: Path, results: Path) -> None:
    """Replace what stands between the two lines of the page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text("\n".join([f"{before}{BEGIN}", "", *rows(results), "", f"{END}{after}"]))
