"""The frames validation looks at: ingested tables as pandas has them, with what could not be cast still in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import BAD, EVENT_TIME, Input, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from training import casts, tables, vault


def of_table(portfolio: Portfolio, table: Table, ingest: Path) -> pd.DataFrame:
    """An ingested table: numbers float64, times datetime64[us] in UTC, levels categories.

    A column of the wrong type is of objects: what was a number or time, and the texts that were not, each in its row.
    """
    read = pq.read_table(ingest / f"{table.name}.parquet")
    return pd.DataFrame({name: _column(portfolio, table, name, read[name]) for name in read.column_names})


def of_vault(path: Path) -> pd.DataFrame:
    """Group names as categories."""
    read = pq.read_table(path / vault.FILE)
    return pd.DataFrame({name: _categories(read[name]) for name in read.column_names})


def _column(portfolio: Portfolio, table: Table, name: str, read: pa.ChunkedArray) -> Any:
    if pa.types.is_timestamp(read.type):
        return read.cast(pa.timestamp("us")).to_numpy()
    if not pa.types.is_string(read.type):
        return read.to_numpy()
    declared = {column.name: column for column in table.select(Input)}.get(name)
    if declared:
        return _categories(read) if declared.is_level else _mixed(tables.number(table, declared, read), read)
    if name == BAD:
        return _mixed(casts.outcome(read, portfolio.outcome), read)
    return _mixed(casts.time(read, table.time), read) if name == EVENT_TIME and isinstance(table.time, EventTime) else read.to_pandas()


def _categories(read: pa.ChunkedArray) -> Any:
    return read.combine_chunks().dictionary_encode().to_pandas()


def _mixed(cast: casts.Cast, texts: pa.ChunkedArray) -> Any:
    """Objects: cast values, None for missing, and the text where there is neither."""
    known = cast.values.to_pandas().astype(object)  # noqa: PD011 - not a frame's
    return known.where(known.notna(), None).where(~cast.failed.to_numpy(), texts.to_pandas()).to_numpy(dtype=object)
