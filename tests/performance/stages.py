"""A `dvc repro` watched from outside: seconds, processor seconds and memory of every stage it runs."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import psutil
from projects import RERUN, Project

EVERY = 0.2
BEFORE = "dvc"


@dataclass
class Stage:
    """seconds: from its start to the next one's, so with what DVC does for it; peak_mib: resident, of DVC and all it started.

    processor_seconds: of all processes; what one did in its last fifth of a second is not seen.
    """

    name: str
    began: float
    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_mib: float = 0.0


class Watch:
    """Looks at a process and its children until it ends."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.root = psutil.Process(running.pid)
        self.stages = [Stage(BEFORE, time.perf_counter())]
        self.spent: dict[int, float] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def begin(self, name: str) -> None:
        """A stage starts, which ends the one before."""
        self._end()
        self.stages.append(Stage(name, time.perf_counter()))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self._end()

    def _end(self) -> None:
        self.stages[-1].seconds = time.perf_counter() - self.stages[-1].began

    def _look(self) -> None:
        while not self.over.wait(EVERY):
            stage, resident = self.stages[-1], 0
            for process in self._processes():
                with contextlib.suppress(psutil.Error):
                    resident += process.memory_info().rss
                    times = process.cpu_times()
                    stage.processor_seconds += times.user + times.system - self.spent.get(process.pid, 0.0)
                    self.spent[process.pid] = times.user + times.system
            stage.peak_mib = max(stage.peak_mib, resident / 2**20)

    def _processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return [self.root, *self.root.children(recursive=True)]
        return []


def repro(project: Project, tell: Callable[[Stage], None]) -> list[Stage]:
    """Run the pipeline, telling of each stage as it ends; all of them. Raises RuntimeError with DVC's last words where it fails."""
    running = project.start("dvc", "repro")
    said = []
    with Watch(running) as watch:
        for line in running.stdout or ():
            said.append(line)
            if line.startswith(RERUN):
                watch.begin(line.removeprefix(RERUN).split("'")[0])
                tell(watch.stages[-2])
        running.wait()
    tell(watch.stages[-1])
    if running.returncode:
        raise RuntimeError("".join(said[-40:]))
    return watch.stages
