"""Stored features as they are known now, in Feast's online tables.

Responsible for publishing the latest values. Judges no value and no age; reads nothing online (`serving.features` does, without Feast).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FeatureStore
from tqdm import tqdm

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.opening import ONLINE, declare, opened, quiet, require
from feature_repo.portfolio import Portfolio


def publish(portfolio: Portfolio, views: Path, home: Path) -> dict[str, int]:
    """Write each applicant's latest values into `home/online.db`, with Feast's registry beside it; applicants written, by view.

    Harmless to repeat: equal data leave equal values. Readers are never blocked. Values of applicants no longer in the data stay.
    """
    if not portfolio.views:
        return {}
    require(portfolio, views)
    home.mkdir(parents=True, exist_ok=True)
    _let_readers_read(home / ONLINE)
    with quiet():
        store = opened(portfolio, home)
        declare(store, portfolio, views)
        return {table.name: _materialize(store, table.name, views / f"{table.name}.parquet") for table in portfolio.views}


def _materialize(store: FeatureStore, view: str, path: Path) -> int:
    rows = pq.read_table(path, columns=[APPLICANT_ID, EVENT_TIME])
    if not rows.num_rows:
        return 0
    bounds = pc.min_max(rows[EVENT_TIME]).as_py()
    count = pc.count_distinct(rows[APPLICANT_ID]).as_py()
    online = store.provider.online_store
    write = online.online_write_batch
    with tqdm(total=count, desc=f"publish {view}", unit=" applicants", disable=None) as bar:
        online.online_write_batch = _with_progress(write, bar.update)
        store.materialize(bounds["min"], bounds["max"], feature_views=[view])
    online.online_write_batch = write
    return int(count)


def _with_progress(write: Callable[..., None], advance: Callable[[int], Any]) -> Callable[..., None]:
    """Feast's local engine reports no progress; its writer does when asked."""
    def written(**arguments: Any) -> None:
        write(**{**arguments, "progress": advance})
    return written


def _let_readers_read(path: Path) -> None:
    """Write-ahead logging is a lasting property of the file: scoring reads while a publish writes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
