"""`tally portfolio maturity` on the real dated file prints the figures of its README and of docs/out-of-time.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tally.__main__ import tally

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown(data_dir):
    done = CliRunner().invoke(tally, ["portfolio", "maturity", "sba_504"], env={"TALLY_DATA_DIR": str(data_dir)})
    assert done.exit_code == 0, done.output
    return done.output


def test_bad_ever_by_vintage_is_that_of_the_readme(shown, data_dir):
    readme = " ".join((data_dir / "README.md").read_text().split())
    printed = {fields[0]: fields[3].strip("()") for fields in map(str.split, shown.splitlines()) if fields and fields[0].isdigit()}

    stated = readme.split("Share charged off by approval year:")[1].split(". By period")[0]
    for vintage, share in (each.split() for each in stated.split(", ")):
        assert printed[vintage] == share


def test_what_is_printed_is_what_the_documentation_shows(shown):
    document = (ROOT / "docs" / "out-of-time.md").read_text()

    for line in filter(None, map(str.rstrip, shown.splitlines())):
        assert line in document
