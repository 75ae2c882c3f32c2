"""The ledger in PostgreSQL, for several machines: the same guarantees as the embedded one, kept by the server.

A writer holds an advisory lock of its log for the length of a transaction. Every commit is on the server's disk before it returns, whatever
the server's default is. Refuses a server that does not sync, to wait for one that does not answer, and to say anything of its address:
it may hold a password. What the tables are made of is `governance.ledger.tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any, TypeVar

import psycopg
from psycopg import Connection

from feature_repo.errors import LedgerError
from governance.ledger import tables, tree
from governance.ledger.book import Clock, Column, Place, Turn
from governance.ledger.entries import COLUMNS, DECISION, Record, begun, recorded, stamp
from governance.ledger.proving import standing
from governance.ledger.tree import TILE, Tile

SELECT = f"SELECT period, {', '.join(COLUMNS)} FROM entries WHERE log = %s "  # noqa: S608 - our own names
INSERT = f"INSERT INTO entries (log, period, {', '.join(COLUMNS)}) VALUES (%s, %s, %s, {', '.join(['%s'] * 5)}, %b, %b, %b)"  # noqa: S608
LEAVES = """SELECT convert_to(kind || chr(9) || id || chr(9) || recorded_at || chr(9) || encode(commitment, 'hex'), 'UTF8')
    FROM entries WHERE log = %s AND period = %s AND seq > %s AND seq <= %s ORDER BY seq"""
ERASE = """UPDATE entries SET body = '', salt = '', idempotency_key = NULL, request_digest = NULL
    WHERE log = %s AND period = %s AND id = ANY(%s) AND salt <> ''"""
AT_A_TIME = 2000
END = 2**62
Found = TypeVar("Found")


class Postgres:
    """The book of one portfolio on a server. Connections that are idle are used again; one that broke is opened anew."""

    def __init__(self, address: str, log: str) -> None:
        self.log = log
        self._address = address
        self._idle: list[Connection[Any]] = []
        self._lock = Lock()

    def periods(self) -> list[str]:
        return [period for (period,) in self._all("SELECT months(%s, NULL) ORDER BY 1", self.log)]

    def records(self, kinds: Collection[str] | None = None, *, since: str = "", until: str = "") -> Iterator[Record]:
        asked = "" if kinds is None else " AND kind = ANY(%s)" + f" AND kind <> '{DECISION}'" * (DECISION not in kinds)
        bounds = " AND period >= %s AND recorded_at >= %s" + " AND recorded_at < %s" * bool(until)
        values = (self.log, *([] if kinds is None else [list(kinds)]), since[:7], since, *([until] if until else []))
        return self._records(f"{SELECT}{asked}{bounds} ORDER BY period, seq", values)

    def events(self) -> Iterator[Record]:
        return self._records(f"{SELECT} AND kind <> '{DECISION}' ORDER BY period, seq", (self.log,))

    def find(self, column: Column, value: str, periods: int = 0) -> Record | None:
        within = " AND period IN (SELECT months(%s, %s))" if periods else ""
        rows = self._all(f"{SELECT} AND {column} = %s{within} ORDER BY period DESC LIMIT 1", self.log, value,
                         *((self.log, periods) if periods else ()))
        return Record(*rows[0]) if rows else None

    def size(self, period: str) -> int:
        return int(self._all("SELECT coalesce(max(seq), 0) FROM entries WHERE log = %s AND period = %s", self.log, period)[0][0])

    def within(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        values = (self.log, period, start or -END, END if stop is None else stop)
        return self._records(f"{SELECT} AND period = %s AND seq > %s AND seq <= %s ORDER BY seq", values)

    def leaves(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return (leaf for (leaf,) in self._rows(LEAVES, (self.log, period, start, END if stop is None else stop)))

    def full(self, period: str) -> int:
        query = "SELECT coalesce(max(number) + 1, 0) FROM tiles WHERE log = %s AND period = %s AND level = 0"
        return int(self._all(query, self.log, period)[0][0])

    def nodes(self, period: str, wanted: Collection[Place]) -> dict[Place, bytes]:
        return self._with(lambda connection: {place: self._tile(connection, period, *place) for place in wanted})

    def tiles(self, period: str, level: int, stop: int) -> Iterator[Tile]:
        query = """SELECT level, number, root, hashes FROM tiles WHERE log = %s AND period = %s AND level = %s AND number < %s
            ORDER BY number"""
        return (Tile(*row) for row in self._rows(query, (self.log, period, level, stop)))

    def checkpoints(self, period: str) -> Iterator[tuple[int, str]]:
        return self._rows("SELECT size, note FROM checkpoints WHERE log = %s AND period = %s ORDER BY size", (self.log, period))

    def newest(self, period: str) -> tuple[int, str]:
        query = "SELECT size, note FROM checkpoints WHERE log = %s AND period = %s ORDER BY size DESC LIMIT 1"
        return next(iter(self._all(query, self.log, period)), (0, ""))

    def keep(self, period: str, tiles: Sequence[Tile], checkpoint: tuple[int, str]) -> bool:
        with self._transaction() as connection:
            newer = "SELECT 1 FROM checkpoints WHERE log = %s AND period = %s AND size >= %s"
            if connection.execute(newer, (self.log, period, checkpoint[0])).fetchone():
                return False
            rows = [(self.log, period, *astuple(tile)) for tile in tiles]
            connection.cursor().executemany("INSERT INTO tiles VALUES (%s, %s, %s, %s, %b, %b) ON CONFLICT DO NOTHING", rows)
            connection.execute("INSERT INTO checkpoints VALUES (%s, %s, %s, %s)", (self.log, period, *checkpoint))
        return True

    def erase(self, period: str, ids: Collection[str]) -> None:
        with self._transaction() as connection:
            connection.execute(ERASE, (self.log, period, list(ids)))

        def vacuum(connection: Connection[Any]) -> None:
            connection.execute("VACUUM entries")

        self._with(vacuum)

    @contextmanager
    def turn(self, now: Clock) -> Iterator[Turn]:
        with self._transaction() as connection:
            at = now()
            head = "SELECT period, seq FROM entries WHERE log = %s ORDER BY period DESC, seq DESC LIMIT 1"
            period, size = connection.execute(head, (self.log,)).fetchone() or ("", 0)
            if f"{at:%Y-%m}" > period:
                earlier, period = period, f"{at:%Y-%m}"
                previous = (f"{self.log}/{earlier}", *standing(self, earlier)) if earlier else None
                first = recorded(begun(f"{self.log}/{period}", previous), period, 1, stamp(at))
                connection.execute(INSERT, row_of(self.log, first))
                size = 1
            yield PostgresTurn(self.log, connection, period, size, at)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _tile(self, connection: Connection[Any], period: str, level: int, number: int) -> bytes:
        """A tile as it is kept; where it is not full yet, from the tiles or leaves below it."""
        first = number * TILE
        kept = connection.execute("SELECT hashes FROM tiles WHERE log = %s AND period = %s AND level = %s AND number = %s",
                                  (self.log, period, level, number), binary=True).fetchone()
        if kept:
            return bytes(kept[0])
        if level:
            below = """SELECT root FROM tiles WHERE log = %s AND period = %s AND level = %s AND number >= %s AND number < %s
                ORDER BY number"""
            rows = connection.execute(below, (self.log, period, level - 1, first, first + TILE), binary=True)
            return b"".join(root for (root,) in rows)
        rows = connection.execute(LEAVES, (self.log, period, first, first + TILE), binary=True)
        return b"".join(tree.leaf_hash(leaf) for (leaf,) in rows)

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._with(lambda connection: connection.execute(query.encode(), values, binary=True).fetchall())

    def _records(self, query: str, values: Sequence[object]) -> Iterator[Record]:
        return (Record(*row) for row in self._rows(query, values))

    def _rows(self, query: str, values: Sequence[object]) -> Iterator[Any]:
        """Rows of a query of any length, a few at a time, as they were when the first was read."""
        connection = self._with(lambda connection: connection, back=False)
        try:
            with connection.transaction(), connection.cursor("rows", scrollable=False) as cursor:
                cursor.itersize = AT_A_TIME
                cursor.execute(query.encode(), values, binary=True)
                yield from cursor
        except psycopg.Error as error:
            connection.close()
            raise unanswered(error) from None
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def _with(self, do: Callable[[Connection[Any]], Found], *, back: bool = True) -> Found:
        """Do something that can be done again, with an idle connection; where that broke meanwhile, with a new one."""
        while True:
            connection, fresh = self._take()
            try:
                connection.execute("SELECT 1")
                found = do(connection)
            except psycopg.OperationalError as error:
                connection.close()
                if fresh:
                    raise unanswered(error) from None
            except psycopg.Error as error:
                connection.close()
                raise unanswered(error) from None
            else:
                if back:
                    self._give_back(connection)
                return found

    @contextmanager
    def _transaction(self) -> Iterator[Connection[Any]]:
        """A transaction that holds this log's lock. What the server does not confirm is said to be unknown."""
        connection = self._with(lambda connection: connection, back=False)
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(self.log),))
            yield connection
        except psycopg.Error as error:
            connection.close()
            raise unanswered(error) from None
        except BaseException:
            connection.close()
            raise
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            connection.close()
            raise LedgerError(f"the ledger's server was lost while it committed ({named(error)}); it may have been recorded") from None
        self._give_back(connection)

    def _take(self) -> tuple[Connection[Any], bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        return tables.connect(self._address), True

    def _give_back(self, connection: Connection[Any]) -> None:
        with self._lock:
            self._idle.append(connection)


@dataclass(frozen=True)
class PostgresTurn:
    """The lock and an open transaction."""

    log: str
    connection: Connection[Any]
    period: str
    size: int
    at: datetime

    def taken(self, ids: Collection[str], keys: Collection[str]) -> tuple[set[str], dict[str, Record]]:
        there = "SELECT id FROM entries WHERE log = %s AND period = %s AND id = ANY(%s)"
        held = {name for (name,) in self.connection.execute(there, (self.log, self.period, list(ids)))}
        holders = f"{SELECT} AND idempotency_key = ANY(%s) AND period IN (SELECT months(%s, 2)) ORDER BY period"
        rows = self.connection.execute(holders.encode(), (self.log, list(keys), self.log), binary=True) if keys else ()
        return held, {record.idempotency_key: record for record in (Record(*row) for row in rows) if record.idempotency_key}

    def put(self, records: Sequence[Record]) -> None:
        self.connection.cursor().executemany(INSERT, [row_of(self.log, record) for record in records])


def row_of(log: str, record: Record) -> tuple[object, ...]:
    """The column values of a record."""
    return (log, record.period, *(getattr(record, name) for name in COLUMNS))


def lock_of(log: str) -> int:
    """The number of a log's advisory lock."""
    return int.from_bytes(sha256(b"tallystick ledger " + log.encode()).digest()[:8], "big", signed=True)


def unanswered(error: psycopg.Error) -> LedgerError:
    return LedgerError(f"the ledger cannot be written or read: its server does not answer, or refuses ({named(error)}); see that it runs "
                       "and is the one TALLY_LEDGER names")


def named(error: psycopg.Error) -> str:
    """An error by its class and code: its message may quote an address or a value."""
    return f"{type(error).__name__} {error.sqlstate or ''}".rstrip()
