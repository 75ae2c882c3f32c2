"""Fixture: a whole project of its own, committed, its pipeline run by the real `dvc repro`."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
RERUN = "Running stage '"
PACKAGES = ("feature_repo", "governance", "serving", "training", "monitoring", "tally")
COMPILED = {".pyc", ".nbi", ".nbc"}
OTHERS = {"MLFLOW_TRACKING_URI", "TALLY_HOME", "TALLY_PORTFOLIO"}


@dataclass(frozen=True)
class Project:
    """A checkout in a folder of its own; commands run there with this environment's programs."""

    path: Path

    @property
    def portfolio(self) -> str:
        return str(self.params["portfolio"])

    @property
    def params(self) -> dict[str, Any]:
        return YAML(typ="safe").load((self.path / "params.yaml").read_text())

    def data(self, *parts: str) -> Path:
        return self.path.joinpath("data", self.portfolio, *parts)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program; its output is kept, and shown where it fails."""
        return subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False, env=self.environment(**environment))

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a program; all it says is in its `stdout`, as it says it."""
        return subprocess.Popen(command, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=self.environment(PYTHONUNBUFFERED="1", **environment))

    def environment(self, **more: str) -> dict[str, str]:
        """This environment's programs and this project's code, and nothing of the services of others."""
        inherited = {name: value for name, value in os.environ.items() if name not in OTHERS}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**inherited, "PATH": programs, "PYTHONPATH": str(self.path), **more}

    def repro(self, *targets: str) -> list[str]:
        """`dvc repro`; the stages that ran, in order."""
        done = self.run("dvc", "repro", *targets)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.removeprefix(RERUN).split("'")[0] for line in done.stdout.splitlines() if line.startswith(RERUN)]

    def change(self, section: str, **values: Any) -> None:
        """Change values of a section of params.yaml."""
        self.put(section, {**self.params[section], **values})

    def put(self, name: str, value: Any) -> None:
        """Replace what stands at the top of params.yaml: a whole section, or `portfolio`."""
        yaml = YAML()
        params = yaml.load((self.path / "params.yaml").read_text())
        params[name] = value
        with (self.path / "params.yaml").open("w") as file:
            yaml.dump(params, file)


def copy_of_the_project(path: Path) -> Project:
    """What git tracks or would track, committed anew."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    copy_what_is_compiled(path)
    (path / "dvc.lock").unlink(missing_ok=True)
    project = Project(path)
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-qm", "Start"]):
        assert project.run("git", *command).returncode == 0
    return project


def copy_what_is_compiled(path: Path) -> None:
    """Python's and Numba's caches, which are good for a copy of the same age: or each copy would compile its kernels for ten seconds."""
    for found in (each for package in PACKAGES for each in (ROOT / package).rglob("__pycache__/*")):
        if found.suffix in COMPILED:
            copied = path / found.relative_to(ROOT)
            copied.parent.mkdir(exist_ok=True)
            shutil.copy2(found, copied)


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    """Copies the project into a folder of its own."""

    def make(**sections: dict[str, Any]) -> Project:
        project = copy_of_the_project(tmp_path_factory.mktemp("project"))
        for section, values in sections.items():
            project.change(section, **values)
        return project

    return make


@pytest.fixture(scope="session")
def small_project(make_project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The default portfolio at 12,000 applications, its pipeline run once for all processes of a test run.

    Each process has a checkout of its own to change. The first to ask runs the pipeline; another takes what that left but its registry
    and record, which name places on disk, and `dvc repro` makes those anew: only the stages that always run are left to it.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return run_small(make_project)
    shared = tmp_path_factory.getbasetemp().parent / "small"
    with shared.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.is_dir():
            project = run_small(make_project)
            draft = copy_of_its_results(project, tmp_path_factory.mktemp("draft") / "project")
            draft.path.rename(shared)
            return project
    project = copy_of_its_results(Project(shared), tmp_path_factory.mktemp("small") / "project")
    project.repro()
    return project


def run_small(make_project: Callable[..., Project]) -> Project:
    project = make_project(ingest={"rows": 12_000})
    project.repro()
    return project


def copy_of_its_results(project: Project, path: Path) -> Project:
    """The checkout with all its stages wrote and DVC's cache, and none of its services."""
    shutil.copytree(project.path, path, ignore=shutil.ignore_patterns("var"))
    return Project(path)
