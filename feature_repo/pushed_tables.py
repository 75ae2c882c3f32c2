"""Pushed rows as columns: what a view's file would hold of them, and back into the journal.

Responsible for types, and for the view's own event time (`<view>_as_of`), which a pushed row cannot contradict. Refuses infinite values;
judges no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import isinf
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo import pushed
from feature_repo.asof import PUSHED_AT
from feature_repo.contract import APPLICANT_ID
from feature_repo.errors import FeatureError
from feature_repo.pushed import Pushed

MOMENT = pa.timestamp("us", "UTC")
SECOND = 1_000_000  # microseconds
INFINITE = "a pushed value is infinite, which no contract allows; push what is known, or nothing where it is not"


@dataclass(frozen=True)
class View:
    """A view's name, its file, and the file's columns that are no stored values."""

    name: str
    path: Path
    time: str
    created: str | None

    @property
    def as_of(self) -> str:
        return f"{self.name}_as_of"

    @property
    def apart(self) -> set[str | None]:
        return {APPLICANT_ID, self.time, self.created, self.as_of}


def rows(journal: Path, view: View) -> pa.Table | None:
    """Everything pushed to the view in its file's columns, with `pushed_at`; nothing where nothing was."""
    found = list(pushed.every(journal, view.name))
    if not found:
        return None
    event, created = [row.event_us for row in found], [row.created_us for row in found]
    known: dict[str | None, list[Any]] = {APPLICANT_ID: [row.applicant_id for row in found], view.time: event, view.created: created,
                                          view.as_of: [moment / SECOND for moment in event]}
    schema = pq.read_schema(view.path)
    columns = {field.name: _typed(known.get(field.name) or [row.values.get(field.name) for row in found], field) for field in schema}
    return pa.table({**columns, PUSHED_AT: pa.array(created).cast(MOMENT)})


def keep(journal: Path, view: View, table: pa.Table, at: datetime) -> None:
    """Append rows in the file's columns to the journal; pushed at that moment, unless they say when they were created."""
    if table[APPLICANT_ID].null_count or table[view.time].null_count:
        raise FeatureError(f"{view.name}: every pushed row needs {APPLICANT_ID} and {view.time}")
    values = table.drop_columns([name for name in table.column_names if name in view.apart]).to_pylist()
    event = _microseconds(table[view.time])
    if view.as_of in table.column_names and table[view.as_of].to_pylist() != [moment / SECOND for moment in event]:
        raise FeatureError(f"{view.name}: {view.as_of} of a pushed row must be its {view.time}, in seconds since 1970")
    if any(isinstance(value, float) and isinf(value) for row in values for value in row.values()):
        raise FeatureError(f"{view.name}: {INFINITE}")
    now = _microseconds(pa.chunked_array([pa.array([at], MOMENT)])) * table.num_rows
    created = _microseconds(table[view.created]) if view.created else now
    pushed.append(journal, view.name, map(Pushed, table[APPLICANT_ID].to_pylist(), event, created, values))


def _typed(values: list[Any], field: pa.Field) -> pa.Array:
    is_moment = pa.types.is_timestamp(field.type)
    return pa.array(values, pa.int64()).cast(MOMENT).cast(field.type, safe=False) if is_moment else pa.array(values, field.type)


def _microseconds(moments: pa.ChunkedArray) -> list[int]:
    """Since 1970 (UTC); a moment without a zone is one in UTC."""
    return [int(moment) for moment in moments.cast(pa.timestamp("us", moments.type.tz or "UTC"), safe=False).cast(pa.int64()).to_pylist()]
