"""Fixtures: windows of the mill, as the baseline writes them, and the parameters of params.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from borrowers import brought

from feature_repo.contract import APPLICATION_ID
from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from governance.release import Release, verify
from monitoring import scored
from monitoring.params import DriftParams, FairnessParams, PerformanceParams
from monitoring.stages import baseline
from serving.scoring import decision

PARAMS = Path(__file__).parents[2] / "params.yaml"


@dataclass(frozen=True)
class Watched:
    """A verified release of the mill, and decisions it made: 12,000 over 24 months, about 500 a month."""

    portfolio: Portfolio
    release: Release
    frame: pd.DataFrame


@pytest.fixture(scope="session")
def watched(mill: Portfolio, mill_model: SimpleNamespace, borrow: Callable[..., pd.DataFrame]) -> Watched:
    release = verify(mill_model.release)
    applications = borrow(mill, 24_000, seed=4)
    frame = scored.decisions(applications, decision.load(release, mill), release)
    random = np.random.default_rng(3)
    groups = {column.name: random.choice(column.group_names, len(frame)) for column in mill.protected}
    return Watched(mill, release, frame.assign(**groups))


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
def window_file(watched: Watched, tmp_path: Path) -> Path:
    """The window as a file."""
    watched.frame.to_parquet(tmp_path / "window.parquet", index=False)
    return tmp_path / "window.parquet"


@pytest.fixture
def vault(watched: Watched, tmp_path: Path) -> Path:
    """The groups of the window's applications, as ingest leaves them."""
    names = [column.name for column in watched.portfolio.protected]
    watched.frame[[APPLICATION_ID, *names]].to_parquet(tmp_path / "protected.parquet")
    return tmp_path


@pytest.fixture(scope="session")
def drift_params() -> DriftParams:
    return read("drift", DriftParams, PARAMS)


@pytest.fixture(scope="session")
def performance_params() -> PerformanceParams:
    return read("performance", PerformanceParams, PARAMS)


@pytest.fixture(scope="session")
def fairness_params() -> FairnessParams:
    return read("fairness", FairnessParams, PARAMS)
