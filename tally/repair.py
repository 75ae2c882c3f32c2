"""What a killed process leaves that blocks or misleads the next one, put right: DVC's locks, a torn dvc.lock, experiments, answers, copies.

Touches nothing while a DVC or stage process of this checkout lives, no result, no cache and no registry. A process on another machine
that shares the folder is not seen from here.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

from feature_repo.errors import DataError, LedgerError, ServiceError

TEMPORARY = Path(".dvc", "tmp")
LOCK = Path("dvc.lock")
STAGES = ("training.stages.", "monitoring.stages.")
CONFLICT = b"\n<<<<<<< "
FINISHED = 3  # dvc.repo.experiments.executor.base.TaskStatus.SUCCESS; what comes after it has ended too


@dataclass
class Findings:
    """What was put right, and what was seen and left, each in a line for a person."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([*self.done, *self.left]) or "nothing to repair: no stale lock, no torn dvc.lock, no abandoned experiment"


def repair(root: Path | None = None) -> Findings:
    """Put right what is stale. Raises ServiceError where a live process of this checkout uses it."""
    root = (root or Path.cwd()).resolve()
    alive = working(root)
    if alive:
        who = "; ".join(f"PID {process.pid}: {_command(process)}" for process in alive)
        raise ServiceError(f"DVC is at work in this checkout ({who}); nothing was touched. Wait for it, or end it (kill {alive[0].pid}), "
                           "then run again: tally repair")
    found = Findings()
    for mend in (_mend_locks, _mend_lockfile, _mend_experiments, _mend_downloads, _mend_answers, _mend_copies):
        mend(root, found)
    return found


def before_a_run(root: Path | None = None) -> list[str]:
    """As `repair`, for whoever is about to run DVC: beside a live process nothing is touched, and DVC decides what may run at once."""
    with contextlib.suppress(ServiceError):
        return repair(root).done
    return []


def working(root: Path) -> list[psutil.Process]:
    """The live processes of this checkout that run DVC or a stage, this one and those it was started from not counted."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _works_in(process, root)]


def _works_in(process: psutil.Process, root: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE or not _is_ours(process.cmdline()):
            return False
        return Path(process.cwd()).is_relative_to(root)
    except psutil.AccessDenied:
        return True  # somebody else's DVC, wherever it works
    except psutil.NoSuchProcess:
        return False


def _is_ours(command: list[str]) -> bool:
    """Whether a command line is of DVC (its program, or python -m dvc) or of a stage."""
    programs = {Path(word).name for word in command[:2]}
    modules = [module for flag, module in itertools.pairwise(command) if flag == "-m"]
    return "dvc" in programs or any(module == "dvc" or module.startswith(STAGES) for module in modules)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(Path(word).name if at == 0 else word for at, word in enumerate(process.cmdline()))[:80]
    except psutil.Error:
        return "dvc"


def _mend_locks(root: Path, found: Findings) -> None:
    """DVC's record of who reads and writes what: unreadable, or naming processes that are dead or something else by now."""
    from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK, SCHEMA
    from voluptuous import Invalid

    for folder in (root / TEMPORARY, root / TEMPORARY / "exps"):
        path = folder / RWLOCK_FILE
        if not path.is_file() or not _held(folder / RWLOCK_LOCK, found):
            continue
        try:
            locks: dict[str, dict[str, Any]] = SCHEMA(json.loads(path.read_bytes()))
        except (ValueError, Invalid):
            path.unlink()
            found.done.append(f"{path.relative_to(root)} was cut off by a killed run: removed")
            continue
        if any(locks.values()):
            path.unlink()
            found.done.append(f"{path.relative_to(root)} named processes that no longer run DVC here: removed")
    _held(root / TEMPORARY / "lock", found)


