"""`dvc repro` killed in each stage and at random moments, and run again: it ends where an undisturbed run does.

TALLY_SOAK_KILLS is how many random moments there are, 28 where it is not set, two to a copy of the project; after the first its dvc.lock is
cut off somewhere as well, as a full disk leaves it. One more copy is killed in one stage after the other, each at some moment of it. The
seed is fixed. Two copies are tried at a time; what DVC is blocked by is put right with `tally repair` and told.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from killing import Timed, after, complaint, kill, repair, run_again, tear, within
from projects import Project, copy_of_the_project
from results import Result, judged

SEED, KILLS, ROWS, TOGETHER = 20, 28, 6_000, 2
GOAL = "same release, one version, same bytes"


@dataclass(frozen=True)
class Trial:
    """delay: seconds from the start, or of a stage where one is named; torn: how much of dvc.lock is left, where it is cut off."""

    delay: float
    stage: str = ""
    torn: float | None = None

    @property
    def moment(self) -> Callable[[list[str]], bool]:
        return within(self.stage, self.delay) if self.stage else after(self.delay)


def run(tell: Callable[[str], None]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        undisturbed, timed = fresh(Path(folder)), Timed()
        kill(undisturbed, timed)
        run_again(undisturbed)
        moments = [*timed.began.values()]
        lengths = {stage: end - began for (stage, began), end in zip(timed.began.items(), [*moments[1:], moments[-1] + 1], strict=True)}
        tell(f"undisturbed: {sum(lengths.values()):.0f} s, {len(lengths)} stages")
        copies = drawn(lengths, int(os.environ.get("TALLY_SOAK_KILLS", KILLS)))
        with ThreadPoolExecutor(TOGETHER) as together:
            found = [*together.map(lambda trials: tried(undisturbed, trials, tell), copies)]
    return [line for lines in found for line in lines] + [summed(copies, found)]


def drawn(lengths: dict[str, float], kills: int) -> list[list[Trial]]:
    """The kills of each copy of the project. lengths: of each stage, seconds."""
    draw, whole = random.Random(SEED), sum(lengths.values())  # noqa: S311 - a draw of moments, no secret
    copies = [[Trial(draw.uniform(0, 0.9 * length), stage) for stage, length in lengths.items()]]
    for _ in range(kills // 2):
        first = draw.uniform(0, whole)
        copies.append([Trial(first, torn=draw.random()), Trial(draw.uniform(0, whole - first))])
    return copies


def fresh(path: Path) -> Project:
    project = copy_of_the_project(path)
    project.change("ingest", rows=ROWS)
    return project


def tried(undisturbed: Project, trials: Sequence[Trial], tell: Callable[[str], None]) -> list[Result]:
    """A copy of the project killed some times, run to its end and compared: one outcome for them all."""
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        project, workloads = fresh(Path(folder)), []
        try:
            for trial in trials:
                workloads.append(once(project, trial))
                tell(workloads[-1])
            repaired, differs = run_again(project), complaint(project, undisturbed)
        except AssertionError as error:
            repaired, differs = (), f"it could not be run again: {error}"
        figure = differs or (f"{GOAL}, after tally repair" if repaired else GOAL)
        tell(figure)
        return [judged("kill", workload, figure, GOAL, met=differs is None) for workload in workloads]


def once(project: Project, trial: Trial) -> str:
    """Kill it once; what was done, in words."""
    killed, repaired = kill(project, trial.moment), ""
    if killed.blocked:
        repair(project)
        killed, repaired = kill(project, trial.moment), "after tally repair, "
    torn = trial.torn is not None and tear(project, trial.torn)
    where = "over" if killed.ended else f"in {killed.after[-1]}" if killed.after else "before a stage"
    return f"{repaired}killed {where} after {trial.delay:.1f} s{' of it' if trial.stage else ''}{', dvc.lock torn' if torn else ''}"


def summed(copies: list[list[Trial]], found: list[list[Result]]) -> Result:
    every = [line for lines in found for line in lines]
    held, torn = sum(line.gate == "passed" for line in every), sum("torn" in line.workload for line in every)
    late = sum("killed over" in line.workload for line in every)
    workload = f"{len(every)} kills, {len(copies[0])} of them one in each stage, {torn} with a torn dvc.lock, {late} came too late"
    whole = sum(map(len, copies))
    return judged("kill", workload, f"{held} of {whole}: {GOAL}", f"{whole} of {whole}", met=held == whole)
