"""Fixtures every test may use: the real data files, and one closing line where they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA_DIR = os.environ.get("TALLY_DATA_DIR")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests on real files out where no TALLY_DATA_DIR is set; in CI that is an error, not an omission."""
    if DATA_DIR:
        return
    if os.environ.get("CI"):
        raise pytest.UsageError("TALLY_DATA_DIR must be set in CI: tests on real files may not be left out")
    real = [item for item in items if "data_dir" in getattr(item, "fixturenames", ())]
    config.stash[LEFT_OUT] = len(real)
    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in real]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out and what to set."""
    if config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{config.stash[LEFT_OUT]} tests on real files left out: set TALLY_DATA_DIR to the folder that holds taiwan_default/")


LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data files."""
    return Path(os.environ["TALLY_DATA_DIR"]).resolve()
