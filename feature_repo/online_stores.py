"""Feast's online stores, written by our writers: whatever command writes, no older value overwrites a newer one.

Responsible for what `feast materialize`, `store.push` and `write_to_online_store` write through Feast's own objects. Reads stay Feast's.
`feature_store.yaml` names `TallyOnlineStore`: Redis where TALLY_FEATURES has an address, else SQLite. A view without an as_of
is not of a contract, and written as Feast does.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import isinf
from pathlib import Path
from typing import Any

import redis
from feast import FeatureView, RepoConfig
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from feast.infra.online_stores.sqlite import SqliteOnlineStore, SqliteOnlineStoreConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value as FeastValue
from feast.utils import make_tzaware

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value
from feature_repo.pushed_tables import INFINITE
from feature_repo.writers import Rows, View, Writer, writer
from feature_repo.writers.redis import progress_key

SETTING = "TALLY_FEATURES"
MAKE = """CREATE TABLE IF NOT EXISTS "{name}" (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, vector_value BLOB,
event_ts timestamp, created_ts timestamp, PRIMARY KEY (entity_key, feature_name)) WITHOUT ROWID"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[EntityKey, dict[str, FeastValue], datetime, datetime | None]
Progress = Callable[[int], Any] | None


class _Careful(OnlineStore):  # type: ignore[misc]  # Feast is untyped
    """The half that both stores share."""

    _writer: Writer | None = None

    def online_write_batch(self, config: RepoConfig, table: FeatureView, data: list[Row], progress: Progress) -> None:
        names = [feature.name for feature in table.features]
        view = View(config.project, table.name, tuple(name for name in names if name != f"{table.name}_as_of"))
        if view.as_of not in names or not data:
            super().online_write_batch(config, table, data, progress)
            return
        if self._writer is None:
            self._writer = self._opened(config)
        self._writer.write(view, _rows(view, data))
        if progress:
            progress(len(data))

    async def online_write_batch_async(self, config: RepoConfig, table: FeatureView, data: list[Row], progress: Progress) -> None:
        await asyncio.to_thread(self.online_write_batch, config, table, data, progress)

    @abstractmethod
    def _opened(self, config: RepoConfig) -> Writer:
        """The writer of the store that the settings name."""


class TallySqliteOnlineStoreConfig(SqliteOnlineStoreConfig):  # type: ignore[misc]  # Feast is untyped
    """As Feast's own. address: none, so that one file of settings fits both stores."""

    type: str = "feature_repo.online_stores.TallySqliteOnlineStore"
    address: str = ""


class TallySqliteOnlineStore(_Careful, SqliteOnlineStore):  # type: ignore[misc]  # Feast is untyped
    """Feast's tables in a file that is read while it is written."""

    @staticmethod
    def _get_db_path(config: RepoConfig) -> str:
        return str(Path(config.repo_path or "", config.online_store.path))

    def update(self, config: RepoConfig, tables_to_delete: Sequence[FeatureView], tables_to_keep: Sequence[FeatureView],
               *more: Any, **named: Any) -> None:
        """Feast's table without a row number and without an index that repeats the table's key: half the bytes, and the same rows."""
        ours = [table for table in tables_to_keep if f"{table.name}_as_of" in (feature.name for feature in table.features)]
        super().update(config, tables_to_delete, [table for table in tables_to_keep if table not in ours], *more, **named)
        connection = self._get_conn(config)
        for table in ours:
            connection.execute(MAKE.format(name=f"{config.project}_{table.name}"))

    def _opened(self, config: RepoConfig) -> Writer:
        return writer(Path(self._get_db_path(config)))


class TallyRedisOnlineStoreConfig(RedisOnlineStoreConfig):  # type: ignore[misc]  # Feast is untyped
    """Feast's Redis by its address; empty: that of TALLY_FEATURES. path: as for SQLite, and not used."""

    type: str = "feature_repo.online_stores.TallyRedisOnlineStore"
    address: str = ""
    path: str = ""


class TallyRedisOnlineStore(_Careful, RedisOnlineStore):  # type: ignore[misc]  # Feast is untyped
    """Feast's hashes, written by a script of the server."""

    _client: redis.Redis | None = None
    _client_async: redis.asyncio.Redis | None = None

    def _get_client(self, online_store_config: TallyRedisOnlineStoreConfig) -> redis.Redis:
        if not self._client:
            self._client = redis.Redis.from_url(_address(online_store_config))
        return self._client

    async def _get_client_async(self, online_store_config: TallyRedisOnlineStoreConfig) -> redis.asyncio.Redis:
        if not self._client_async:
            self._client_async = redis.asyncio.Redis.from_url(_address(online_store_config))
        return self._client_async

    def delete_table(self, config: RepoConfig, table: FeatureView) -> None:
        super().delete_table(config, table)
        self._get_client(config.online_store).delete(progress_key(View(config.project, table.name, ())))

    def _opened(self, config: RepoConfig) -> Writer:
        return writer(Path(), _address(config.online_store))


def _address(config: TallyRedisOnlineStoreConfig) -> str:
    return config.address or os.environ[SETTING]


# Feast makes a store from its class alone, and the class of its settings by the class's name.
_settings = TallyRedisOnlineStoreConfig if os.environ.get(SETTING) else TallySqliteOnlineStoreConfig
_store = TallyRedisOnlineStore if os.environ.get(SETTING) else TallySqliteOnlineStore


class TallyOnlineStoreConfig(_settings):  # type: ignore[misc, valid-type]  # chosen where Feast starts
    """The settings of the store that the environment names."""

    type: str = "feature_repo.online_stores.TallyOnlineStore"


class TallyOnlineStore(_store):  # type: ignore[misc, valid-type]  # chosen where Feast starts
    """The store that the environment names."""


def _rows(view: View, data: list[Row]) -> Rows:
    """Feast's rows by column; the as_of is each row's own event time, whatever was said. Raises FeatureError for an infinite value."""
    columns = [[_value(values.get(name)) for _, values, *_ in data] for name in view.columns]
    if any(isinstance(value, float) and isinf(value) for column in columns for value in column):
        raise FeatureError(f"{view.name}: {INFINITE}")
    return Rows([key.entity_values[0].string_val for key, *_ in data], [_microseconds(time) for _, _, time, _ in data],
                [None if created is None or created != created else _microseconds(created) for *_, created in data],  # noqa: PLR0124 - NaT
                columns)


def _value(said: FeastValue | None) -> Value:
    which = said.WhichOneof("val") if said is not None else None
    found: Value = getattr(said, which) if which else None
    return found


def _microseconds(moment: datetime) -> int:
    return int((make_tzaware(moment) - EPOCH) // timedelta(microseconds=1))
