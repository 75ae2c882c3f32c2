"""Fixtures: a portfolio that is not ours, and tables as ingest writes them for any portfolio, drawn from its contract."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_repo import portfolios
from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME, NO_TIME, Application, Input
from feature_repo.portfolio import Portfolio


@pytest.fixture(scope="session")
def harbour() -> Portfolio:
    """A dated portfolio with two views that is not ours, loaded as a file of its own."""
    with brought() as name:
        return portfolios.load(name)


@contextlib.contextmanager
def brought() -> Iterator[str]:
    """`tests/portfolios` beside the platform's own: bring your own portfolio."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portfolios, "__path__", [*portfolios.__path__, str(Path(__file__).parent / "portfolios")])
        yield "harbour"


@pytest.fixture
def brought_harbour(harbour: Portfolio) -> Iterator[Portfolio]:
    """The same, found by its name while the test runs."""
    with brought():
        yield harbour


@pytest.fixture
def toy(harbour: Portfolio) -> Portfolio:
    """One view with one number column: the smallest portfolio with a history."""
    table = harbour.views[0]
    kept = tuple(column for column in table.columns if getattr(column, "name", None) in {None, harbour.stored[0].name})
    return replace(harbour, tables=(harbour.tables[0], replace(table, columns=kept)))


@pytest.fixture(scope="session")
def invent() -> Callable[..., dict[str, pd.DataFrame]]:
    """Tables as ingest writes them, by name, for any portfolio: three months of snapshots, then one application each."""
    return invented


def invented(portfolio: Portfolio, applicants: list[str], *, seed: int = 0) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(seed)
    tables = {}
    for table in portfolio.tables:
        months = [4] if table is portfolio.applications else [1, 2, 3]
        keys = np.tile(np.array(applicants, dtype=object), len(months))
        starts = np.repeat(np.array([f"2024-{month:02}-01" for month in months], dtype="datetime64[us]"), len(applicants))
        times = pd.Series(starts + random.integers(0, 27 * 86_400 * 10**6, len(keys)).astype("timedelta64[us]")).dt.tz_localize("UTC")
        inputs = {column.name: _draw(column, random, len(keys)) for column in table.select(Input)}
        tables[table.name] = pd.DataFrame({APPLICANT_ID: keys, EVENT_TIME: times if portfolio.is_dated else NO_TIME, **inputs})
    first = tables[portfolio.applications.name]
    own_key = portfolio.applications.select(Application)
    first[APPLICATION_ID] = [f"a{number}" for number in range(len(first))] if own_key else first[APPLICANT_ID]
    first[BAD] = random.choice([0.0, 1.0, np.nan], len(first))
    return tables


def _draw(column: Input, random: np.random.Generator, n: int) -> np.ndarray:
    if column.is_level:
        return random.choice(np.array([*column.level_names, None], dtype=object), n)
    low, high = column.low if column.low is not None else -1e9, column.high if column.high is not None else 1e9
    return np.where(random.random(n) < 0.1, np.nan, random.uniform(low, high, n))
