"""Stored features inside the call: one applicant's values straight from Feast's SQLite tables, and what their age means.

Responsible for reading what `feature_repo.store.publish` wrote, in microseconds and without importing Feast, and for saying which
columns may not be relied on at the moment of the decision. Refuses to guess: a table, type or file that is not as Feast 0.67 with key
serialization 3 writes it is an error. Decides nothing about the application.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import local
from typing import NamedTuple

from feature_repo.contract import Stored, WhenStale
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value, decode, entity_key
from feature_repo.freshness import ageing, is_fresh
from feature_repo.portfolio import Portfolio

PATIENCE = 0.2  # seconds to wait for a lock: a decision is better degraded than late


class Judged(NamedTuple):
    """Stored columns as the decision may use them. doubtful: makes it degraded and a referral; refused: forbids a decision."""

    values: dict[str, Value]
    doubtful: tuple[str, ...]
    refused: tuple[str, ...]


class OnlineFeatures:
    """The online table of each view, read-only, one connection per thread. Opens nothing until it reads: `read("")` is a probe."""

    def __init__(self, database: Path, portfolio: Portfolio) -> None:
        self._database = database
        self._empty: dict[str, Value] = {name: None for table in portfolio.views
                                         for name in (table.as_of, *(column.name for column in table.stored))}
        tables = [f"{portfolio.name}_{table.name}" for table in portfolio.views]
        self._query = " UNION ALL ".join(
            f'SELECT feature_name, value FROM "{name}" WHERE entity_key = ?1' for name in tables)  # noqa: S608 - contract names
        self._thread = local()

    def read(self, applicant_id: str) -> dict[str, Value]:
        """Every stored column and each view's as_of (seconds since 1970) by name; None where there is no value.

        An unknown applicant has None everywhere. Raises FeatureError where the tables are missing, locked or not Feast's.
        """
        found = dict(self._empty)
        if not self._query:
            return found
        try:
            for name, value in self._connection().execute(self._query, (entity_key(applicant_id),)):
                if name in found:
                    found[name] = decode(value)
        except sqlite3.Error as error:
            self.close()
            raise FeatureError(f"online features {self._database} cannot be read ({error}); is it published, and is no other program "
                               "holding it?") from None
        return found

    def close(self) -> None:
        """Close this thread's connection; the next read opens another."""
        connection = self._thread.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        if "connection" not in self._thread.__dict__:
            self._thread.connection = sqlite3.connect(f"{self._database.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        connection: sqlite3.Connection = self._thread.connection
        return connection


def fresh(portfolio: Portfolio, values: Mapping[str, Value] | None, decided_at: datetime,
          said: Mapping[str, Value] | None = None) -> Judged:
    """Apply `fresh_for` and `when_stale` to what `read` returned; what is out of date becomes None, as it is offline.

    values: None where the store could not be read. decided_at: zoned. said: values of the request for columns declared
    `WhenStale.REQUEST`; one is used only where the stored value is missing or out of date.
    Not relied on, and so reported by its policy: a value out of date or from after `decided_at`, an unreachable one, and a missing one
    that is not nullable. A nullable value that was never known is an answer, not a doubt.
    """
    if decided_at.tzinfo is None:
        raise FeatureError("decided_at has no time zone; ages are counted in UTC")
    at, stored, reachable = decided_at.timestamp(), values or {}, values is not None
    judged: dict[str, Value] = {}
    missed: list[Stored] = []
    for table, column, limit in ageing(portfolio):
        as_of = stored.get(table.as_of)
        current = isinstance(as_of, float) and is_fresh(as_of, at, limit)
        value = stored.get(column.name) if current else None
        if value is None and said is not None and column.when_stale is WhenStale.REQUEST:
            value = said.get(column.name)
        never_known = reachable and (current or as_of is None)
        judged[column.name] = value
        if value is None and not (column.nullable and never_known):
            missed.append(column)
    return Judged(judged, _names(missed, refused=False), _names(missed, refused=True))


def _names(missed: list[Stored], *, refused: bool) -> tuple[str, ...]:
    return tuple(column.name for column in missed if (column.when_stale is WhenStale.REFUSE) is refused)
