"""docs/bring-your-own.md is true: its file is made, its contract drafted and checked, and both print what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "bring-your-own.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def drafted(make_project, tmp_path_factory):
    """A checkout after the page's first two commands, and what they printed."""
    project, folder = make_project(), tmp_path_factory.mktemp("mine")
    made = project.run("bash", "-c", blocks("bash")[0].replace("/tmp/mine", str(folder)))  # noqa: S108 - the page's own folder
    assert made.returncode == 0, made.stderr
    new = project.run("tally", "portfolio", "new", "workshops", "--from", str(folder / "workshops.csv"))
    return project, [new.stdout, project.run("tally", "portfolio", "check", "workshops").stdout]


@pytest.mark.parametrize("step", [0, 1], ids=["new", "check"])
def test_a_command_prints_what_the_page_shows(drafted, step):
    _, *shown = blocks("console")[step].splitlines()

    assert drafted[1][step].splitlines() == shown


def test_the_lines_shown_stand_in_the_contract(drafted):
    contract = (drafted[0].path / "feature_repo" / "portfolios" / "workshops.py").read_text(encoding="utf-8").splitlines()

    assert set(blocks("python")[0].splitlines()) <= set(contract)
