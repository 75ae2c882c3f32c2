"""`reports/<portfolio>/verdict.json`: what every report of a run comes to, window by window, for people and machines that decide by it."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from governance.limits import Verdict
from governance.release import dump
from monitoring.calendar import name
from monitoring.exporting import left_of
from tally.moment import Run

MADE = "made.json"  # beside reports: what they stand on
PIPELINE = ("drift", "performance", "fairness")
SHORT = 12


def write(run: Run) -> list[str]:
    """Write what all reports of this grain come to, and the headline: the newest window, report by report."""
    windows = [listed(run, start) for start in run.closed]
    newest = windows[-1] if windows else None
    found = [f"As of {run.day} no window of a {run.windows.grain} has ended in which {run.checkout.portfolio.name} decided anything."]
    if newest:
        each = ", ".join(f"{one['report']} {one['verdict']}" for one in newest["reports"])
        found = [f"As of {run.day}, {newest['window']}: {each}."]
    path = run.folder.parent / "verdict.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path, dump({"portfolio": run.checkout.portfolio.name, "as_of": run.day.isoformat(), "grain": run.windows.grain,
                           "found": found, "ignored": run.known.outcomes.ignored, "windows": windows, "pipeline": pipeline(path.parent)}))
    return found


def put(path: Path, said: bytes) -> None:
    """A file, whole before it has its name: somebody may be reading the one before."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(said)
    draft.replace(path)


def listed(run: Run, start: date) -> dict[str, Any]:
    """A window with the verdict and the digest of each of its reports."""
    called = name(start, run.windows.grain)
    path = run.windows.path(start)
    here_is = [path for path in sorted((run.folder / called).rglob("*.json")) if path.name != MADE and not path.parent.name.startswith(".")]
    reports = [_told(one, "" if one.parent.name == called else one.parent.name) for one in here_is]
    return {"window": called, "since": start.isoformat(), "left": left_of(path) if path.is_file() else None, "reports": reports}


def pipeline(folder: Path) -> list[dict[str, Any]]:
    """The reports of the pipeline that lie beside: the early sign is told there alone, for the record has none."""
    found = []
    for report in PIPELINE:
        with suppress(FileNotFoundError, msgspec.DecodeError):  # `dvc repro` takes a report away before it makes it again
            found.append(_told(folder / f"{report}.json"))
    return found


def _told(path: Path, release_id: str | None = None) -> dict[str, Any]:
    """What a report says. release_id: what its folder is called, else what it says itself."""
    said = path.read_bytes()
    document = msgspec.json.decode(said)
    return {"report": path.stem, "release_id": document.get("release_id", "")[:SHORT] if release_id is None else release_id,
            "digest": hashlib.sha256(said).hexdigest(), "verdict": document.get("verdict", Verdict.INSUFFICIENT)}