def _held(path: Path, found: Findings) -> bool:
    """Whether DVC's guard is free, as it is once its holder has died; a file that lies there locks nothing."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            found.left.append(f".dvc/tmp/{path.name} is held by a process that is not visible here (another container or machine?): left "
                              "alone. End that process, or wait for it")
            return False
    return True


def _mend_lockfile(root: Path, found: Findings) -> None:
    """A dvc.lock that DVC cannot read is set aside, and the committed one put back: DVC then runs or restores what differs."""
    path = root / LOCK
    if not path.is_file() or _readable(path.read_bytes()):
        return
    if CONFLICT in b"\n" + path.read_bytes():
        found.left.append("dvc.lock holds the marks of a merge: left alone. Take one side (git checkout --theirs dvc.lock), "
                          "then run: dvc repro")
        return
    aside = next(name for name in (path.with_name(f"dvc.lock.torn-{n}") for n in range(1, 10_000)) if not name.exists())
    committed = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], cwd=root, capture_output=True, check=False)  # noqa: S607
    path.rename(aside)
    back = committed.returncode == 0 and _readable(committed.stdout)
    if back:
        path.write_bytes(committed.stdout)
    now = "the committed one was put back" if back else "dvc repro writes a new one"
    found.done.append(f"dvc.lock was torn: kept as {aside.name}; {now}")


def _readable(raw: bytes) -> bool:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(msgspec.yaml.decode(raw))
    except (msgspec.MsgspecError, Invalid, UnicodeError):
        return False
    return True


def _mend_experiments(root: Path, found: Findings) -> None:
    """Experiments that DVC believes to be running, with their temporary checkouts."""
    experiments = root / TEMPORARY / "exps"
    for info in sorted(experiments.glob("run/*/*.run")):
        told = _json(info)
        if told.get("status", 0) >= FINISHED:
            continue
        checkout = Path(told.get("root_dir", root))
        if checkout != root and checkout.is_relative_to(experiments):
            shutil.rmtree(checkout, ignore_errors=True)
        shutil.rmtree(info.parent, ignore_errors=True)
        name = told.get("name") or info.stem[:7]
        found.done.append(f"experiment {name} was cut off: its mark as running and its temporary checkout are removed; run it again")


def _mend_downloads(root: Path, found: Findings) -> None:
    for draft in _drafts(root, lambda pid: not psutil.pid_exists(pid)):
        draft.unlink(missing_ok=True)
        found.done.append(f"{draft.relative_to(root)} is part of a download that was cut off: removed")


def _mend_answers(root: Path, found: Findings) -> None:
    """What killed workers of a service recorded and did not show to have answered; `tally watch` and the next worker do the same."""
    from governance.ledger.book import open_book
    from governance.ledger.writer import Ledger
    from serving import answers

    for folder in sorted(Path(root / (os.environ.get("TALLY_HOME") or "var")).glob("*/answers")):
        name, ledger = folder.parent.name, Ledger(open_book(folder.with_name("ledger"), os.environ.get("TALLY_LEDGER")))
        try:
            if marked := answers.settle(folder, ledger):
                found.done.append(f"{marked} decisions of {name} were recorded by a worker that was killed before their answers were seen "
                                  "to leave: marked in the ledger")
        except (LedgerError, OSError) as error:
            found.left.append(f"answers of {name}: left as they are ({error}); run again: tally repair")
        finally:
            ledger.close()


def _mend_copies(root: Path, found: Findings) -> None:
    """Copies of windows, which hold what people were decided on: of the stage drift, and of `tally monitor` where none is at work."""
    for folder in sorted((root / "data").glob("*/baseline/.ordered-*")):
        _forget(folder, root, found)
    for left in sorted((root / (os.environ.get("TALLY_HOME") or "var")).glob("*/windows/.draft-*")):
        from tally.windows import alone

        with contextlib.suppress(DataError), alone(left.parent):
            _forget(left, root, found)


def _forget(folder: Path, root: Path, found: Findings) -> None:
    shutil.rmtree(folder)
    found.done.append(f"{os.path.relpath(folder, root)} is a copy of decisions by a run that was cut off: removed")


def _drafts(root: Path, abandoned: Callable[[int], bool]) -> Iterator[Path]:
    """What training.raw.fetch writes before a download is whole: .<file>.<process id>."""
    for path in sorted((root / "data" / "raw").rglob(".*")):
        if path.is_file() and path.suffix[1:].isdecimal() and abandoned(int(path.suffix[1:])):
            yield path


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
