"""The ledger in PostgreSQL, for several machines: the same guarantees as the embedded one, kept by the server.

A writer holds an advisory lock of its log for the length of a transaction. Every commit is on the server's disk before it returns, whatever
the server's default is. Refuses a server that does not sync, to wait for one that does not answer, and to say anything of its address:
it may hold a password. What the tables are made of is `governance.ledger.tables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection, sql

from governance.ledger import tree
from governance.ledger.book import NOTHING, Clock, Column, Place, Turn, Wanted
from governance.ledger.connections import Connections
from governance.ledger.entries import COLUMNS, OF_PEOPLE, Record, begun, recorded, salts, stamp
from governance.ledger.proving import standing
from governance.ledger.tables import EVENTS
from governance.ledger.tree import TILE, Tile

SELECT = f"SELECT period, {', '.join(COLUMNS)} FROM entries WHERE log = %s "  # noqa: S608 - our own names
INSERT = f"INSERT INTO entries (log, period, {', '.join(COLUMNS)}) VALUES (%s, %s, %s, {', '.join(['%s'] * 5)}, %b, %b, %b)"  # noqa: S608
LEAVES = """SELECT convert_to(kind || chr(9) || id || chr(9) || recorded_at || chr(9) || encode(commitment, 'hex'), 'UTF8')
    FROM entries WHERE log = %s AND period = %s AND seq > %s AND seq <= %s ORDER BY seq"""
ERASE = """UPDATE entries SET body = '', salt = '', idempotency_key = NULL, request_digest = NULL
    WHERE log = %s AND period = %s AND id = ANY(%s) AND salt <> ''"""
END = 2**62


class Postgres:
    """The book of one portfolio on a server."""

    def __init__(self, address: str, log: str) -> None:
        self.log = log
        self._server = Connections(address, log)

    def periods(self) -> list[str]:
        return [period for (period,) in self._all("SELECT months(%s, NULL) ORDER BY 1", self.log)]

    def records(self, kinds: Collection[str] | None = None, *, since: str = "", until: str = "") -> Iterator[Record]:
        asked = "" if kinds is None else " AND kind = ANY(%s)" + f" AND {EVENTS}" * (not {*OF_PEOPLE} & {*kinds})
        bounds = " AND period >= %s AND recorded_at >= %s" + " AND recorded_at < %s" * bool(until)
        values = (self.log, *([] if kinds is None else [list(kinds)]), since[:7], since, *([until] if until else []))
        return self._records(f"{SELECT}{asked}{bounds} ORDER BY period, seq", values)

    def events(self) -> Iterator[Record]:
        return self._records(f"{SELECT} AND {EVENTS} ORDER BY period, seq", (self.log,))

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
        return (leaf for (leaf,) in self._server.rows(LEAVES, (self.log, period, start, END if stop is None else stop)))

    def full(self, period: str) -> int:
        query = "SELECT coalesce(max(number) + 1, 0) FROM tiles WHERE log = %s AND period = %s AND level = 0"
        return int(self._all(query, self.log, period)[0][0])

    def nodes(self, period: str, wanted: Collection[Place]) -> dict[Place, bytes]:
        return self._server.do(lambda connection: {place: self._tile(connection, period, *place) for place in wanted})

    def tiles(self, period: str, level: int, stop: int) -> Iterator[Tile]:
        query = """SELECT level, number, root, hashes FROM tiles WHERE log = %s AND period = %s AND level = %s AND number < %s
            ORDER BY number"""
        return (Tile(*row) for row in self._server.rows(query, (self.log, period, level, stop)))

    def checkpoints(self, period: str) -> Iterator[tuple[int, str]]:
        return self._server.rows("SELECT size, note FROM checkpoints WHERE log = %s AND period = %s ORDER BY size", (self.log, period))

    def newest(self, period: str) -> tuple[int, str]:
        query = "SELECT size, note FROM checkpoints WHERE log = %s AND period = %s ORDER BY size DESC LIMIT 1"
        return next(iter(self._all(query, self.log, period)), (0, ""))

    def keep(self, period: str, tiles: Sequence[Tile], checkpoint: tuple[int, str]) -> bool:
        with self._server.transaction() as (connection, _):
            newer = "SELECT 1 FROM checkpoints WHERE log = %s AND period = %s AND size >= %s"
            if connection.execute(newer, (self.log, period, checkpoint[0])).fetchone():
                return False
            rows = [(self.log, period, *astuple(tile)) for tile in tiles]
            connection.cursor().executemany("INSERT INTO tiles VALUES (%s, %s, %s, %s, %b, %b) ON CONFLICT DO NOTHING", rows)
            connection.execute("INSERT INTO checkpoints VALUES (%s, %s, %s, %s)", (self.log, period, *checkpoint))
        return True

    def erase(self, period: str, ids: Collection[str]) -> None:
        with self._server.transaction() as (connection, _):
            connection.execute(ERASE, (self.log, period, list(ids)))

        def vacuum(connection: Connection[Any]) -> None:
            connection.execute("VACUUM entries")

        self._server.do(vacuum)

    @contextmanager
    def turn(self, now: Clock, wanted: Wanted = NOTHING) -> Iterator[Turn]:
        with self._server.transaction(head_of(self.log, wanted)) as (connection, (heads, taken, holders)):
            at, (newest, size) = now(), heads[0] if heads else ("", 0)
            period = max(newest, f"{at:%Y-%m}")
            found = [Record(*row) for row in holders]
            turn = PostgresTurn(self.log, connection, period, size if period == newest else 1, at,
                                {name for name, there in taken if there == period},
                                {record.idempotency_key: record for record in found if record.idempotency_key})
            if period != newest:
                previous = (f"{self.log}/{newest}", *standing(self, newest)) if newest else None
                turn.put([recorded(begun(f"{self.log}/{period}", previous), period, 1, stamp(at), *salts(1))])
            yield turn
            with connection.pipeline():  # the rows, and with them the commit, in one message
                if turn.rows:
                    connection.cursor().executemany(INSERT, turn.rows)
                connection.execute("COMMIT")

    def close(self) -> None:
        self._server.close()

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
        return self._server.do(lambda connection: connection.execute(query.encode(), values, binary=True).fetchall())

    def _records(self, query: str, values: Sequence[object]) -> Iterator[Record]:
        return (Record(*row) for row in self._server.rows(query, values))


@dataclass(frozen=True)
class PostgresTurn:
    """The lock and an open transaction. rows: what is written when it ends."""

    log: str
    connection: Connection[Any]
    period: str
    size: int
    at: datetime
    ids: set[str]
    holders: dict[str, Record]
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def put(self, records: Sequence[Record]) -> None:
        self.rows.extend(row_of(self.log, record) for record in records)


def head_of(log: str, wanted: Wanted) -> tuple[sql.Composed, ...]:
    """What a turn asks as it begins: where the log stands, which ids are taken and when, and who holds the keys. All in one message."""
    newest = sql.SQL("SELECT period, seq FROM entries WHERE log = {} ORDER BY period DESC, seq DESC LIMIT 1").format(log)
    taken = sql.SQL("SELECT id, period FROM entries WHERE log = {} AND id = ANY({}::text[])").format(log, list(wanted.ids))
    holders = sql.SQL("SELECT period, {} FROM entries WHERE log = {} AND idempotency_key = ANY({}::text[]) "
                      "AND period IN (SELECT months({}, 2)) ORDER BY period").format(
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), log, list(wanted.keys), log)
    return newest, taken, holders


def row_of(log: str, record: Record) -> tuple[object, ...]:
    """The column values of a record."""
    return (log, record.period, *(getattr(record, name) for name in COLUMNS))
