"""A release made again, from the commit and the data its registration names, and held against what was registered.

Responsible for a clone of its own, where nothing is left of it afterwards, and for computing train and evaluate anew: stages whose inputs
and code are unchanged may come from the shared cache up to there, where the data digests of the registration are checked; the model never
does. `fresh` shares nothing. Refuses a release whose commit does not say everything, and data that are not those it was made from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from feature_repo.errors import DataError, ReleaseError
from governance import release
from governance.events import ReleaseRegistered
from governance.release import Release
from tally import questions
from tally.questions import Questions

LOCK = Path("dvc.lock")
LOCAL = Path(".dvc", "config.local")
REGISTERED_FROM = ("ingest",)
SHARED = ("validate", "featurize", "assemble", "split", "audit", "search", "vintages")
OTHERS = {"MLFLOW_TRACKING_URI", "TALLY_PORTFOLIO", "TALLY_LEDGER", "PYTHONPATH"}
SHORT = 12


@dataclass(frozen=True)
class Reproduction:
    """What came out. differ: files of the release that are not the same, by name; unknown where the registered one is not in the home."""

    wanted: str
    found: str
    differ: tuple[str, ...]

    @property
    def same(self) -> bool:
        return self.wanted == self.found

    def __str__(self) -> str:
        if self.same:
            return f"release {self.wanted} was made again, the same to the last byte"
        files = ", ".join(self.differ)
        differ = f"files that differ: {files}" if files else "which files differ cannot be told: the registered one is not in the home"
        return f"another release came out: {self.found} instead of {self.wanted}\n{differ}"


def reproduce(named: str, portfolio: str | None = None, *, fresh: bool = False) -> Reproduction:
    """Make a release again in a temporary clone of this checkout, and compare.

    Raises ReleaseError for one whose commit is unknown or was dirty, DataError where the data are others or a stage fails.
    """
    asked = questions.of(portfolio)
    registered = asked.release(named)
    require_committed(registered)
    with clone(Path.cwd(), registered.commit) as folder:
        if fresh:
            (folder / LOCK).unlink(missing_ok=True)
        else:
            share(Path.cwd(), folder)
        run(folder, asked.portfolio, "dvc", "repro", *REGISTERED_FROM)
        require_same_data(registered, folder)
        if not fresh:
            checkout_shared(folder, asked.portfolio)
        run(folder, asked.portfolio, "dvc", "repro", "--no-run-cache", "evaluate")
        made = release.verify(folder / "data" / asked.portfolio / "evaluate" / "release")
        return Reproduction(registered.release_id, made.id, differing(asked, registered, made))


def require_committed(registered: ReleaseRegistered) -> None:
    """Raise ReleaseError unless the commit says everything the release was made from."""
    what = f"release {registered.release_id[:SHORT]}"
    if registered.dirty:
        raise ReleaseError(f"{what} was registered with uncommitted changes, so no commit says how it was made. Commit them and run: dvc "
                           "repro; where the same bytes come out, the release is that commit's")
    if not registered.commit or registered.commit == "none":
        raise ReleaseError(f"{what} was registered outside of a git repository; there is no commit to make it from")


@contextmanager
def clone(origin: Path, commit: str) -> Iterator[Path]:
    """The files of a commit in a folder of their own, with git's objects shared, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tally-reproduce-") as parent:
        folder = Path(parent) / origin.name
        _did(["git", "clone", "--quiet", "--shared", "--no-checkout", str(origin), str(folder)], origin, {})
        _did(["git", "checkout", "--quiet", "--detach", commit], folder, {},
             f"commit {commit[:SHORT]} is not in this repository; fetch it, or run this in the checkout that made the release")
        yield folder


