"""Whole runs of the pipeline on the real files, and what any of them must leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cited import require_document
from projects import Project, copy_of_the_project

REPORTS = ("drift", "performance", "fairness")
VERDICTS = ("insufficient", "ok", "watch", "alert")
LARGEST = 5_000_000


def real_run(name: str, data_dir: Path, folder: Path, *, rounds: int | None = None) -> Project:
    """A project of its own whose whole pipeline, register and reports included, has run on the portfolio's real file.

    rounds: most rounds of boosting, where a test has not the time for all of them.
    """
    project = copy_of_the_project(folder)
    project.put("portfolio", name)
    if rounds:
        project.change("train", trees={**project.params["train"]["trees"], "rounds": rounds})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLY_DATA_DIR", str(data_dir))
        ran = project.repro()
    assert {"ingest", "validate", "train", "evaluate", "register", *REPORTS} <= set(ran)
    return project


def report(project: Project, stage: str) -> dict[str, Any]:
    """The figures of one report."""
    found: dict[str, Any] = json.loads((project.path / "reports" / project.portfolio / f"{stage}.json").read_bytes())
    return found


def metrics(project: Project) -> dict[str, Any]:
    """metrics.json of the run."""
    found: dict[str, Any] = json.loads(project.data("evaluate", "metrics.json").read_bytes())
    return found


def require_whole(project: Project) -> None:
    """Data that keep their promises, a registered challenger, three reports that a browser opens, and a document that is not stale."""
    assert json.loads(project.data("validate", "verdict.json").read_bytes())["success"]
    card = json.loads(project.data("register", "card.json").read_bytes())
    assert (card["model"], card["version"]) == (project.portfolio, "1")
    for stage in REPORTS:
        found = report(project, stage)
        assert found["release_id"] == card["release_id"]
        assert found["verdict"] in VERDICTS
        assert found["found"]
        page = project.path / "reports" / project.portfolio / f"{stage}.html"
        assert 0 < page.stat().st_size < LARGEST
    require_document(project)
