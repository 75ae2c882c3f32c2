"""What was pushed to the stored features since they were delivered, as the pipeline takes it up.

Responsible for copying the journal into the ingested data, the same bytes for the same rows, and for refusing a pushed value that breaks
the contract: whoever pushes through Feast itself is asked by nobody else.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Severity, Stored, Table
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.pushed import JOURNAL, Pushed, read
from training import casts, tables
from training.origin import origin


def journal(portfolio: Portfolio) -> Path:
    """Where what is pushed to a portfolio's stored features is kept."""
    return (origin() / os.environ.get("TALLY_HOME", "var")).resolve() / portfolio.name / "feast" / JOURNAL


def copy(portfolio: Portfolio, ingest: Path) -> None:
    """Write `pushed-<table>.parquet` for each table that was pushed to, and for no other."""
    for table in portfolio.views:
        path = _path(ingest, table)
        rows = list(read(journal(portfolio), table.name))
        if rows:
            tables.write(_columns(table, rows), path)
        else:
            path.unlink(missing_ok=True)


def pushed(ingest: Path, table: Table) -> pd.DataFrame | None:
    """The rows pushed to a table, if any. Raises DataError where they break the contract."""
    path = _path(ingest, table)
    if not path.is_file():
        return None
    frame = pd.read_parquet(path)
    broken = [f"{column.name} ({count})" for column in table.stored if (count := _broken(column, frame[column.name]))]
    if broken:
        raise DataError(f"{table.name}: rows were pushed whose values the contract does not allow: {', '.join(broken)}. Push the "
                        "applicants' right values for the same moment, or widen the contract")
    return frame


def _path(ingest: Path, table: Table) -> Path:
    return ingest / f"pushed-{table.name}.parquet"  # no table's name has a hyphen


def _columns(table: Table, rows: list[Pushed]) -> pa.Table:
    moments = {EVENT_TIME: [row.event_us for row in rows], CREATED_TIME: [row.created_us for row in rows]}
    stored = {column.name: pa.array((row.values.get(column.name) for row in rows), pa.string() if column.is_level else pa.float64())  # noqa: PD011
              for column in table.stored}
    return pa.table({APPLICANT_ID: pa.array([row.applicant_id for row in rows], pa.string()),
                     **{name: pa.array(times, pa.int64()).cast(casts.TIME) for name, times in moments.items()}, **stored})


def _broken(column: Stored, values: pd.Series) -> int:
    """How many values the contract does not allow, where that stops a run."""
    if column.severity is Severity.WARN:
        return 0
    there = values.dropna()
    missing = 0 if column.nullable else len(values) - len(there)
    if column.is_level:
        return missing + int((~there.isin(column.level_names)).sum())
    outside = pd.Series(data=False, index=there.index)
    for bound, beyond in ((column.low, there.lt), (column.high, there.gt)):
        outside |= beyond(bound) if bound is not None else False
    return missing + int((outside & ~there.isin(column.special)).sum())
