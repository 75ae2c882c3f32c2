"""Two million applications through the whole pipeline: a registered release in the end, or one clear line of the stage that could not.

TALLY_SOAK_ROWS is their number, 2,000,000 where it is not set.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from killing import begun, registered
from projects import copy_of_the_project
from results import Result, judged

ROWS = 2_000_000
GOAL = "registered, or one line of MachineError"


def run(tell: Callable[[str], None]) -> list[Result]:
    rows = int(os.environ.get("TALLY_SOAK_ROWS", ROWS))
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        project = copy_of_the_project(Path(folder))
        project.change("ingest", rows=rows)
        done = project.run("dvc", "repro")
        said = [line for line in done.stderr.splitlines() if line.startswith("MachineError: ")]
        stopped = begun(done.stdout)[-1:]
        figure = "registered" if done.returncode == 0 else " ".join(said) or f"stopped in {stopped}: {done.stderr[-200:]}"
        met = len(said) == 1 if done.returncode else len(registered(project)["versions"]) == 1
    tell(figure)
    return [judged("rows", f"{rows} applications", figure, GOAL, met=met)]
