"""Stored features through Feast: what was known at each application's moment, and what is known now.

Responsible for the point-in-time join (DuckDB) and for publishing the latest values into Feast's online tables (SQLite), both from
absolute paths and under one project per portfolio, since a second portfolio in a project deletes the first one's tables.
Judges no value and no age; reads nothing online (`serving.features` does, without Feast).
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FeatureService, FeatureStore, FeatureView, RepoConfig
from tqdm import tqdm

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.definitions import objects
from feature_repo.errors import FeatureError
from feature_repo.portfolio import Portfolio

SETTINGS = Path(__file__).with_name("feature_store.yaml")
ONLINE = "online.db"
REGISTRY = "registry.db"
ROW = "row"


def history(portfolio: Portfolio, applications: pd.DataFrame, views: Path) -> pd.DataFrame:
    """`applications` with every stored column and each view's as_of, as known at `event_timestamp`; NaN or None where nothing was.

    applications: at least `applicant_id` and a zoned `event_timestamp`. views: the folder of `<table>.parquet`. A row of a view counts
    from its own time on, however old it is. Raises FeatureError unless every application comes back once and in order.
    """
    if not portfolio.views:
        return applications
    _require(portfolio, views)
    keys = applications[[APPLICANT_ID, EVENT_TIME]].reset_index(drop=True).assign(**{ROW: np.arange(len(applications))})
    if keys.isna().to_numpy().any() or keys.empty:
        without = int(keys.isna().any(axis=1).sum())
        raise FeatureError(f"{len(keys)} applications, {without} without {APPLICANT_ID} or {EVENT_TIME}; at least one, each with both")
    with tempfile.TemporaryDirectory() as home, _quiet():
        store = _open(portfolio, Path(home))
        _apply(store, portfolio, views)
        found = store.get_historical_features(keys, store.get_feature_service(portfolio.name)).to_df()
    found = found.sort_values(ROW, ignore_index=True)
    if not found[ROW].equals(keys[ROW]):
        raise FeatureError(f"{len(keys)} applications went into the join and {len(found)} rows came back; each must come back once")
    return applications.assign(**{name: found[name].to_numpy() for name in _columns(portfolio)})


def publish(portfolio: Portfolio, views: Path, home: Path) -> dict[str, int]:
    """Write each applicant's latest values into `home/online.db`, with Feast's registry beside it; applicants written, by view.

    Harmless to repeat: equal data leave equal values. Readers are never blocked. Values of applicants no longer in the data stay.
    """
    if not portfolio.views:
        return {}
    _require(portfolio, views)
    home.mkdir(parents=True, exist_ok=True)
    _let_readers_read(home / ONLINE)
    with _quiet():
        store = _open(portfolio, home)
        _apply(store, portfolio, views)
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


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what Feast prints, and what ibis warns of DuckDB's newer names."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"fetch_arrow_table\(\) is deprecated", category=DeprecationWarning)
        yield


def _with_progress(write: Callable[..., None], advance: Callable[[int], Any]) -> Callable[..., None]:
    """Feast's local engine reports no progress; its writer does when asked."""
    def written(**arguments: Any) -> None:
        write(**{**arguments, "progress": advance})
    return written


def _open(portfolio: Portfolio, home: Path) -> FeatureStore:
    """The settings plain Feast uses, with this portfolio's project and absolute places."""
    settings: dict[str, Any] = msgspec.yaml.decode(SETTINGS.read_bytes())
    places = {"project": portfolio.name, "registry": str(home.resolve() / REGISTRY),
              "online_store": {**settings["online_store"], "path": str(home.resolve() / ONLINE)}}
    return FeatureStore(config=RepoConfig(**{**settings, **places}))


def _apply(store: FeatureStore, portfolio: Portfolio, views: Path) -> None:
    """Make Feast know exactly what the contract declares: what is gone from it goes from the store."""
    declared = list(objects(portfolio, views).values())
    kept = {thing.name for thing in declared if isinstance(thing, FeatureView | FeatureService)}
    gone = [thing for thing in [*store.list_feature_services(), *store.list_feature_views()] if thing.name not in kept]
    store.apply(declared, objects_to_delete=gone, partial=False)


def _let_readers_read(path: Path) -> None:
    """Write-ahead logging is a lasting property of the file: scoring reads while a publish writes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _columns(portfolio: Portfolio) -> list[str]:
    return [name for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))]


def _require(portfolio: Portfolio, views: Path) -> None:
    gone = [f"{table.name}.parquet" for table in portfolio.views if not (views / f"{table.name}.parquet").is_file()]
    if gone:
        raise FeatureError(f"{views} lacks {gone}; run the featurize stage first")
