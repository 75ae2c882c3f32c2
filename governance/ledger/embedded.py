"""The ledger in SQLite: a file a month in one folder, shared by all processes of one machine.

Responsible for being the only writer for the length of a turn, and for reading without hindering one. Refuses to write where the disk is
nearly full. What a month's file is made of is `governance.ledger.months`.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from feature_repo.errors import LedgerError
from governance.ledger import tree
from governance.ledger.book import NOTHING, Clock, Column, Place, Turn, Wanted
from governance.ledger.entries import COLUMNS, OF_PEOPLE, Record, begun, recorded, salts, stamp
from governance.ledger.journal import Journal
from governance.ledger.months import EVENTS, begin, connect, files, locked, put, reader, renew
from governance.ledger.proving import standing
from governance.ledger.tree import TILE, Tile
from governance.release import sync

SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries "  # noqa: S608 - our own names
HEAD = """SELECT (SELECT max(seq) FROM entries),
    (SELECT json_group_array(id) FROM entries WHERE id IN (SELECT value FROM json_each(?)))"""
LEAVES = """SELECT CAST(kind || char(9) || id || char(9) || recorded_at || char(9) || lower(hex(commitment)) AS BLOB)
    FROM entries WHERE seq > ? AND seq <= ? ORDER BY seq"""
ERASE = "UPDATE entries SET body = x'', salt = x'', idempotency_key = NULL, request_digest = NULL WHERE id = ? AND salt <> x''"
MOST_IDLE = 8
LEAST_FREE_BYTES = 32 * 2**20


class Embedded:
    """The book of one folder. A few connections that read are kept; one writes, from one thread at a time."""

    def __init__(self, folder: Path, log: str) -> None:
        self.folder = folder
        self.log = log
        self._open: tuple[Path, sqlite3.Connection] | None = None
        self._idle: list[tuple[tuple[int, int], sqlite3.Connection]] = []
        self._lock = Lock()
        self._journal = Journal()

    def periods(self) -> list[str]:
        return [path.stem for path in files(self.folder)]

    def records(self, kinds: Collection[str] | None = None, *, since: str = "", until: str = "") -> Iterator[Record]:
        asked = f"kind IN ({', '.join('?' * len(kinds))})" if kinds is not None else "TRUE"
        indexed = f" AND {EVENTS}" if kinds is not None and not {*OF_PEOPLE} & {*kinds} else ""
        bounds = " AND recorded_at >= ?" + " AND recorded_at < ?" * bool(until)
        for period in self.periods():
            if period >= since[:7]:
                values = (*(kinds or ()), since, *([until] if until else []))
                yield from self._read(period, f"WHERE {asked}{indexed}{bounds} ORDER BY seq", values)

    def events(self) -> Iterator[Record]:
        for period in self.periods():
            yield from self._read(period, f"WHERE {EVENTS} ORDER BY seq")

    def find(self, column: Column, value: str, periods: int = 0) -> Record | None:
        for period in reversed(self.periods()[-periods:]):
            if row := self._one(period, f"{SELECT}WHERE {column} = ?", (value,)):
                return Record(period, *row)
        return None

    def size(self, period: str) -> int:
        return int(self._value(period, "SELECT coalesce(max(seq), 0) FROM entries"))

    def within(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        return self._read(period, "WHERE seq > ? AND seq <= ? ORDER BY seq", (start or -(2**62), 2**62 if stop is None else stop))

    def leaves(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with self._reading(period) as database:
            for (leaf,) in database.execute(LEAVES, (start, 2**62 if stop is None else stop)):
                yield leaf

    def full(self, period: str) -> int:
        return int(self._value(period, "SELECT coalesce(max(number) + 1, 0) FROM tiles WHERE level = 0"))

    def nodes(self, period: str, wanted: Collection[Place]) -> dict[Place, bytes]:
        with self._reading(period) as database:
            return {place: _tile(database, *place) for place in wanted}

    def tiles(self, period: str, level: int, stop: int) -> Iterator[Tile]:
        query = "SELECT level, number, root, hashes FROM tiles WHERE level = ? AND number < ? ORDER BY number"
        with self._reading(period) as database:
            for row in database.execute(query, (level, stop)):
                yield Tile(*row)

    def checkpoints(self, period: str) -> Iterator[tuple[int, str]]:
        with self._reading(period) as database:
            yield from database.execute("SELECT size, note FROM checkpoints ORDER BY size")

    def newest(self, period: str) -> tuple[int, str]:
        size, note = self._one(period, "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1") or (0, "")
        return size, note

    def keep(self, period: str, tiles: Sequence[Tile], checkpoint: tuple[int, str]) -> bool:
        with locked(self.folder), closing(connect(self._path(period))) as database:
            database.execute("BEGIN IMMEDIATE")
            if database.execute("SELECT 1 FROM checkpoints WHERE size >= ?", checkpoint[:1]).fetchone():
                return False
            known = "SELECT 1 FROM tiles WHERE level = ? AND number = ?"
            fresh = [astuple(tile) for tile in tiles if not database.execute(known, (tile.level, tile.number)).fetchone()]
            database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", fresh)
            database.execute("INSERT INTO checkpoints VALUES (?, ?)", checkpoint)
            database.execute("COMMIT")
        return True

    def erase(self, period: str, ids: Collection[str]) -> None:
        with locked(self.folder), closing(connect(self._path(period))) as database:
            renew(database)
            database.execute("PRAGMA secure_delete = ON")
            database.execute("BEGIN IMMEDIATE")
            database.executemany(ERASE, [(each,) for each in ids])
            database.execute("COMMIT")
            if database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:  # waits as long as for a lock
                raise LedgerError(f"{period}: what was erased is still in a journal that somebody reads; erase again later")

    @contextmanager
    def turn(self, now: Clock, wanted: Wanted = NOTHING) -> Iterator[Turn]:
        with locked(self.folder):
            try:
                at = now()
                path, database = self._current(at)
                database.execute("BEGIN IMMEDIATE")
                size, ids = database.execute(HEAD, (json.dumps(wanted.ids),)).fetchone()
                yield SqliteTurn(database, path.stem, size, at, {*json.loads(ids)}, self._holders(database, path.stem, wanted))
                database.execute("COMMIT")
            except BaseException:
                self._let_go()
                raise
        self._journal.committed(path)

    def close(self) -> None:
        self._journal.close()
        self._let_go()
        with self._lock:
            idle, self._idle = self._idle, []
        for _, database in idle:
            database.close()

    def _let_go(self) -> None:
        """Close what writes, and with it whatever it had begun."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _current(self, at: datetime) -> tuple[Path, sqlite3.Connection]:
        """The file of the newest month, and the connection to it."""
        there = files(self.folder)
        path = max([*there, self._path(f"{at:%Y-%m}")])
        if self._open is None or self._open[0] != path or path not in there:
            self._let_go()
            self._open = (path, self._start(path, at))
        if shutil.disk_usage(self.folder).free < LEAST_FREE_BYTES:
            raise LedgerError(f"less than {LEAST_FREE_BYTES >> 20} MiB are free where the ledger is; free space or move TALLY_HOME")
        return self._open

    def _start(self, path: Path, at: datetime) -> sqlite3.Connection:
        """Open a month for writing; a new one is whole before it has its name, so that no reader meets a month without entries."""
        if not path.exists():
            draft, earlier = path.with_suffix(".draft"), self.periods()[-1:]
            previous = (f"{self.log}/{earlier[0]}", *standing(self, earlier[0])) if earlier else None
            begin(draft, recorded(begun(f"{self.log}/{path.stem}", previous), path.stem, 1, stamp(at), *salts(1)))
            draft.rename(path)
            sync(path.parent)
        database = connect(path)
        renew(database)
        return database

    def _holders(self, database: sqlite3.Connection, period: str, wanted: Wanted) -> dict[str, Record]:
        """Who holds the keys."""
        holders: dict[str, Record] = {}
        for key in wanted.keys:
            if row := database.execute(f"{SELECT}WHERE idempotency_key = ?", (key,)).fetchone():
                holders[key] = Record(period, *row)
            elif found := self._holder(period, key):
                holders[key] = found
        return holders

    def _holder(self, period: str, key: str) -> Record | None:
        """Who holds a key in the period before this one."""
        for earlier in [each for each in self.periods() if each < period][-1:]:
            row = self._one(earlier, f"{SELECT}WHERE idempotency_key = ?", (key,))
            return Record(earlier, *row) if row else None
        return None

    def _path(self, period: str) -> Path:
        return self.folder / f"{period}.db"

    @contextmanager
    def _reading(self, period: str) -> Iterator[sqlite3.Connection]:
        """A connection that reads a month's file: one that is idle, or a new one. Where reading is given up halfway it is closed."""
        path = self._path(period)
        file, database = self._take(path)
        try:
            yield database
        except sqlite3.Error as error:
            database.close()
            raise LedgerError(f"{path.name} cannot be read as a ledger: {error}") from None
        except BaseException:
            database.close()
            raise
        with self._lock:
            self._idle.append((file, database))
            surplus = self._idle.pop(0)[1] if len(self._idle) > MOST_IDLE else None
        if surplus:
            surplus.close()

    def _take(self, path: Path) -> tuple[tuple[int, int], sqlite3.Connection]:
        """A connection to the file that has this name now."""
        try:
            found = path.stat()
        except OSError as error:
            raise LedgerError(f"{path.name} cannot be read as a ledger: {error.strerror}") from None
        file = found.st_dev, found.st_ino
        with self._lock:
            for place, (known, database) in enumerate(self._idle):
                if known == file and found.st_size:
                    del self._idle[place]
                    return file, database
        return file, reader(path)

    def _read(self, period: str, clause: str, values: Sequence[Any] = ()) -> Iterator[Record]:
        with self._reading(period) as database:
            for row in database.execute(SELECT + clause, values):
                yield Record(period, *row)

    def _one(self, period: str, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        with self._reading(period) as database:
            found: list[tuple[Any, ...]] = database.execute(query, values).fetchmany(1)
        return found[0] if found else None

    def _value(self, period: str, query: str) -> Any:
        return (self._one(period, query) or (None,))[0]


def _tile(database: sqlite3.Connection, level: int, number: int) -> bytes:
    """A tile as it is kept; where it is not full yet, from the tiles or leaves below it."""
    first = number * TILE
    if kept := database.execute("SELECT hashes FROM tiles WHERE level = ? AND number = ?", (level, number)).fetchone():
        return bytes(kept[0])
    if level:
        below = "SELECT root FROM tiles WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
        return b"".join(root for (root,) in database.execute(below, (level - 1, first, first + TILE)))
    return b"".join(tree.leaf_hash(leaf) for (leaf,) in database.execute(LEAVES, (first, first + TILE)))


@dataclass(frozen=True)
class SqliteTurn:
    """The lock and an open transaction."""

    database: sqlite3.Connection
    period: str
    size: int
    at: datetime
    ids: set[str]
    holders: dict[str, Record]

    def put(self, records: Sequence[Record]) -> None:
        put(self.database, records)