def share(origin: Path, folder: Path) -> None:
    """Let the clone use the checkout's cache and remotes, and what a lock file knows of the stages before train.

    Of later stages it must know nothing: DVC takes what a lock file names out of the cache, whatever is said of the run cache.
    """
    if (origin / LOCAL).is_file():
        shutil.copy2(origin / LOCAL, folder / LOCAL)
    source = next((path for path in (origin / LOCK, folder / LOCK) if path.is_file()), None)
    if source:
        lock = msgspec.yaml.decode(source.read_bytes())
        lock["stages"] = {name: stage for name, stage in lock["stages"].items() if name in {*REGISTERED_FROM, *SHARED}}
        (folder / LOCK).write_bytes(msgspec.yaml.encode(lock))
    cache = _did([sys.executable, "-m", "dvc", "cache", "dir"], origin, {}).strip()
    _did([sys.executable, "-m", "dvc", "cache", "dir", "--local", str((origin / cache).resolve())], folder, {})


def checkout_shared(folder: Path, portfolio: str) -> None:
    """Bring what the lock file names of the stages before train from the cache, else from a remote; what is nowhere is computed."""
    known = msgspec.yaml.decode((folder / LOCK).read_bytes())["stages"]
    stages = [stage for stage in SHARED if stage in known]
    for command in ("checkout", "pull") if stages else ():
        if _ran([sys.executable, "-m", "dvc", command, "--quiet", *stages], folder, environment(folder, portfolio)).returncode == 0:
            break


def require_same_data(registered: ReleaseRegistered, folder: Path) -> None:
    """Raise DataError where what ingest read is not what the registration names."""
    stages = msgspec.yaml.decode((folder / LOCK).read_bytes())["stages"]
    found = {out["path"]: out["md5"] for stage in REGISTERED_FROM for out in stages[stage]["outs"]}
    differ = [path for path, digest in registered.data.items() if found.get(path) != digest]
    if differ:
        raise DataError(f"the data are not those of release {registered.release_id[:SHORT]}: {', '.join(sorted(differ))} differ. Point "
                        "TALLY_DATA_DIR to the raw files of then, or put them back under data/raw")


def run(folder: Path, portfolio: str, *command: str) -> None:
    """A program of this environment in the clone, its output shown as it comes. Raises DataError where it fails; it has said why."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, env=environment(folder, portfolio), check=False)
    if done.returncode:
        raise DataError(f"{' '.join(command)} stopped at commit {_did(['git', 'rev-parse', 'HEAD'], folder, {})[:SHORT]}; the stage above "
                        "says why. Old code may need the libraries of then: git show <commit>:requirements.lock")


def environment(folder: Path, portfolio: str) -> dict[str, str]:
    """This environment's programs and the clone's code; raw files from where they are; nothing goes into a registry or the record."""
    raw = os.environ.get("TALLY_DATA_DIR") or str(Path("data", "raw", portfolio).resolve())
    inherited = {name: value for name, value in os.environ.items() if name not in OTHERS}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**inherited, "PATH": programs, "PYTHONPATH": str(folder), "TALLY_DATA_DIR": raw, "TALLY_HOME": str(folder / "var")}


def differing(asked: Questions, registered: ReleaseRegistered, made: Release) -> tuple[str, ...]:
    """Files of the release made again that are not those of the registered one, where that is in the home."""
    path = asked.releases / registered.release_id
    if made.id == registered.release_id or not path.is_dir():
        return ()
    was, now = release.verify(path, registered.release_id).manifest, made.manifest
    files = {name for name in was.files.keys() | now.files.keys() if was.files.get(name) != now.files.get(name)}
    parts = [part for part in ("portfolio", "interface_hash", "model", "validation", "lineage") if getattr(was, part) != getattr(now, part)]
    return (*sorted(files), *(f"release.json: {part}" for part in parts))


def _ran(command: list[str], folder: Path, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env={**os.environ, **given}, capture_output=True, text=True, check=False)


def _did(command: list[str], folder: Path, given: Mapping[str, str], failed: str = "") -> str:
    """What a program says. Raises ReleaseError with our words, or the last it said."""
    done = _ran(command, folder, given)
    if done.returncode:
        raise ReleaseError(failed or f"{' '.join(command[:3])} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout
