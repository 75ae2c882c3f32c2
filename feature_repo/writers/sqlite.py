"""Feast's SQLite tables, filled as Feast fills them, at the speed of SQLite.

Responsible for one transaction per write that compares and writes under one lock, to the microsecond: Feast's `event_ts` counts in
seconds, the as_of beside the values does not (exact from 1833 to 2106). Created times are kept to the second, as Feast keeps them.
Makes no table of a view: that is Feast's to do, when its objects are applied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value, decode, entity_key
from feature_repo.packing import keeping
from feature_repo.writers import SECOND, Rows, View, Writer, encoded

ASKED = 500  # keys in one question
AT_ONCE = 25  # rows in one statement
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Feast counts its naive times as the machine's own
TIDY = 20_000  # pages of the journal: to copy them into the file more often writes the same pages again, a third of a publish's time
PROGRESS = "CREATE TABLE IF NOT EXISTS publishing (view TEXT PRIMARY KEY, publication TEXT, come INTEGER)"
TABLE = "SELECT * FROM sqlite_master WHERE type = 'table' AND name = ?"
COLUMNS = ("value", "value_text", "vector_value", "event_ts", "created_ts")


class Prepared(NamedTuple):
    """Rows as parameters. created: seconds."""

    view: View
    keys: list[bytes]
    times: Sequence[int]
    created: list[int | None]
    parameters: list[tuple[Any, ...]]


class SqliteWriter(Writer):
    """Writes to one file; each write is a transaction."""

    keeps_texts = True

    def __init__(self, database: Path, patience: float, *, durable: bool) -> None:
        self._database, self._patience, self._durable = database, patience, durable
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def prepare(self, view: View, rows: Rows) -> Prepared:
        rows = rows.newest()
        keys = [entity_key(applicant) for applicant in rows.applicants]
        created = [None if moment is None else _stamp(moment) for moment in rows.created]
        return Prepared(view, keys, rows.times, created, _parameters(keys, created, rows))

    def commit(self, prepared: Prepared, progress: tuple[str, int] | None = None) -> int:
        with self._transaction() as connection:
            taken = _newer(connection, prepared)
            all_of_them = len(taken) == len(prepared.keys)
            rows = prepared.parameters if all_of_them else [prepared.parameters[row] for row in taken]
            names, told = (prepared.view.as_of, *prepared.view.columns), [(row[0], row[3::2]) for row in rows]
            with keeping(connection, _table(prepared.view), names, told):
                _insert(connection, prepared.view, rows)
            if progress:
                connection.execute(PROGRESS)
                connection.execute("INSERT OR REPLACE INTO publishing VALUES (?, ?, ?)", (_table(prepared.view), *progress))
        return len(taken)

    def progress(self, view: View, publication: str) -> int:
        with self._transaction() as connection:
            if not all(connection.execute(TABLE, (name,)).fetchone() for name in ("publishing", _table(view))):
                return 0
            asked = (f'SELECT come FROM publishing WHERE view = ? AND publication = ? AND EXISTS (SELECT * FROM "{_table(view)}")')  # noqa: S608 - contract names
            found = connection.execute(asked, (_table(view), publication)).fetchone()
        return int(found[0]) if found else 0

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise FeatureError(f"online features {self._database} cannot be written ({error}); is it published, and is no other "
                                   "program holding it?") from None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._database, timeout=self._patience, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")  # a lasting property of the file: scoring reads while others write
            connection.execute("PRAGMA cache_size=-65536")
            connection.execute(f"PRAGMA wal_autocheckpoint={TIDY}")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
            self._connection = connection
        return self._connection


def _newer(connection: sqlite3.Connection, prepared: Prepared) -> list[int]:
    """The places of rows that are newer than what is there."""
    keys, times, created = prepared.keys, prepared.times, prepared.created
    there = _there(connection, prepared.view, keys)
    if not there:
        return list(range(len(keys)))
    return [row for row, key in enumerate(keys) if key not in there or _is_newer(times[row], created[row], *there[key])]


def _is_newer(time: int, created: int | None, there: int, then: int | None) -> bool:
    return time > there or (time == there and (created is None or then is None or created >= then))


def _there(connection: sqlite3.Connection, view: View, keys: list[bytes]) -> dict[bytes, tuple[int, int | None]]:
    """Event time (microseconds) and created time (seconds) of the rows that are there, by key."""
    (last,) = connection.execute(f'SELECT max(entity_key) FROM "{_table(view)}"').fetchone()  # noqa: S608 - contract names
    if not keys or last is None or last < min(keys):  # a first publication, which comes in the order of keys
        return {}
    found: dict[bytes, tuple[int, int | None]] = {}
    for start in range(0, len(keys), ASKED):
        some = keys[start:start + ASKED]
        asked = (f'SELECT entity_key, value, created_ts FROM "{_table(view)}" '  # noqa: S608 - contract names
                 f"WHERE feature_name = ? AND entity_key IN ({','.join('?' * len(some))})")
        for key, value, then in connection.execute(asked, (view.as_of, *some)):
            as_of = decode(value)
            if isinstance(as_of, float):
                found[key] = round(as_of * SECOND), then
    return found


def _parameters(keys: list[bytes], created: list[int | None], rows: Rows) -> list[tuple[Any, ...]]:
    """For each row: key, event time, created time, then value and text of the as_of and of every column."""
    columns: list[Sequence[Value]] = [[time / SECOND for time in rows.times], *rows.values]
    texts = [_texts(columns[0]), *(rows.texts or map(_texts, rows.values))]
    pairs = chain.from_iterable(zip(map(encoded, columns), texts, strict=True))
    return list(zip(keys, map(_stamp, rows.times), created, *pairs, strict=True))


def _texts(column: Sequence[Value]) -> list[str | None]:
    """Feast keeps each value as a text as well."""
    try:
        return list(map(float.__repr__, column))
    except TypeError:
        return [None if value is None else value if isinstance(value, str) else repr(value) for value in column]


def _insert(connection: sqlite3.Connection, view: View, parameters: list[tuple[Any, ...]]) -> None:
    """Many rows with each statement, while which other threads run; the rest one by one."""
    several = _statement(view, AT_ONCE)
    whole = len(parameters) - len(parameters) % AT_ONCE
    for start in range(0, whole, AT_ONCE):
        connection.execute(several, tuple(chain.from_iterable(parameters[start:start + AT_ONCE])))
    connection.executemany(_statement(view, 1), parameters[whole:])


@cache
def _statement(view: View, rows: int) -> str:
    """One row of a view is a row of the table for each feature, in the order of the table's key."""
    names = sorted(enumerate((view.as_of, *view.columns)), key=lambda named: named[1])
    each = 3 + 2 * len(names)
    values = ", ".join(f"(?{at + 1}, '{name}', ?{at + 4 + 2 * place}, ?{at + 5 + 2 * place}, NULL, ?{at + 2}, ?{at + 3})"
                       for at in range(0, rows * each, each) for place, name in names)
    updates = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
    return (f'INSERT INTO "{_table(view)}" (entity_key, feature_name, {", ".join(COLUMNS)}) VALUES {values} '  # noqa: S608 - contract names
            f"ON CONFLICT (entity_key, feature_name) DO UPDATE SET {updates}")


def _table(view: View) -> str:
    return f"{view.project}_{view.name}"


def _stamp(microseconds: int) -> int:
    """Seconds as Feast counts them: of the naive UTC time, taken for the machine's own."""
    return int(microseconds / SECOND) - _offset(microseconds // (900 * SECOND))


@lru_cache(100_000)
def _offset(quarter: int) -> int:
    """How far the machine's time is ahead of UTC in a quarter of an hour, in seconds: 0 in any time zone but a local one."""
    naive = EPOCH + timedelta(seconds=900 * quarter)
    return 900 * quarter - int(naive.timestamp())
