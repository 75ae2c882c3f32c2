"""`dvc repro` killed once in each stage and at random moments, and run again: it ends where an undisturbed run does.

TALLY_SOAK_KILLS is how often, 50 where it is not set. Stages first, each killed a moment after it began; what is left of the number is
drawn over the length of an undisturbed run, and every second of those finds its dvc.lock cut off somewhere as well, as a full disk leaves
it. The seed is fixed. Two are tried at a time, each in a new copy of the project.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from killing import after, complaint, in_stage, kill, run_again, tear
from projects import Project, copy_of_the_project
from results import Result, judged

SEED, KILLS, ROWS, TOGETHER = 20, 50, 6_000, 2
SOON = 1.5  # seconds into a stage, at most
GOAL = "same release, one version, same bytes"


@dataclass(frozen=True)
class Trial:
    """delay: seconds from the start, or of a stage where one is named; torn: how much of dvc.lock is left, where it is cut off."""

    delay: float
    stage: str = ""
    torn: float | None = None

    @property
    def moment(self) -> Callable[[list[str]], bool]:
        return in_stage(self.stage, self.delay) if self.stage else after(self.delay)


def run(tell: Callable[[str], None]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        undisturbed = fresh(Path(folder))
        began = time.monotonic()
        stages = undisturbed.repro()
        length = time.monotonic() - began
        tell(f"undisturbed: {length:.0f} s, {len(stages)} stages")
        trials = drawn(stages, length, int(os.environ.get("TALLY_SOAK_KILLS", KILLS)))
        with ThreadPoolExecutor(TOGETHER) as together:
            found = list(together.map(lambda trial: once(undisturbed, trial, tell), trials))
    return [*found, summed(trials, found)]


def summed(trials: list[Trial], found: list[Result]) -> Result:
    held, named, torn = (sum(result.gate == "passed" for result in found), sum(bool(trial.stage) for trial in trials),
                         sum(trial.torn is not None for trial in trials))
    return judged("kill", f"{len(found)} kills, {named} of them in each stage once, {torn} with a torn dvc.lock",
                  f"{held} of {len(found)}: {GOAL}", f"{len(found)} of {len(found)}", met=held == len(found))


def drawn(stages: list[str], length: float, kills: int) -> list[Trial]:
    draw = random.Random(SEED)  # noqa: S311 - a draw of moments, no secret
    named = [Trial(draw.uniform(0, SOON), stage) for stage in stages[:kills]]
    return named + [Trial(draw.uniform(0, length), torn=draw.random() if at % 2 else None) for at in range(kills - len(named))]


def fresh(path: Path) -> Project:
    project = copy_of_the_project(path)
    project.change("ingest", rows=ROWS)
    return project


def once(undisturbed: Project, trial: Trial, tell: Callable[[str], None]) -> Result:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        project = fresh(Path(folder))
        stages, ended = kill(project, trial.moment)
        torn = trial.torn is not None and tear(project, trial.torn)
        where = "over" if ended else f"in {stages[-1]}" if stages else "before ingest"
        workload = f"killed {where} after {trial.delay:.1f} s" + (" of it" if trial.stage else "") + (", dvc.lock torn" if torn else "")
        try:
            repaired, differs = run_again(project), complaint(project, undisturbed)
        except AssertionError as error:
            repaired, differs = (), f"it could not be run again: {error}"
        figure = differs or (f"{GOAL}, after tally repair" if repaired else GOAL)
        tell(f"{workload}: {figure}")
        return judged("kill", workload, figure, GOAL, met=differs is None)
