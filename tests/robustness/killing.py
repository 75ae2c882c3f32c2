"""A `dvc repro` killed with all it started, run again, and compared with one that nobody disturbed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from projects import RERUN, Project

PAUSE = 0.02
REPRO = ("dvc", "repro")
BLOCKED = ("RWLock-file", "dvc.lock", "Unable to acquire lock", "is busy")
ASK = """
import json
from training import tracking
name = {name!r}
with tracking.connected() as client:
    versions = client.search_model_versions(f"name = '{{name}}'")
    experiment = client.get_experiment_by_name(name).experiment_id
    runs = client.search_runs([experiment])
    models = client.search_logged_models([experiment])
    challenger = client.get_model_version_by_alias(name, tracking.CHALLENGER)
    print(json.dumps({{"versions": [found.tags["release_id"] for found in versions], "runs": [run.info.status for run in runs],
                      "models": [str(model.status) for model in models], "challenger": challenger.tags["release_id"]}}))
"""


@dataclass(frozen=True)
class Killed:
    """after: the stages that had begun; ended: it was over before the kill; blocked: and had failed, since DVC was blocked."""

    after: list[str]
    ended: bool
    blocked: bool = False


def kill(project: Project, moment: Callable[[list[str]], bool]) -> Killed:
    """`dvc repro`, killed with its whole process group once `moment` says so of the stages begun."""
    log = project.path / ".killed.log"
    with log.open("w") as said:
        running = subprocess.Popen(REPRO, cwd=project.path, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
                                   env=project.environment(PYTHONUNBUFFERED="1"))
    while running.poll() is None and not moment(begun(log.read_text())):
        time.sleep(PAUSE)
    ended = running.poll() is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    told = log.read_text()
    log.unlink()
    assert not ended or not running.returncode or is_blocked(told), told
    return Killed(begun(told), ended, blocked=ended and running.returncode != 0)


def is_blocked(told: str) -> bool:
    return any(word in told for word in BLOCKED)


def begun(said: str) -> list[str]:
    return [line.removeprefix(RERUN).split("'")[0] for line in said.splitlines() if line.startswith(RERUN)]


def at(stage: str, there: Callable[[], Any]) -> Callable[[list[str]], bool]:
    """The moment a stage has begun and something of it can be seen."""
    return lambda stages: bool(stages) and stages[-1] == stage and bool(there())


def after(seconds: float) -> Callable[[list[str]], bool]:
    end = time.monotonic() + seconds
    return lambda _: time.monotonic() >= end


class Timed:
    """Never a moment to kill at: notes when each stage began."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}

    def __call__(self, stages: list[str]) -> bool:
        self.began |= {stage: time.monotonic() for stage in stages if stage not in self.began}
        return False


def within(stage: str, seconds: float) -> Callable[[list[str]], bool]:
    """So long after a stage began, while it runs."""
    timed = Timed()

    def there(stages: list[str]) -> bool:
        timed(stages)
        return stages[-1:] == [stage] and time.monotonic() >= timed.began[stage] + seconds

    return there


def tear(project: Project, left: float) -> bool:
    """Cut dvc.lock off, so that this share of its bytes is left; whether there was one."""
    lock = project.path / "dvc.lock"
    if torn := lock.is_file():
        os.truncate(lock, int(left * lock.stat().st_size))
    return torn


def run_again(project: Project) -> tuple[str, ...]:
    """`dvc repro` to its end; what `tally repair` had to do first, where DVC was blocked."""
    first = project.run("dvc", "repro")
    if first.returncode == 0:
        return ()
    assert is_blocked(first.stderr), first.stdout + first.stderr
    repaired = repair(project)
    project.repro()
    return repaired


def repair(project: Project) -> tuple[str, ...]:
    """`tally repair`; what it says it did."""
    repaired = project.run("python", "-m", "tally", "repair")
    assert repaired.returncode == 0, repaired.stderr
    return tuple(repaired.stdout.splitlines())


def release_id(project: Project) -> str:
    return str(json.loads(project.data("register", "card.json").read_text())["release_id"])


def registered(project: Project) -> dict[str, Any]:
    """What the registry holds: versions, runs, models and the challenger."""
    answer = project.run("python", "-c", ASK.format(name=project.portfolio))
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def outputs(project: Project) -> dict[str, str]:
    """SHA-256 of every file of stages, but the card: it names a run."""
    files = (path for path in sorted(project.data().rglob("*")) if path.is_file() and path.name != "card.json")
    return {path.relative_to(project.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def complaint(project: Project, undisturbed: Project) -> str | None:
    """What differs from a run that nobody disturbed; None where nothing does."""
    wanted, found = release_id(undisturbed), registered(project)
    if release_id(project) != wanted:
        return f"release {release_id(project)[:12]}, not {wanted[:12]}"
    if found != {"versions": [wanted], "runs": ["FINISHED"], "models": ["READY"], "challenger": wanted}:
        return f"the registry holds {found}"
    ours, theirs = outputs(project), outputs(undisturbed)
    differ = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return f"other files: {differ[:5]}" if differ else None
