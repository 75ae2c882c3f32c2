"""Writing online: rows of a view into the tables Feast reads, whoever writes, never an older value over a newer one.

Responsible for what all writers share: the rows, and which store an address means. A writer takes a row only where it is newer than the
one that is there, by event time to the microsecond, then by created time where both are known, else as the later write; and it
writes a view of an applicant whole or not at all. Imports no Feast, so that a scoring worker can write what is pushed to it.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, Self

from feature_repo.contract import Table
from feature_repo.feast_bytes import DOUBLE, DOUBLE_FIELD, Value, encode
from feature_repo.portfolio import Portfolio
from feature_repo.pushed import Pushed

SECOND = 1_000_000  # microseconds


class View(NamedTuple):
    """A view of a project, as tables and hashes name it. columns: what is stored, without the as_of, which writers derive."""

    project: str
    name: str
    columns: tuple[str, ...]

    @property
    def as_of(self) -> str:
        return f"{self.name}_as_of"


class Rows(NamedTuple):
    """Rows of one view, by column. Times are microseconds since 1970 (UTC); created: None where nobody said.

    texts: each value as Python writes it, where that is known already.
    """

    applicants: Sequence[str]
    times: Sequence[int]
    created: Sequence[int | None]
    values: Sequence[Sequence[Value]]
    texts: Sequence[Sequence[str | None]] | None = None

    def newest(self) -> Rows:
        """One row of each applicant: the latest by event time, then created time, then place."""
        if len(set(self.applicants)) == len(self.applicants):
            return self
        order = sorted(range(len(self.applicants)), key=lambda row: (self.times[row], self.created[row] or 0))
        return self.at(sorted({self.applicants[row]: row for row in order}.values()))

    def at(self, places: Sequence[int]) -> Rows:
        """The rows at some places."""
        texts = self.texts and [[column[row] for row in places] for column in self.texts]
        return Rows([self.applicants[row] for row in places], [self.times[row] for row in places], [self.created[row] for row in places],
                    [[column[row] for row in places] for column in self.values], texts)


class Writer(ABC):
    """One online store. Raises FeatureError where it cannot be written. Threads may share it."""

    keeps_texts = False

    def write(self, view: View, rows: Rows, progress: tuple[str, int] | None = None) -> int:
        """Write what is newer than what is there, and how many rows that were.

        progress: how far which publication of the view has come with these rows. It is noted where they are, so it is lost with them.
        """
        return self.commit(self.prepare(view, rows), progress)

    @abstractmethod
    def prepare(self, view: View, rows: Rows) -> Any:
        """What `commit` takes: all that can be done while others are written."""

    @abstractmethod
    def commit(self, prepared: Any, progress: tuple[str, int] | None = None) -> int:
        """As `write`, of rows that are prepared."""

    @abstractmethod
    def progress(self, view: View, publication: str) -> int:
        """How far a publication of the view had come, 0 where nothing is known of it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def writer(database: Path, address: str = "", patience: float = 30.0, *, durable: bool = True) -> Writer:
    """The store an address means: "redis://…" or "unix://…", or nothing for SQLite in `database`.

    patience: seconds to wait for it. durable: whether SQLite waits for the disk with each write; where not, a power cut takes back the
    last writes, whole and in their order.
    """
    if address:
        from feature_repo.writers.redis import RedisWriter  # noqa: PLC0415 - only where there is one

        return RedisWriter(address, patience)
    from feature_repo.writers.sqlite import SqliteWriter  # noqa: PLC0415 - a store imports this module

    return SqliteWriter(database, patience, durable=durable)


def view_of(portfolio: Portfolio, table: Table) -> View:
    """A table of a contract as online stores name it."""
    return View(portfolio.name, table.name, tuple(column.name for column in table.stored))


def by_column(view: View, rows: list[Pushed]) -> Rows:
    """Pushed rows as writers take them."""
    return Rows([row.applicant_id for row in rows], [row.event_us for row in rows], [row.created_us for row in rows],
                [[row.values.get(name) for row in rows] for name in view.columns])


def encoded(column: Sequence[Value]) -> list[bytes]:
    """A column as Feast writes its values."""
    try:
        return list(map(DOUBLE.pack, repeat(DOUBLE_FIELD), column))
    except struct.error:  # not numbers alone
        return [b"" if value is None else encode(value) if isinstance(value, str) else DOUBLE.pack(DOUBLE_FIELD, value) for value in column]
