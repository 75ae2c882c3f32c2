"""Fixtures: the mill with a window, in a folder as the pipeline leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
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


@pytest.fixture
def exported(at_home: SimpleNamespace, tmp_path: Path) -> Path:
    """The window as `tally export` writes one of live decisions: no outcome, and no application the vault could know."""
    frame = pd.read_parquet(at_home.window)
    frame.assign(application_id="live " + frame["decision_id"], bad=float("nan")).to_parquet(tmp_path / "exported.parquet")
    return tmp_path / "exported.parquet"
