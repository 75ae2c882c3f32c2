"""Fixtures: the mill with a window, in a folder as the pipeline leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from borrowers import brought

from monitoring.stages import baseline


@pytest.fixture(scope="session")
def monitored(mill_model: SimpleNamespace) -> SimpleNamespace:
    """The folders of the mill's run, with `window` from the real baseline stage; the working directory holds params.yaml."""
    folder = mill_model.evaluate.parent
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        baseline.main("mill", mill_model.assemble, mill_model.split, mill_model.release, folder / "baseline")
    return SimpleNamespace(**vars(mill_model), folder=folder, window=folder / "baseline" / "window.parquet")


@pytest.fixture
def at_home(monitored: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """`monitored`, with the mill known by name and the working directory where params.yaml is."""
    with brought():
        monkeypatch.chdir(monitored.folder)
        yield monitored
