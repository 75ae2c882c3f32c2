"""Fixtures: borrowers of any portfolio whose outcome a model can learn, drawn from its contract, and a model made of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from feature_repo import portfolios
from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME, NO_TIME, Input
from feature_repo.derive import derive
from feature_repo.portfolio import Portfolio

ROOT = Path(__file__).parents[1]


def borrowers(portfolio: Portfolio, rows: int, *, seed: int = 0, unknown: float = 0.1) -> pd.DataFrame:
    """Applications as assemble writes them. Risk moves as the contract says; a few come from people who apply again."""
    random = np.random.default_rng(seed)
    log_odds, columns = np.full(rows, -1.2), {}
    for column in portfolio.raw_inputs:
        columns[column.name], effect = _draw(column, random, rows)
        log_odds += effect
    number = np.arange(rows)
    applicant = np.where(random.random(rows) < 0.05, random.integers(0, rows, rows), number)
    days = np.sort(random.integers(0, 730, rows)).astype("timedelta64[D]")
    times = (pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(days)) if portfolio.is_dated else NO_TIME
    bad = (random.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    keys = {APPLICATION_ID: [f"a{i:06}" for i in number], APPLICANT_ID: [f"p{i:06}" for i in applicant], EVENT_TIME: times}
    return pd.DataFrame({**keys, **derive(portfolio, columns), BAD: np.where(random.random(rows) < unknown, np.nan, bad)})


def _draw(column: Input, random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    missing = random.random(rows) < 0.05
    if column.is_level:
        at = random.integers(0, len(column.level_names), rows)
        return np.where(missing, None, np.array(column.level_names, dtype=object)[at]), at / len(column.level_names)
    place = random.beta(1, 2, rows)
    values = column.low + place * (column.high - column.low)
    for code in column.special:
        values = np.where(random.random(rows) < 0.05, code, values)
    return np.where(missing, np.nan, values), 2.5 * int(column.risk) * (place - 0.33)


@contextmanager
def brought() -> Iterator[None]:
    """`tests/portfolios` beside the platform's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portfolios, "__path__", [*portfolios.__path__, str(Path(__file__).parent / "portfolios")])
        yield


@pytest.fixture(scope="session")
def mill() -> Portfolio:
    """A dated portfolio with special codes, levels, missing values, derived features, rules and protected groups."""
    with brought():
        return portfolios.load("mill")


@pytest.fixture(scope="session")
def borrow() -> Callable[..., pd.DataFrame]:
    """Draws borrowers: `borrow(portfolio, rows, seed=0)`."""
    return borrowers


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., SimpleNamespace]:
    """Runs split, search, train and evaluate on a frame: `make_model(portfolio, frame, **params)`, where params override sections."""
    def make(portfolio: Portfolio, frame: pd.DataFrame, **sections: dict) -> SimpleNamespace:
        return run_stages(tmp_path_factory.mktemp(portfolio.name), portfolio, frame, sections)
    return make


@pytest.fixture(scope="session")
def mill_model(mill: Portfolio, make_model: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    """The folders of one run of split, search, train and evaluate on the mill, by stage name; trees are chosen."""
    return make_model(mill, borrowers(mill, 4000), train={"choice": {"prefer": "trees"}})


def run_stages(folder: Path, portfolio: Portfolio, frame: pd.DataFrame, sections: dict[str, dict]) -> SimpleNamespace:
    from training.stages import evaluate, search, split, train

    names = ("assemble", "split", "search", "train", "validate", "vault", "evaluate")
    at = SimpleNamespace(**{name: folder / name for name in names}, frame=frame)
    write_inputs(at, portfolio, frame)
    write_params(folder / "params.yaml", sections)
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        split.main(portfolio.name, at.assemble, at.split)
        search.main(portfolio.name, at.assemble, at.split, at.search)
        train.main(portfolio.name, at.assemble, at.split, at.search, at.train)
        evaluate.main(portfolio.name, at.assemble, at.split, at.train, at.validate / "verdict.json", at.vault, at.evaluate, *evidence(at))
    at.release = at.evaluate / "release"
    return at


def evidence(at: SimpleNamespace) -> tuple[Path, ...]:
    """What earlier stages wrote for the release, as dvc.yaml passes it to evaluate."""
    return at.search / "search.json", at.train / "monotonicity.json"


def write_inputs(at: SimpleNamespace, portfolio: Portfolio, frame: pd.DataFrame) -> None:
    """What assemble, validate and ingest (the vault) leave for a run."""
    for stage in (at.assemble, at.validate, at.vault):
        stage.mkdir()
    frame.to_parquet(at.assemble / "applications.parquet")
    verdict = {"success": True, "checks": 1, "failures": [], "warnings": [], "suite": "", "rows": {}}
    (at.validate / "verdict.json").write_text(json.dumps(verdict))
    random = np.random.default_rng(9)
    groups = {column.name: random.choice([*column.group_names, None], len(frame)) for column in portfolio.protected}
    pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], **groups}).to_parquet(at.vault / "protected.parquet")


def write_params(path: Path, sections: dict[str, dict]) -> None:
    """The platform's own params.yaml with `sections` laid over it."""
    import yaml

    shutil.copy(ROOT / "params.yaml", path)
    params = yaml.safe_load(path.read_text())
    for section, changes in sections.items():
        _overlay(params[section], changes)
    path.write_text(yaml.safe_dump(params))


def _overlay(target: dict, changes: dict) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            _overlay(target[key], value)
        else:
            target[key] = value
