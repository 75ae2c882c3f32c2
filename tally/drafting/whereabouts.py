"""Where a broken promise is in a file: its first row, counted from 1, and the undeclared texts of a column of categories."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.contract import BAD, EVENT_TIME, Input, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from feature_repo.verdict import Broken
from training import casts, tables, vault

MOST_TEXTS = 10


def of(portfolio: Portfolio, broken: Broken, ingested: Path, protected: Path) -> str:
    """In words; empty where the count says it all."""
    if broken.rule == "group":
        return _groups(portfolio, broken, protected)
    table = next((table for table in portfolio.tables if table.name == broken.table), None)
    path = ingested / f"{broken.table}.parquet"
    if table is None or broken.column not in pq.read_schema(path).names:
        return ""
    values = pq.read_table(path, columns=[broken.column])[broken.column]
    if broken.rule == "type" and broken.column == BAD:
        return _texts(broken.column, values.filter(casts.outcome(values, portfolio.outcome).failed).to_pylist())
    column = next((column for column in table.select(Input) if column.name == broken.column), None)
    if broken.rule == "level" and column is not None:
        return _texts(broken.column, [text for text in values.to_pylist() if text is not None and text not in column.level_names])
    wrong = _wrong(table, column, broken, values)
    return f"{broken.column} first in row {int(np.flatnonzero(wrong)[0]) + 1:,}" if wrong.any() else ""


def _wrong(table: Table, column: Input | None, broken: Broken, values: pa.ChunkedArray) -> np.ndarray:
    """Which rows break the promise; none where that is not about rows."""
    if broken.rule == "not_null":
        return np.asarray(values.is_null())
    if broken.rule == "type" and broken.column == EVENT_TIME and isinstance(table.time, EventTime):
        return np.asarray(casts.time(values, table.time).failed)
    if broken.rule == "type" and column is not None:
        return np.asarray(tables.number(table, column, values).failed)
    if broken.rule == "range" and column is not None and pa.types.is_floating(values.type):
        low, high = (-np.inf if column.low is None else column.low), (np.inf if column.high is None else column.high)
        return np.asarray(pc.fill_null(pc.or_(pc.less(values, low), pc.greater(values, high)), fill_value=False))
    return np.zeros(0, dtype=bool)


def _groups(portfolio: Portfolio, broken: Broken, protected: Path) -> str:
    """A group made of limits has numbers for texts, which are a person's; only declared texts are categories."""
    column = next(column for column in portfolio.protected if column.name == broken.column)
    if column.edges:
        return ""
    values = pd.read_parquet(protected / vault.FILE, columns=[column.name])[column.name].dropna()
    return _texts(column.name, values[~values.isin(column.group_names)])


def _texts(name: str, texts: Iterable[str]) -> str:
    counts = pd.Series(list(texts), dtype=str).value_counts()
    said = ", ".join(f"{text!r} ({count:,} rows)" for text, count in counts.head(MOST_TEXTS).items())
    more = f" and {len(counts) - MOST_TEXTS:,} more" if len(counts) > MOST_TEXTS else ""
    return f"{name} not declared: {said}{more}" if said else ""
