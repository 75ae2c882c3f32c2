"""docs/first-portfolio.md does what it says: its files are written and its commands run, in order, and print what the page promises.

In the page a fenced block whose first line names a path is that file; a block of bash is run; a block of text is what the block before it
prints: its lines in order, others may stand between, `…` stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-portfolio.md"
BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<path>\S+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "test"), ("EMAIL", "test@localhost"))}


@dataclass(frozen=True)
class Step:
    """A block of the page, at its line."""

    line: int
    kind: str
    path: str | None
    body: str


def steps():
    text = PAGE.read_text(encoding="utf-8")
    return [Step(text.count("\n", 0, found.start()) + 1, found["kind"], found["path"], found["body"]) for found in BLOCK.finditer(text)]


def missing(promised, printed):
    """The first promised line that does not come after the ones before it; None where all do."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    for wanted in promised.splitlines():
        pattern = re.compile(".*".join(map(re.escape, wanted.rstrip().split("…"))))
        if wanted.strip("… ") and not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return None


@pytest.fixture(scope="module")
def project(make_project, free_ports):
    project, names = make_project(), ("TALLY_PORT", "TALLY_MLFLOW_PORT", "TALLY_REPORTS_PORT")
    environment = {**dict(zip(names, map(str, free_ports(3)), strict=True)), **IDENTITY}
    yield project, environment
    project.run("tally", "stop", **environment)


def test_the_page_is_true(project):
    checkout, environment = project
    printed = ""
    for step in steps():
        where = f"{PAGE.name}, line {step.line}"
        if step.path:
            written = checkout.path / step.path
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(step.body, encoding="utf-8")
        elif step.kind == "bash":
            done = checkout.run("bash", "-euo", "pipefail", "-c", step.body, **environment)
            printed = done.stdout + done.stderr
            assert done.returncode == 0, f"{where}:\n{printed}"
        else:
            assert missing(step.body, printed) is None, f"{where}: {missing(step.body, printed)!r} is not in\n{printed}"


def test_a_promise_that_is_not_kept_is_noticed():
    assert missing("a …\nc", "a 1\nb\nc\n") is None
    assert missing("c\na …", "a 1\nb\nc\n") == "a …"
    assert missing("a", "a 1\n") == "a"


def test_every_page_block_is_of_a_kind_that_is_tested():
    assert {step.kind for step in steps() if not step.path} == {"bash", "text"}
