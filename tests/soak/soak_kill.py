"""`dvc repro` killed at random moments and run again: it ends where an undisturbed run does, whenever that was.

The moments are drawn once from a seed over the length of an undisturbed run; each is tried in a new copy of the project. TALLY_SOAK_KILLS
is their number, 20 where it is not set.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from killing import after, complaint, kill, run_again
from projects import Project, copy_of_the_project
from results import Result, judged

SEED, KILLS, ROWS = 20, 20, 6_000
GOAL = "same release, one version, same bytes"


def run(tell: Callable[[str], None]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        undisturbed = fresh(Path(folder))
        began = time.monotonic()
        undisturbed.repro()
        length = time.monotonic() - began
        tell(f"undisturbed: {length:.0f} s")
        moments = random.Random(SEED)  # noqa: S311 - a draw of moments, no secret
        found = [once(undisturbed, moments.uniform(0, length), tell) for _ in range(int(os.environ.get("TALLY_SOAK_KILLS", KILLS)))]
    held = sum(result.gate == "passed" for result in found)
    return [*found, judged("kill", f"{len(found)} random moments of {length:.0f} s", held, len(found), met=held == len(found))]


def fresh(path: Path) -> Project:
    project = copy_of_the_project(path)
    project.change("ingest", rows=ROWS)
    return project


def once(undisturbed: Project, moment: float, tell: Callable[[str], None]) -> Result:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        project = fresh(Path(folder))
        stages, ended = kill(project, after(moment))
        workload = f"killed after {moment:.1f} s, " + ("over" if ended else f"in {stages[-1]}" if stages else "before ingest")
        repaired = run_again(project)
        differs = complaint(project, undisturbed)
        figure = differs or (f"{GOAL}, after tally repair" if repaired else GOAL)
        tell(f"{workload}: {figure}")
        return judged("kill", workload, figure, GOAL, met=differs is None)
