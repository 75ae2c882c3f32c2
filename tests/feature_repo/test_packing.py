"""Packed rows are right or absent, whoever writes, deletes or makes Feast's tables anew."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import odd_views
import pandas as pd
import plain_feast
import pytest

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import encode, entity_key
from feature_repo.packing import FEW, WHAT, keeping, pack, packed, tables
from serving.online.sqlite import LOOK_EVERY, SqliteFeatures

PEOPLE = odd_views.applicants(400)
WRITES = (
    'INSERT OR REPLACE INTO "{table}" (entity_key, feature_name, value) VALUES (:key, :name, :value)',
    """INSERT INTO "{table}" (entity_key, feature_name, value) VALUES (:key, :name, :value)
       ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = excluded.value""",
    'UPDATE "{table}" SET value = :value WHERE entity_key = :key AND feature_name = :name',
    'UPDATE OR REPLACE "{table}" SET entity_key = :other WHERE entity_key = :key AND feature_name = :name',
    'DELETE FROM "{table}" WHERE entity_key = :key AND feature_name > :name',
)


@pytest.fixture
def published(harbour, tmp_path):
    """Plain Feast's store, its database, packed."""
    views = odd_views.write(harbour, PEOPLE, tmp_path / "views")
    feast = plain_feast.opened(harbour, views, tmp_path / "home")
    plain_feast.materialize(feast, harbour, views)
    database = tmp_path / "home" / "online.db"
    assert pack(database, harbour) == count(database, harbour) > len(PEOPLE)
    return feast, database, views


def count(database, portfolio, what=lambda table: table) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return sum(connection.execute(f'SELECT count(DISTINCT entity_key) FROM "{what(table)}"').fetchone()[0]  # noqa: S608
                   for table in tables(portfolio))


def wrong(database, portfolio) -> list:
    """Packed rows that are not what Feast's rows are now, in any order of names."""
    found = []
    with closing(sqlite3.connect(database)) as connection:
        for table in tables(portfolio):
            now = {key: told(*rest) for key, *rest in connection.execute(f'SELECT {WHAT} FROM "{table}" GROUP BY entity_key')}  # noqa: S608
            found += [key for key, *rest in connection.execute(f'SELECT * FROM "{packed(table)}"') if now.get(key) != told(*rest)]  # noqa: S608
    return found


def told(names: str, values: bytes) -> tuple:
    return names, values


def test_packing_again_packs_nothing_and_feast_reads_as_before(harbour, published):
    feast, database, _ = published
    before = plain_feast.asked(feast, harbour, PEOPLE)

    assert pack(database, harbour) == 0
    assert str(plain_feast.asked(feast, harbour, PEOPLE)) == str(before)
    assert wrong(database, harbour) == []


def test_what_feast_writes_later_is_read_at_once_and_the_others_stay_packed(harbour, published):
    feast, database, _ = published
    table, store = harbour.views[0], SqliteFeatures(database, harbour)
    before = store.read_many(PEOPLE)
    moment = pd.Timestamp("2030-01-01", tz="UTC")
    values = {column.name: column.level_names[0] if column.is_level else 4.5 for column in table.stored}
    row = {APPLICANT_ID: [PEOPLE[7]], EVENT_TIME: [moment], "created_timestamp": [moment], table.as_of: [moment.timestamp()],
           **{name: [value] for name, value in values.items()}}
    with plain_feast.quiet():
        feast.write_to_online_store(table.name, pd.DataFrame(row))

    assert store.read(PEOPLE[7]) == {**before[7], table.as_of: moment.timestamp(), **values}
    assert store.read_many([*PEOPLE[:7], *PEOPLE[8:]]) == [*before[:7], *before[8:]]
    assert count(database, harbour) - count(database, harbour, packed) == 1
    assert pack(database, harbour) == 1


