"""Feast as anybody has it: its own stores, written by its own commands, so that what we read is held against its bytes."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FeatureStore, RepoConfig

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.definitions import objects
from feature_repo.portfolio import Portfolio


def connection(address: str) -> str:
    """A redis:// address in Feast's words."""
    place, _, database = address.removeprefix("redis://").partition("/")
    return f"{place},db={database or 0}"


def opened(portfolio: Portfolio, views: Path, home: Path, address: str = "") -> FeatureStore:
    """Plain Feast over a portfolio's views, its objects applied. address: of Redis, or empty: SQLite in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    online: dict[str, Any] = {"type": "redis", "connection_string": connection(address)} if address else {
        "type": "sqlite", "path": str(home / "online.db")}
    config = RepoConfig(project=portfolio.name, provider="local", registry=str(home / "registry.db"), offline_store={"type": "duckdb"},
                        online_store=online, entity_key_serialization_version=3, materialization={"online_write_batch_size": 10_000})
    with quiet():
        store = FeatureStore(config=config)
        store.apply(list(objects(portfolio, views).values()))
    return store


def materialize(store: FeatureStore, portfolio: Portfolio, views: Path) -> None:
    """Every view, from its first row to its last."""
    for table in portfolio.views:
        times = pc.min_max(pq.read_table(views / f"{table.name}.parquet", columns=[EVENT_TIME])[EVENT_TIME]).as_py()
        with quiet():
            store.materialize(times["min"], times["max"], feature_views=[table.name])


def asked(store: FeatureStore, portfolio: Portfolio, applicants: list[str]) -> list[dict[str, Any]]:
    """What Feast answers for some applicants, one row each."""
    answer = store.get_online_features(store.get_feature_service(portfolio.name), [{APPLICANT_ID: one} for one in applicants]).to_dict()
    names = [name for name in answer if name != APPLICANT_ID]
    return [dict(zip(names, row, strict=True)) for row in zip(*(answer[name] for name in names), strict=True)]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
