"""One month of the embedded ledger as an SQLite file: its schema, how it begins, how it is opened to be read or written.

Every commit is on the disk before it returns. A month's file is whole before it has its name. Triggers refuse every UPDATE and DELETE but
the erasure of a decision's or shadow's payload, and every INSERT that is not the next entry; who drops them is found by the tree.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from feature_repo.errors import LedgerError
from governance.ledger.entries import COLUMNS, OF_PEOPLE, Record

MONTHS = re.compile(r"[0-9]{4}-[0-9]{2}\.db")
ABORT = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
KEPT = " AND ".join(f"new.{column} IS old.{column}" for column in ("kind", "id", "recorded_at", "commitment", "seq"))
EMPTIED = "new.body = x'' AND new.salt = x'' AND new.idempotency_key IS NULL AND new.request_digest IS NULL"
EVENTS = " AND ".join(f"kind <> '{kind}'" for kind in OF_PEOPLE)  # as a query must say it too, to go by the index
OURS = " OR ".join(f"old.kind = '{kind}'" for kind in OF_PEOPLE)
NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM entries"
TABLES = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL UNIQUE, recorded_at TEXT NOT NULL,
    idempotency_key TEXT UNIQUE, request_digest TEXT, body BLOB NOT NULL, salt BLOB NOT NULL, commitment BLOB NOT NULL
) STRICT;
CREATE TABLE tiles (level INTEGER, number INTEGER, root BLOB NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, number)) STRICT;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
"""
INDEX = f"CREATE INDEX events ON entries (seq) WHERE {EVENTS};\n"
TRIGGERS = (
    ("INSERT ON entries", f"new.seq IS NOT ({NEXT}) OR EXISTS (SELECT 1 FROM entries WHERE id = new.id)"),  # noqa: S608 - our own names
    ("UPDATE ON entries", f"NOT (({OURS}) AND {KEPT} AND {EMPTIED})"),
    ("INSERT ON tiles", "EXISTS (SELECT 1 FROM tiles WHERE level = new.level AND number = new.number)"),
    ("INSERT ON checkpoints", "EXISTS (SELECT 1 FROM checkpoints WHERE size >= new.size)"),
    *((f"{verb} ON {table}", "TRUE") for verb, table in (("DELETE", "entries"), ("UPDATE", "tiles"), ("DELETE", "tiles"),
                                                        ("UPDATE", "checkpoints"), ("DELETE", "checkpoints"))),
)
MADE = {f"no_{what.replace(' ON ', '_').lower()}": f"BEFORE {what} WHEN {when} {ABORT}" for what, when in TRIGGERS}
SCHEMA = TABLES + INDEX + "".join(f"CREATE TRIGGER {name} {made};\n" for name, made in MADE.items())
UPDATES = "no_update_entries"
RENEW = f"DROP INDEX IF EXISTS events; {INDEX} DROP TRIGGER {UPDATES}; CREATE TRIGGER {UPDATES} {MADE[UPDATES]};"
ROW = f"({', '.join('?' * len(COLUMNS))})"
ROWS = 100  # of one statement
BUSY_SECONDS = 5.0
PAGES = 8_000  # of a journal (4 KiB each), after which whoever writes moves them into the file


def files(folder: Path) -> list[Path]:
    """The months of a ledger, oldest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - five times as quick, and every turn asks
    except OSError:
        return []
    return [folder / name for name in sorted(names) if MONTHS.fullmatch(name)]


def begin(draft: Path, first: Record) -> None:
    """Write a new month that holds its first entry."""
    for left in draft.parent.glob(f"{draft.name}*"):
        left.unlink()
    with closing(connect(draft)) as database:
        database.executescript(f"BEGIN IMMEDIATE; {SCHEMA}")
        put(database, [first])
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put(database: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Write entries, many in one statement: each is a time that this thread lets others of the process run, and waits for its turn."""
    for start in range(0, len(records), ROWS):
        some = records[start:start + ROWS]
        database.execute(_insert(len(some)), [getattr(record, name) for record in some for name in COLUMNS])


@cache
def _insert(many: int) -> str:
    return f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES {', '.join([ROW] * many)}"  # noqa: S608 - our own names


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are durable."""
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
    return database


def renew(database: sqlite3.Connection) -> None:
    """Let a month that was begun before shadows were recorded hold them too. For its only writer."""
    said = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (UPDATES,)).fetchone()
    if said and MADE[UPDATES] not in said[0]:
        database.executescript(f"BEGIN IMMEDIATE; {RENEW} COMMIT")


def reader(path: Path) -> sqlite3.Connection:
    """Open one month read-only; also from a medium that cannot be written, where SQLite's WAL needs to be told so."""
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, check_same_thread=False)
        try:
            database.execute("SELECT 1 FROM entries LIMIT 1")
        except sqlite3.Error as error:
            database.close()
            if path.with_name(f"{path.name}-wal").exists() or mode.endswith("1"):
                raise LedgerError(f"{path.name} cannot be read as a ledger: {error}") from None
        else:
            return database
    raise AssertionError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only writing process: SQLite's own busy handler starves waiters (measured p99 35 ms against 6 with this lock)."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
