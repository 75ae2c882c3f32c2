"""One raw table in the platform's columns: keys, time, inputs by name, `bad`; and beside it what was seen on the way.

Judges nothing: what cannot be cast stays as it was written, what is not declared keeps its raw name, what is missing is absent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME, NO_TIME, Applicant, Application, Input, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, EventTime
from training import casts, outcomes

ROWS_PER_GROUP = 1 << 20


def translate(portfolio: Portfolio, table: Table, raw: pa.Table) -> pa.Table:
    """The table as the stages after ingest know it, in declared order, undeclared raw columns last."""
    columns = {**_keys(portfolio, table, raw), EVENT_TIME: _event_time(table, raw)}
    columns |= {column.name: _input(table, column, raw[column.raw]) for column in table.select(Input) if column.raw in raw.column_names}
    if table is portfolio.applications:
        columns[BAD] = outcomes.bad(portfolio.outcome, raw, columns[EVENT_TIME])
    columns |= {name if name not in columns else f"{name} (raw)": raw[name] for name in undeclared(portfolio, table, raw)}
    return pa.table({name: column for name, column in columns.items() if column is not None})


def undeclared(portfolio: Portfolio, table: Table, raw: pa.Table) -> list[str]:
    """The raw columns that the contract says nothing of."""
    known = {column.raw for column in table.columns}
    known |= {table.time.raw} if isinstance(table.time, EventTime) else set()
    known |= {*portfolio.outcome.raws} if table is portfolio.applications else set()
    return [name for name in raw.column_names if name not in known]


def describe(translated: pa.Table, undeclared: list[str], digest: str) -> dict[str, Any]:
    """What ingest.json says of a table: counts and shares, no value."""
    rows = translated.num_rows
    missing = {name: round(translated[name].null_count / max(rows, 1), 6) for name in translated.column_names}
    return {"sha256": digest, "rows": rows, "undeclared": undeclared, "missing": missing}


def write(table: pa.Table, path: Path) -> None:
    """Parquet whose bytes follow from the values alone: one chunk per column, fixed row groups, no metadata of ours or pandas'."""
    plain = table.combine_chunks().replace_schema_metadata(None)
    pq.write_table(plain, path, compression="zstd", row_group_size=ROWS_PER_GROUP)


def _keys(portfolio: Portfolio, table: Table, raw: pa.Table) -> dict[str, pa.ChunkedArray | None]:
    (applicant,) = table.select(Applicant)
    key = portfolio.application_key if table is portfolio.applications else next(iter(table.select(Application)), None)
    keys = ({APPLICATION_ID: key.raw} if key else {}) | {APPLICANT_ID: applicant.raw}
    return {name: _key(raw, header) for name, header in keys.items()}


def _key(raw: pa.Table, header: str) -> pa.ChunkedArray | None:
    if header == ROW:
        return pa.chunked_array([pa.array(range(1, raw.num_rows + 1)).cast(pa.string())])
    return casts.text(raw[header]) if header in raw.column_names else None


def _event_time(table: Table, raw: pa.Table) -> pa.ChunkedArray | None:
    if not isinstance(table.time, EventTime):
        return pa.chunked_array([pa.repeat(pa.scalar(NO_TIME, casts.TIME), raw.num_rows)])
    if table.time.raw not in raw.column_names:
        return None
    cast = casts.time(raw[table.time.raw], table.time)
    return cast.values if cast.whole else raw[table.time.raw].cast(pa.string())


def _input(table: Table, column: Input, raw: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.is_level:
        return casts.level(raw, column)
    cast = number(table, column, raw)
    return cast.values if cast.whole else raw.cast(pa.string())


def number(table: Table, column: Input, raw: pa.ChunkedArray) -> casts.Cast:
    """A number column as its table writes numbers."""
    return casts.number(raw, column.missing, table.reader, column.suffix)
