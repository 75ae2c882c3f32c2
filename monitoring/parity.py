"""Whether decisions were made on the values training would be told of: recorded vectors beside the point-in-time join.

Responsible for drawing decisions, for asking the join what was true and known at each one's moment, and for counting per column how often
and in what way the two differ. Equal means equal to the last bit, and missing in both. Knows no limit and writes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isnan
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import beta

from feature_repo import pushed_tables
from feature_repo.asof import Source, join
from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Table
from feature_repo.feast_bytes import Value
from feature_repo.portfolio import Portfolio
from governance.ledger.entries import Record

MOMENT = pa.timestamp("us", "UTC")
LAST = timedelta(microseconds=999)  # a record says its moment in milliseconds, cut off


class Kind(StrEnum):
    """In what way an online value is not the offline one."""

    VALUE = "another value"
    ONLINE = "only online"
    OFFLINE = "only offline"
    AS_OF = "another as_of"


class Column(msgspec.Struct, frozen=True):
    """A stored column, or a view's as_of: decisions compared, those with another value, by kind.

    share, low, high: of other values, with the interval; upper: the most it may be, one-sided (Clopper and Pearson 1934).
    """

    column: str
    view: str
    compared: int
    mismatched: int
    kinds: dict[Kind, int]
    share: float
    low: float
    high: float
    upper: float


@dataclass(frozen=True)
class Vector:
    """What one decision was made on. at: its moment of business; recorded_at: of the clock on the wall."""

    applicant_id: str
    at: datetime
    recorded_at: datetime
    stored: dict[str, Value]


@dataclass(frozen=True)
class Drawn:
    """Decisions to compare. of: how many there were to draw from; unread: of them made while the store could not be read."""

    vectors: list[Vector]
    of: int
    unread: int
    since: str


def draw(records: Iterable[Record], size: int, seed: int) -> Drawn:
    """At most `size` of the decisions, any as likely as another, in one pass. What was erased is nobody's."""
    chance, seen, unread, since = random.Random(seed), 0, 0, ""  # noqa: S311 - a sample, no secret
    kept: list[Vector] = []
    for record in records:
        if record.erased:
            continue
        since = since or record.recorded_at
        content = record.content
        if not content["stored"]:
            unread += 1
            continue
        seen += 1
        place = seen - 1 if seen <= size else chance.randrange(seen)
        if place < size:
            kept[place : place + 1] = [_vector(content)]
    return Drawn(kept, seen + unread, unread, since)


def compare(portfolio: Portfolio, drawn: Drawn, views: Path, journal: Path, confidence: float) -> list[Column]:
    """Every stored column and each view's as_of, in declared order; nothing where nothing was drawn."""
    if not drawn.vectors:
        return []
    then = _then(portfolio, drawn.vectors, views, journal)
    return [_column(table, name, list(_found(drawn.vectors, then, table.as_of, name)), confidence)
            for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))]


def _vector(content: dict[str, Any]) -> Vector:
    return Vector(content["applicant_id"], datetime.fromisoformat(content["decided_at"]), datetime.fromisoformat(content["recorded_at"]),
                  content["stored"])


def _then(portfolio: Portfolio, vectors: list[Vector], views: Path, journal: Path) -> dict[str, list[Value]]:
    """What the views, with what was pushed since, say was true at each decision's moment and known when it was recorded."""
    asked = pa.table({APPLICANT_ID: [one.applicant_id for one in vectors], "at": pa.array([one.at + LAST for one in vectors], MOMENT),
                      "known": pa.array([one.recorded_at for one in vectors], MOMENT)})
    found = join(asked, "at", [_source(table, views / f"{table.name}.parquet", journal) for table in portfolio.views])
    return {name: found[name].to_pylist() for name in found.column_names}


def _source(table: Table, path: Path, journal: Path) -> Source:
    created = CREATED_TIME if CREATED_TIME in pq.read_schema(path).names else None
    pushed = pushed_tables.rows(journal, pushed_tables.View(table.name, path, EVENT_TIME, created))
    features = tuple((name, name) for name in (table.as_of, *(column.name for column in table.stored)))
    return Source(path=path, keys=((APPLICANT_ID, APPLICANT_ID),), time=EVENT_TIME, created=created, features=features, pushed=pushed,
                  known_by="known")


def _found(vectors: list[Vector], then: dict[str, list[Value]], as_of: str, name: str) -> Iterator[Kind | None]:
    """Of each decision that says something of the column: in what way it is not what was true, or None."""
    for vector, value, moment in zip(vectors, then[name], then[as_of], strict=True):
        if name in vector.stored:
            yield _kind(_said(vector.stored[name]), _said(value), same_row=_said(vector.stored.get(as_of)) == _said(moment))


def _kind(online: Value, offline: Value, *, same_row: bool) -> Kind | None:
    if online == offline:
        return None
    if offline is None:
        return Kind.ONLINE
    if online is None:
        return Kind.OFFLINE
    return Kind.VALUE if same_row else Kind.AS_OF


def _column(table: Table, name: str, found: list[Kind | None], confidence: float) -> Column:
    kinds = Counter(kind for kind in found if kind)
    return counted(name, table.name, len(found), {kind: kinds[kind] for kind in Kind if kinds[kind]}, confidence)


def counted(name: str, view: str, of: int, kinds: dict[Kind, int], confidence: float) -> Column:
    """A column by its counts."""
    hits = sum(kinds.values())
    low, high = (bound(hits, of, (1 - confidence) / 2, upper=upper) for upper in (False, True))
    return Column(name, view, of, hits, kinds, hits / of if of else 0.0, low, high, bound(hits, of, 1 - confidence, upper=True))


def bound(hits: int, of: int, tail: float, *, upper: bool) -> float:
    """A bound of a share that the truth is beyond with at most this chance (Clopper and Pearson 1934).

    >>> round(bound(0, 299, 0.05, upper=True), 3), bound(0, 299, 0.05, upper=False)
    (0.01, 0.0)
    """
    if upper:
        return 1.0 if hits == of else float(beta.ppf(1 - tail, hits + 1, of - hits))
    return 0.0 if hits == 0 else float(beta.ppf(tail, hits, of - hits + 1))


def _said(value: Value) -> Value:
    return None if isinstance(value, float) and isnan(value) else value
