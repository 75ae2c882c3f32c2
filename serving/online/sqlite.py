"""Stored features in SQLite: the online table of each view as Feast keeps it, one row a value, read in one statement.

Responsible for one snapshot over all views, and for never writing. Rows of an applicant come back as one: SQLite joins names and values
in one order, and each value says how long it is. Refuses to guess: a table or value that is not as Feast 0.67 writes it is an error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from threading import local

from feature_repo.feast_bytes import entity_key
from feature_repo.portfolio import Portfolio
from serving.online import vectors
from serving.online.store import Unreachable, Vector, empty

PATIENCE = 0.05  # seconds to wait for a lock: a decision is better degraded than late
MAPPED = 2**30  # bytes read from the page cache in place
TOGETHER = 500
Row = tuple[bytes, str, bytes]


class SqliteFeatures:
    """Read-only, one connection a thread. Opens nothing until it reads."""

    def __init__(self, database: Path, portfolio: Portfolio, patience: float = PATIENCE) -> None:
        self._database, self._patience = database, patience
        self._empty = empty(portfolio)
        self._tables = tuple(f"{portfolio.name}_{table.name}" for table in portfolio.views)
        self._thread = local()

    def read(self, applicant: str) -> Vector:
        return self.read_many((applicant,))[0]

    def read_many(self, applicants: Sequence[str]) -> list[Vector]:
        keys = [entity_key(one) for one in applicants]
        found = {key: dict(self._empty) for key in keys}
        if self._tables:
            for start in range(0, len(keys), TOGETHER):
                for key, names, values in self._rows(keys[start:start + TOGETHER]):
                    self._fill(found[key], names, values)
        return [found[key] for key in keys]

    def probe(self) -> None:
        self.read("")

    def close(self) -> None:
        connection = self._thread.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _fill(self, vector: Vector, names: str, values: bytes) -> None:
        """Only what the contract declares: Feast keeps rows of features that are no more."""
        parted = _names(names)
        vector.update(zip(parted, vectors.listed(values, len(parted)), strict=True))
        if len(vector) > len(self._empty):
            for name in vector.keys() - self._empty.keys():
                del vector[name]

    def _rows(self, keys: Sequence[bytes]) -> Iterator[Row]:
        try:
            return iter(self._connection().execute(_query(self._tables, len(keys)), keys).fetchall())
        except sqlite3.Error as error:
            self.close()
            raise Unreachable(f"online features {self._database} cannot be read ({error}); is it published, and is no other program "
                              "holding it?") from None

    def _connection(self) -> sqlite3.Connection:
        if "connection" not in self._thread.__dict__:
            address = f"{self._database.resolve().as_uri()}?mode=ro"
            self._thread.connection = sqlite3.connect(address, uri=True, timeout=self._patience)
            self._thread.connection.execute(f"PRAGMA mmap_size={MAPPED}")
        connection: sqlite3.Connection = self._thread.connection
        return connection


@lru_cache(64)
def _names(together: str) -> tuple[str, ...]:
    return tuple(together.split(","))


@lru_cache(256)
def _query(tables: tuple[str, ...], count: int) -> str:
    keys = ",".join(f"?{at}" for at in range(1, count + 1))
    return " UNION ALL ".join(
        f'SELECT entity_key, group_concat(feature_name), CAST(group_concat(value) AS BLOB) FROM "{table}" '  # noqa: S608 - contract names
        f"WHERE entity_key IN ({keys}) GROUP BY entity_key" for table in tables)
