"""From ingested tables to the frames Feast joins, and from the join to the model's inputs.

Responsible for types, keys, ages and order. Refuses rows that could mean two things at one moment; repairs nothing else, since
`validate` has judged the data before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, CREATED_TIME, EVENT_TIME, NO_TIME, Input, Table
from feature_repo.derive import derive
from feature_repo.errors import DataError
from feature_repo.freshness import is_fresh
from feature_repo.portfolio import Portfolio

SECOND = 1_000_000  # microseconds


def applications(portfolio: Portfolio, table: pd.DataFrame) -> pd.DataFrame:
    """Keys, time, request columns and outcome of every application, ordered by time and application id."""
    frame = pd.DataFrame({APPLICATION_ID: _text(table[APPLICATION_ID]), **_moments(portfolio, table),
                          **{column.name: _values(column, table) for column in portfolio.requests}, BAD: _number(table[BAD])})
    _refuse_gaps(portfolio.applications.name, frame[[APPLICATION_ID, APPLICANT_ID, EVENT_TIME]])
    again = int(frame[APPLICATION_ID].duplicated().sum())
    if again:
        raise DataError(f"{portfolio.applications.name}: {again} rows repeat an {APPLICATION_ID}; each application may be there once")
    return frame.sort_values([EVENT_TIME, APPLICATION_ID], ignore_index=True)


def view(portfolio: Portfolio, declared: Table, table: pd.DataFrame, pushed: pd.DataFrame | None = None) -> pd.DataFrame:
    """Key, times, as_of and stored columns of one table, ordered by applicant and time; a row repeated word for word counts once.

    Rows are taken to be created as soon as they are true. pushed: rows that say when they were created; a later created one counts
    over the table's for the same applicant and moment, which stays for who asks what was known before.
    """
    frame = _unique(declared, _rows(portfolio, declared, table))
    if pushed is None or pushed.empty:
        return frame
    later = _rows(portfolio, declared, pushed)
    later[CREATED_TIME] = later[[CREATED_TIME, EVENT_TIME]].max(axis=1)  # a clock that was ahead made it true after it was pushed
    row = [APPLICANT_ID, EVENT_TIME, CREATED_TIME]
    both = pd.concat([frame, later], ignore_index=True).sort_values(row, kind="stable", ignore_index=True)
    return both.drop_duplicates(row, keep="last", ignore_index=True)


def _rows(portfolio: Portfolio, declared: Table, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a view, in any order of rows."""
    moments = _moments(portfolio, table)
    created = table[CREATED_TIME].astype("datetime64[us, UTC]") if CREATED_TIME in table else moments[EVENT_TIME]
    frame = pd.DataFrame({**moments, CREATED_TIME: created, declared.as_of: _seconds(moments[EVENT_TIME]),
                          **{column.name: _values(column, table) for column in declared.stored}})
    _refuse_gaps(declared.name, frame[[APPLICANT_ID, EVENT_TIME]])
    return frame


def _unique(declared: Table, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values([APPLICANT_ID, EVENT_TIME], ignore_index=True)
    again = _as_the_row_before(frame[[APPLICANT_ID, EVENT_TIME]])
    if not again.any():
        return frame
    frame = frame.drop_duplicates(ignore_index=True)
    torn = int(_as_the_row_before(frame[[APPLICANT_ID, EVENT_TIME]]).sum())
    if torn:
        raise DataError(f"{declared.name}: {torn} rows give an applicant other stored values for the same moment; keep one of each")
    return frame


def assemble(portfolio: Portfolio, joined: pd.DataFrame) -> pd.DataFrame:
    """Every input of every application: stored values that are out of date become missing, then derived columns are added.

    joined: what `feature_repo.offline.history` returns.
    """
    at = _seconds(joined[EVENT_TIME]).to_numpy()
    values = {column.name: _values(column, joined).to_numpy() for column in portfolio.raw_inputs}
    for table, column, limit in portfolio.ageing:
        usable = is_fresh(joined[table.as_of].to_numpy(), at, limit)
        values[column.name] = np.where(usable, values[column.name], _missing(column))
    known = derive(portfolio, values)
    inputs = {column.name: pd.Series(known[column.name], index=joined.index) for column in portfolio.inputs}
    keys = {name: joined[name] for name in (APPLICATION_ID, APPLICANT_ID, EVENT_TIME)}
    frame = pd.DataFrame({**keys, **inputs, BAD: joined[BAD]}, copy=False)  # copies of all columns are what bounds the rows there may be
    order = joined[[EVENT_TIME, APPLICATION_ID]].reset_index(drop=True).sort_values([EVENT_TIME, APPLICATION_ID]).index
    return frame.reset_index(drop=True) if order.is_monotonic_increasing else frame.iloc[order].reset_index(drop=True)


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet whose bytes depend on the values alone: texts, float64 and microseconds UTC, no pandas metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, _arrow(kind)) for name, kind in frame.dtypes.items()])
    pq.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False).replace_schema_metadata(), path)


def _arrow(kind: object) -> pa.DataType:
    if isinstance(kind, pd.DatetimeTZDtype):
        return pa.timestamp("us", "UTC")
    return pa.float64() if kind == np.float64 else pa.string()


def _moments(portfolio: Portfolio, table: pd.DataFrame) -> dict[str, pd.Series]:
    times = pd.to_datetime(table[EVENT_TIME], utc=True) if portfolio.is_dated else pd.Series(NO_TIME, index=table.index)
    return {APPLICANT_ID: _text(table[APPLICANT_ID]), EVENT_TIME: times.astype("datetime64[us, UTC]")}


def _seconds(times: pd.Series) -> pd.Series:
    """Since 1970 (UTC), the bits `datetime.timestamp` gives; frames may count in other units."""
    return times.astype("datetime64[us, UTC]").astype("int64") / SECOND


def _values(column: Input, table: pd.DataFrame) -> pd.Series:
    """The column as declared; one that is absent, where `validate` let that pass, has no values."""
    if column.name not in table:
        return pd.Series(np.full(len(table), _missing(column)), index=table.index)
    return _text(table[column.name]) if column.is_level else _number(table[column.name])


def _missing(column: Input) -> np.ndarray[Any, Any]:
    return np.array(None if column.is_level else np.nan)


def _number(values: pd.Series) -> pd.Series:
    """Numbers; a text that `validate` let pass (severity warn) is no value."""
    return pd.to_numeric(values, errors="coerce").astype(np.float64)


def _text(values: pd.Series) -> pd.Series:
    return pd.Series(np.where(values.notna(), values.to_numpy(object), np.array(None)), index=values.index, dtype=object)


def _as_the_row_before(keys: pd.DataFrame) -> pd.Series:
    return keys.eq(keys.shift()).all(axis=1)


def _refuse_gaps(table: str, keys: pd.DataFrame) -> None:
    gaps = int(keys.isna().any(axis=1).sum())
    if gaps:
        raise DataError(f"{table}: {gaps} rows lack one of {list(keys.columns)}; every row needs its keys and its time")