@pytest.mark.parametrize("many", [1, FEW + 50])
@pytest.mark.parametrize("ending", ["ROLLBACK", "COMMIT"])
def test_a_writer_packs_what_it_writes_in_the_same_transaction(harbour, published, many, ending):
    _, database, _ = published
    view, table, store = harbour.views[1], tables(harbour)[1], SqliteFeatures(database, harbour)
    names = [view.as_of, *(column.name for column in view.stored)]
    before, people = store.read_many(PEOPLE), PEOPLE[:many]
    rows = [(entity_key(one), [encode(float(at)), b"", *(encode(2.0) for _ in names[2:])]) for at, one in enumerate(people)]
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with keeping(connection, table, names, rows):
            for key, values in rows:
                connection.executemany(WRITES[1].format(table=table), [{"key": key, "name": name, "value": value}
                                                                                   for name, value in zip(names, values, strict=True)])
        connection.execute(ending)
    after = [{**one, **dict.fromkeys(names, 2.0), names[0]: float(at), names[1]: None} for at, one in enumerate(before[:many])]

    assert store.read_many(PEOPLE) == (before if ending == "ROLLBACK" else [*after, *before[many:]])
    assert count(database, harbour, packed) == count(database, harbour)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f'DELETE FROM "{table}" WHERE entity_key = ?', (entity_key(PEOPLE[0]),))  # noqa: S608
        connection.commit()
    assert {store.read(PEOPLE[0])[name] for name in names} == {None}


def test_a_row_packed_by_who_did_not_know_a_column_is_read_from_feasts(harbour, published):
    _, database, _ = published
    view, table, store = harbour.views[0], tables(harbour)[0], SqliteFeatures(database, harbour)
    before = store.read_many(PEOPLE)
    rows = [(entity_key(one), [encode(1.0)]) for one in PEOPLE]
    with closing(sqlite3.connect(database, isolation_level=None)) as connection, keeping(connection, table, [view.as_of], rows):
        pass

    assert store.read_many(PEOPLE) == before


def test_whatever_is_done_to_feasts_rows_no_packed_row_is_of_before(harbour, published):
    _, database, _ = published
    draw = random.Random(5)  # noqa: S311 - which write is next
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for _ in range(300):
            table = draw.choice(tables(harbour))
            key, other = (entity_key(draw.choice([*PEOPLE, "newcomer"])) for _ in range(2))
            name, value = draw.choice(["hull_wear", "mooring_debt", "more"]), encode(draw.random())
            connection.execute(draw.choice(WRITES).format(table=table), {"key": key, "other": other, "name": name, "value": value})
    assert wrong(database, harbour) == []
    pack(database, harbour)
    assert wrong(database, harbour) == []
    assert count(database, harbour) == count(database, harbour, packed)


def test_packed_rows_of_a_table_that_was_made_anew_are_not_believed(harbour, published):
    _, database, _ = published
    table = tables(harbour)[0]
    with closing(sqlite3.connect(database)) as connection:
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        connection.execute(f'DROP TABLE "{table}"')
        connection.execute(made)
        connection.commit()
    store = SqliteFeatures(database, harbour)
    names = {harbour.views[0].as_of, *(column.name for column in harbour.views[0].stored)}

    assert {vector[name] for vector in store.read_many(PEOPLE) for name in names} == {None}
    pack(database, harbour)
    assert wrong(database, harbour) == []
    assert {vector[name] for vector in store.read_many(PEOPLE) for name in names} == {None}


def test_a_table_that_is_gone_is_an_error_and_not_what_was_packed_of_it(harbour, published):
    _, database, _ = published
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f'DROP TABLE "{tables(harbour)[0]}"')
        connection.commit()
    with pytest.raises(FeatureError, match="cannot be read"):
        SqliteFeatures(database, harbour).read(PEOPLE[0])


def test_packed_rows_of_a_view_that_is_no_more_go(harbour, published):
    _, database, _ = published
    fewer = replace(harbour, tables=harbour.tables[:2])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f'DROP TABLE "{tables(harbour)[1]}"')
        connection.commit()
        pack(database, fewer)
        left = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert left == {*tables(fewer), *map(packed, tables(fewer))}


def test_an_open_reader_finds_packed_rows_soon_and_the_same_values(harbour, tmp_path):
    views = odd_views.write(harbour, PEOPLE, tmp_path / "views")
    plain_feast.materialize(plain_feast.opened(harbour, views, tmp_path / "home"), harbour, views)
    store = SqliteFeatures(tmp_path / "home" / "online.db", harbour)
    before = store.read_many(PEOPLE)
    pack(tmp_path / "home" / "online.db", harbour)
    time.sleep(LOOK_EVERY)

    assert store.read_many(PEOPLE) == before
    assert store._opened()._packed


def test_packing_what_is_not_published_is_an_error(harbour, tmp_path):
    with pytest.raises(FeatureError, match="published"):
        pack(tmp_path / "online.db", harbour)
