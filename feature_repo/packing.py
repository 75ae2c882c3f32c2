"""Each applicant's rows of a Feast table in SQLite once more as one row: reading twenty rows takes twenty times what reading one does.

Responsible for that copy being right or absent: triggers of Feast's own table take an applicant's packed row away in the transaction that
changes theirs, whoever writes. A reader believes no packed row of a table without its triggers (Feast may have made it anew), and finds
what is not packed in Feast's rows. Changes nothing Feast reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import encode
from feature_repo.portfolio import Portfolio

PATIENCE = 30.0
FEW = 100  # rows for which it does not pay to take triggers away
CHUNK = 2_500  # applicants in a transaction: some hundredths of a second
NOTHING = encode(float("nan"))  # for no value at all: a row of numbers alone is unpacked in one go
# Names and values come in one order, and each value says how long it is.
WHAT = f"entity_key, group_concat(feature_name), CAST(group_concat(CASE value WHEN x'' THEN x'{NOTHING.hex()}' ELSE value END) AS BLOB)"
GONE = """SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'packed:%'
          AND substr(name, 8) NOT IN (SELECT name FROM sqlite_master WHERE type = 'table')"""
Row = tuple[bytes, Sequence[bytes]]
EVENTS = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}


def pack(database: Path, portfolio: Portfolio) -> int:
    """Pack what is not packed yet, and how many rows that were; harmless to repeat, and to stop. Raises FeatureError.

    Readers are not held up, and writers for hundredths of a second.
    """
    try:
        with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as connection:
            _tidy(connection)
            return sum(_pack(connection, table) for table in tables(portfolio))
    except sqlite3.Error as error:
        raise FeatureError(f"online features {database} cannot be packed ({error}); are they published?") from None


@contextmanager
def keeping(connection: sqlite3.Connection, table: str, names: Sequence[str], rows: Sequence[Row]) -> Iterator[None]:
    """Within, in one transaction, write these rows into Feast's table; they are packed then. rows: key, values in the order of `names`.

    Where they are many, the triggers are away until it ends: each of them looks at each value.
    """
    _guard(connection, table)
    if len(rows) > FEW:
        for event in EVENTS:
            connection.execute(f'DROP TRIGGER "{packed(table)}:{event}"')
    yield
    together = ",".join(names)
    connection.executemany(f'INSERT OR REPLACE INTO "{packed(table)}" VALUES (?, ?, ?)',  # noqa: S608 - contract names
                           ((key, together, b",".join([value or NOTHING for value in values])) for key, values in rows))
    _draw(connection, table)


def tables(portfolio: Portfolio) -> tuple[str, ...]:
    """Feast's table of each view."""
    return tuple(f"{portfolio.name}_{table.name}" for table in portfolio.views)


def packed(table: str) -> str:
    """The table of packed rows beside Feast's. No name of a project or view has a colon."""
    return f"packed:{table}"


def _tidy(connection: sqlite3.Connection) -> None:
    """Packed rows of a table that Feast has dropped go as well."""
    with _transaction(connection):
        for (gone,) in connection.execute(GONE).fetchall():
            connection.execute(f'DROP TABLE "{gone}"')


def _pack(connection: sqlite3.Connection, table: str) -> int:
    """In short transactions, so that other writers need not wait for all of it."""
    with _transaction(connection):
        _guard(connection, table)
    missing = f'SELECT DISTINCT entity_key FROM "{table}" EXCEPT SELECT entity_key FROM "{packed(table)}" ORDER BY 1'  # noqa: S608 - contract names
    keys, made = connection.execute(missing).fetchall(), 0
    fill = f'INSERT OR IGNORE INTO "{packed(table)}" SELECT {WHAT} FROM "{table}" WHERE entity_key BETWEEN ? AND ? GROUP BY entity_key'  # noqa: S608
    for start in range(0, len(keys), CHUNK):
        some = keys[start:start + CHUNK]
        with _transaction(connection):
            made += connection.execute(fill, (*some[0], *some[-1])).rowcount
    return made


def _guard(connection: sqlite3.Connection, table: str) -> None:
    """The table of packed rows, empty where Feast's table had not all its triggers until now."""
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{packed(table)}" (entity_key BLOB PRIMARY KEY, names TEXT, told BLOB) WITHOUT ROWID')
    if not connection.execute(f"SELECT {_guarded(table)}").fetchone()[0]:
        connection.execute(f'DELETE FROM "{packed(table)}"')  # noqa: S608 - contract names
        _draw(connection, table)


def _draw(connection: sqlite3.Connection, table: str) -> None:
    for event, keys in EVENTS.items():
        connection.execute(_trigger(table, event, keys))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _trigger(table: str, event: str, keys: Sequence[str]) -> str:
    which = ", ".join(f"{key}.entity_key" for key in keys)
    return (f'CREATE TRIGGER IF NOT EXISTS "{packed(table)}:{event}" AFTER {event} ON "{table}" '  # noqa: S608 - contract names
            f'BEGIN DELETE FROM "{packed(table)}" WHERE entity_key IN ({which}); END')


def _guarded(table: str) -> str:
    """Whether all triggers are there that keep packed rows right."""
    return (f"(SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}' "  # noqa: S608 - contract names
            f"AND name LIKE 'packed:%') = {len(EVENTS)}")


@lru_cache(256)
def from_packed(names: tuple[str, ...], count: int) -> str:
    """Packed rows of `count` keys: the place of the table, key, names, values."""
    return " UNION ALL ".join(
        f'SELECT {place}, entity_key, names, told FROM "{packed(table)}" WHERE entity_key IN ({_keys(count)}) '  # noqa: S608 - contract names
        f"AND {_guarded(table)}" for place, table in enumerate(names))


@lru_cache(256)
def from_rows(names: tuple[str, ...], count: int) -> str:
    """The same from Feast's own rows."""
    return " UNION ALL ".join(
        f'SELECT {place}, {WHAT} FROM "{table}" WHERE entity_key IN ({_keys(count)}) GROUP BY entity_key'  # noqa: S608 - contract names
        for place, table in enumerate(names))


def _keys(count: int) -> str:
    return ", ".join(f"?{at}" for at in range(1, count + 1))
