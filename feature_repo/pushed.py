"""Rows that were pushed rather than delivered: a durable journal that the next run of the pipeline takes up.

Responsible for `<home>/<portfolio>/feast/pushed.db` (SQLite): a row is there before anybody is told so, and is never changed, unless a
person is forgotten. Equal view, applicant, event time and created time are one row, the later write. Judges no value (who accepts a push
does), imports no Feast.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value

JOURNAL = "pushed.db"
PATIENCE = 5.0  # seconds to wait for who else appends
TABLE = """CREATE TABLE IF NOT EXISTS pushed (view TEXT, applicant_id TEXT, event_us INTEGER, created_us INTEGER, stored TEXT NOT NULL,
PRIMARY KEY (view, applicant_id, event_us, created_us)) WITHOUT ROWID"""
APPEND = "INSERT OR REPLACE INTO pushed VALUES (?, ?, ?, ?, ?)"
NEWEST = """SELECT applicant_id, event_us, max(created_us), stored FROM pushed WHERE view = ?
GROUP BY applicant_id, event_us ORDER BY applicant_id, event_us"""
FORGOTTEN = "DELETE FROM pushed WHERE applicant_id = ? AND created_us < ?"
EVERY = "SELECT applicant_id, event_us, created_us, stored FROM pushed WHERE view = ? ORDER BY applicant_id, event_us, created_us"


class Pushed(NamedTuple):
    """What became true of an applicant in one view. Times are microseconds since 1970 (UTC).

    created_us: when it was pushed; of two rows for one moment the later created counts. values: every stored column of the view.
    """

    applicant_id: str
    event_us: int
    created_us: int
    values: dict[str, Value]


def append(journal: Path, view: str, rows: Iterable[Pushed]) -> None:
    """Add rows of a view, all or none, on the disk when this returns. Raises FeatureError."""
    try:
        with contextlib.closing(_open(journal)) as connection, connection:
            connection.execute(TABLE)
            connection.executemany(APPEND, ((view, row.applicant_id, row.event_us, row.created_us, msgspec.json.encode(row.values).decode())
                                            for row in rows))
    except (sqlite3.Error, OSError) as error:
        raise FeatureError(f"what was pushed cannot be kept in {journal} ({error})") from None


def read(journal: Path, view: str) -> Iterator[Pushed]:
    """The rows of a view by applicant and event time, one for each moment: the latest created. None where nothing was ever pushed."""
    return _read(journal, view, NEWEST)


def every(journal: Path, view: str) -> Iterator[Pushed]:
    """As read(), with what a later push for the same moment replaced: what was known then is a question of when it was created."""
    return _read(journal, view, EVERY)


def forget(journal: Path, applicant_id: str, before_us: int = 2**62) -> int:
    """Destroy what was pushed of somebody before a moment, its bytes too; how many rows that were. Raises FeatureError."""
    if not journal.is_file():
        return 0
    try:
        with contextlib.closing(_open(journal)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                connection.execute(TABLE)
                gone = connection.execute(FORGOTTEN, (applicant_id, before_us)).rowcount
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise FeatureError(f"what was forgotten is still in the log beside {journal}, which somebody reads; do it again later")
    except sqlite3.Error as error:
        raise FeatureError(f"what was pushed cannot be forgotten in {journal} ({error})") from None
    return gone


def _read(journal: Path, view: str, query: str) -> Iterator[Pushed]:
    if not journal.is_file():
        return
    with contextlib.closing(_open(journal)) as connection:
        connection.execute(TABLE)
        for applicant_id, event_us, created_us, stored in connection.execute(query, (view,)):
            yield Pushed(applicant_id, event_us, created_us, msgspec.json.decode(stored))


def _open(journal: Path) -> sqlite3.Connection:
    journal.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(journal, timeout=PATIENCE)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
