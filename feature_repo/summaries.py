# ruff: noqa: S608 - names are quoted, and no value is part of a query
"""Measures what a publish puts online: of everybody's newest row the missing values, the quantiles and when it became true.

Responsible for one pass over each view in DuckDB, and for leaving out a quantile beyond which few people lie. Judges nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import msgspec

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Stored, Table
from feature_repo.portfolio import Portfolio
from feature_repo.statistics import FILE, OfColumn, OfView, Quantiles, Statistics

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
LEAST = 10  # fewest people beyond a quantile that is told


def write(portfolio: Portfolio, views: Path, home: Path) -> None:
    """Write `home/statistics.json` from the views' files. Call it after a publish has succeeded; a reader never sees half a file."""
    measured = measure(portfolio, views)
    home.mkdir(parents=True, exist_ok=True)
    fresh = home / f".{FILE}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(measured, order="deterministic"))
    os.replace(fresh, home / FILE)  # noqa: PTH105 - over one that is there


def measure(portfolio: Portfolio, views: Path) -> Statistics:
    """Of every stored column and every view."""
    columns: dict[str, OfColumn] = {}
    whole: dict[str, OfView] = {}
    with duckdb.connect() as connection:
        for table in portfolio.views:
            _newest(connection, table, views / f"{table.name}.parquet")
            columns |= {column.name: _column(connection, column) for column in table.stored}
            ((applicants,),) = connection.sql("SELECT count(*) FROM newest").fetchall()
            whole[table.name] = OfView(applicants, _quantiles(connection, table.as_of))
    return Statistics(columns, whole)


def _newest(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    """Everybody's newest row; of two for one moment the one created later."""
    names = (EVENT_TIME, CREATED_TIME, table.as_of, *(column.name for column in table.stored))
    row, file = ", ".join(f'"{name}" := "{name}"' for name in names), str(path).replace("'", "''")
    newest = f"""SELECT max(struct_pack({row})) AS row FROM read_parquet('{file}') GROUP BY "{APPLICANT_ID}" """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE newest AS SELECT unnest(row) FROM ({newest})")


def _column(connection: duckdb.DuckDBPyConnection, column: Stored) -> OfColumn:
    there = f'"{column.name}" IS NOT NULL' + ("" if column.is_level else f' AND NOT isnan("{column.name}")')
    ((missing,),) = connection.sql(f"SELECT coalesce(1 - avg(({there})::INT), 0) FROM newest").fetchall()
    return OfColumn(round(missing, 6), {} if column.is_level else _quantiles(connection, column.name))


def _quantiles(connection: duckdb.DuckDBPyConnection, name: str) -> Quantiles:
    shares = ", ".join(f'quantile_cont("{name}", {share})' for share in SHARES)
    ((rows, *found),) = connection.sql(f'SELECT count(*), {shares} FROM newest WHERE NOT isnan("{name}")').fetchall()
    return {f"{share:g}": value for share, value in zip(SHARES, found, strict=True) if rows * min(share, 1 - share) >= LEAST}
