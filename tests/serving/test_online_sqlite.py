"""Stored features in SQLite: read-only, beside a publish, and soon an error where the file cannot be read."""

from __future__ import annotations

import sqlite3
import time

import pytest

from feature_repo.errors import FeatureError
from feature_repo.store import publish
from serving.online.sqlite import SqliteFeatures
from training.assembly import save, view


@pytest.fixture(scope="module")
def published(harbour, invent, tmp_path_factory):
    """The harbour's online store, and its features."""
    folder = tmp_path_factory.mktemp("online")
    tables = invent(harbour, ["anna", "björn"])
    for table in harbour.views:
        save(view(harbour, table, tables[table.name]), folder / f"{table.name}.parquet")
    publish(harbour, folder, folder / "home")
    return folder / "home" / "online.db"


def test_reading_never_writes(harbour, published):
    online = SqliteFeatures(published, harbour)
    online.read("anna")

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        online._opened().connection.execute("CREATE TABLE x (y)")


def test_a_publish_in_progress_blocks_no_reader(harbour, published):
    online = SqliteFeatures(published, harbour)
    before = online.read("anna")
    writer = sqlite3.connect(published)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute(f"DELETE FROM {harbour.name}_{harbour.views[0].name}")  # noqa: S608
    try:
        assert SqliteFeatures(published, harbour).read("anna") == before
    finally:
        writer.rollback()
        writer.close()


def test_a_store_that_is_missing_foreign_or_held_is_one_clear_error_soon(harbour, tmp_path):
    database = tmp_path / "online.db"
    online = SqliteFeatures(database, harbour)
    with pytest.raises(FeatureError, match="cannot be read"):
        online.read("anna")
    assert not database.exists()
    database.write_bytes(b"not a database" * 1_000)
    with pytest.raises(FeatureError, match="not a database"):
        online.read("anna")
    database.unlink()
    holder = sqlite3.connect(database, isolation_level=None)
    with pytest.raises(FeatureError, match="no such table"):
        online.read("anna")
    for table in harbour.views:
        holder.execute(f"CREATE TABLE {harbour.name}_{table.name} (entity_key, feature_name, value)")
    holder.execute("BEGIN EXCLUSIVE")
    began = time.perf_counter()
    with pytest.raises(FeatureError, match="locked"):
        online.read("anna")
    assert time.perf_counter() - began < 2
    holder.execute("ROLLBACK")
    assert set(online.read("anna").values()) == {None}
    holder.close()
