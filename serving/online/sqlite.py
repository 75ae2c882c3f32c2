"""Stored features in SQLite: the online table of each view as Feast keeps it, one row a value, or packed to one row an applicant.

Responsible for one snapshot over all views, and for never writing. Reads packed rows (`feature_repo.packing`) where there are any, and
Feast's own for whom there is none. Refuses to guess: a table or value that is not as Feast 0.67 writes it is an error.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import local

from feature_repo.feast_bytes import entity_key
from feature_repo.packing import from_packed, from_rows, packed, tables
from feature_repo.portfolio import Portfolio
from serving.online import vectors
from serving.online.store import Unreachable, Vector, empty

PATIENCE = 0.05  # seconds to wait for a lock: a decision is better degraded than late
MAPPED = 2**30  # bytes read from the operating system's page cache in place
TOGETHER = 500
LOOK_EVERY = 1.0  # seconds between looks whether rows were packed meanwhile
THERE = "SELECT name FROM sqlite_master WHERE type = 'table'"
Row = tuple[int, bytes, str, bytes]


class Opened:
    """A connection of one thread, and whether there are packed rows to be read by it."""

    def __init__(self, database: Path, patience: float, names: Sequence[str]) -> None:
        self.connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=patience, isolation_level=None)
        self.connection.execute(f"PRAGMA mmap_size={MAPPED}")
        self._wanted, self._packed, self._looked = {packed(name) for name in names}, False, float("-inf")

    def packed(self) -> bool:
        if not self._packed and time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self._packed = {name for (name,) in self.connection.execute(THERE)} >= self._wanted
        return self._packed


class SqliteFeatures:
    """Read-only, one connection a thread. Opens nothing until it reads."""

    def __init__(self, database: Path, portfolio: Portfolio, patience: float = PATIENCE) -> None:
        self._database, self._patience = database, patience
        self._empty = empty(portfolio)
        self._tables = tables(portfolio)
        self._wanted = tuple(frozenset((table.as_of, *(column.name for column in table.stored))) for table in portfolio.views)
        self._thread = local()

    def read(self, applicant: str) -> Vector:
        return self.read_many((applicant,))[0]

    def read_many(self, applicants: Sequence[str]) -> list[Vector]:
        keys = [entity_key(one) for one in applicants]
        found = {key: dict(self._empty) for key in keys}
        if self._tables:
            for start in range(0, len(keys), TOGETHER):
                for _, key, names, values in self._rows(tuple(dict.fromkeys(keys[start:start + TOGETHER]))):
                    self._fill(found[key], names, values)
        return [found[key] for key in keys]

    def probe(self) -> None:
        self.read("")

    def close(self) -> None:
        opened = self._thread.__dict__.pop("opened", None)
        if opened is not None:
            opened.connection.close()

    def _fill(self, vector: Vector, names: str, values: bytes) -> None:
        """Only what the contract declares: Feast keeps rows of features that are no more."""
        parted = _names(names)
        vector.update(zip(parted, vectors.listed(values, len(parted)), strict=True))
        if len(vector) > len(self._empty):
            for name in vector.keys() - self._empty.keys():
                del vector[name]

    def _rows(self, keys: tuple[bytes, ...]) -> list[Row]:
        try:
            opened = self._opened()
            if not opened.packed():
                return opened.connection.execute(from_rows(self._tables, len(keys)), keys).fetchall()
            rows = self._packed(opened.connection, keys)
            if len(rows) < len(keys) * len(self._tables):
                opened.connection.execute("BEGIN")
                rows = self._packed(opened.connection, keys)
                rows += self._unpacked(opened.connection, keys, {(place, key) for place, key, _, _ in rows})
                opened.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise Unreachable(f"online features {self._database} cannot be read ({error}); is it published, and is no other program "
                              "holding it?") from None
        return rows

    def _packed(self, connection: sqlite3.Connection, keys: tuple[bytes, ...]) -> list[Row]:
        """In one statement, and so of one snapshot."""
        found = connection.execute(from_packed(self._tables, len(keys)), keys).fetchall()
        return [row for row in found if _covers(row[2], self._wanted[row[0]])]

    def _unpacked(self, connection: sqlite3.Connection, keys: tuple[bytes, ...], found: set[tuple[int, bytes]]) -> list[Row]:
        """From Feast's rows, in the same snapshot, what is not packed of these keys."""
        rows: list[Row] = []
        for place, table in enumerate(self._tables):
            missing = [key for key in keys if (place, key) not in found]
            if missing:
                rows += connection.execute(from_rows((table,), len(missing)), missing)
        return rows

    def _opened(self) -> Opened:
        if "opened" not in self._thread.__dict__:
            self._thread.opened = Opened(self._database, self._patience, self._tables)
        opened: Opened = self._thread.opened
        return opened


@lru_cache(64)
def _covers(together: str, wanted: frozenset[str]) -> bool:
    """Whether a row was packed by who knew of all these columns."""
    return wanted <= set(_names(together))


@lru_cache(64)
def _names(together: str) -> tuple[str, ...]:
    return tuple(together.split(","))
