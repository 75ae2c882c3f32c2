"""Fixtures: windows as others than the baseline leave them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest


@pytest.fixture
def exported(at_home: SimpleNamespace, tmp_path: Path) -> Path:
    """The window as `tally export` writes one of live decisions: no outcome, and no application the vault could know."""
    frame = pd.read_parquet(at_home.window)
    frame.assign(application_id="live " + frame["decision_id"], bad=float("nan")).to_parquet(tmp_path / "exported.parquet")
    return tmp_path / "exported.parquet"
