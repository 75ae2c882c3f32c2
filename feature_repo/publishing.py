"""Each applicant's latest row of every view, and what was pushed since, on its way into an online store.

Responsible for which row is the latest (event time, then created time), for its order, which follows from the data alone, and for going on
where a killed publication stopped. What to write over is the writer's to judge. Imports no Feast.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from tqdm import tqdm

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.portfolio import Portfolio
from feature_repo.pushed import JOURNAL, read
from feature_repo.writers import Rows, View, Writer, by_column, view_of

TURN = 2e-4  # seconds
ALL = -1  # how far a publication has come that is complete
TIME, CREATED = "event time", "created time"  # of a latest row, in microseconds since 1970 (UTC); no column of a contract has a space
CHUNK = 2_500  # applicants: other writers wait for a chunk, some tenths of a second, and a kill loses one
LATEST = """SELECT {key}, epoch_us({time}) AS "{moment}", epoch_us({created}) AS "{creation}", {columns} FROM read_parquet(?)
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {time} DESC, {created} DESC) = 1 ORDER BY strlen({key}), {key}"""


def complete(portfolio: Portfolio, views: Path, writer: Writer) -> bool:
    """Whether the store has all of these very views."""
    return all(writer.progress(view, publication(view, path)) == ALL for view, path in _files(portfolio, views))


def fill(portfolio: Portfolio, views: Path, writer: Writer) -> dict[str, pa.Table]:
    """Write the latest rows of every view, from where a killed run stopped; all those rows by view, one of each applicant."""
    return {view.name: _fill(view, path, writer) for view, path in _files(portfolio, views)}


def catch_up(portfolio: Portfolio, home: Path, writer: Writer) -> int:
    """Write what was pushed, which a store that was lost has lost as well; how many rows were newer."""
    newer = 0
    for table in portfolio.views:
        rows = read(home / JOURNAL, table.name)
        while some := list(islice(rows, CHUNK)):
            newer += writer.write(view_of(portfolio, table), by_column(view_of(portfolio, table), some))
    return newer


def publication(view: View, path: Path) -> str:
    """What tells one set of rows from another: the file's bytes and the columns that are taken of it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(view).encode())
    return digest.hexdigest()


def _files(portfolio: Portfolio, views: Path) -> Iterator[tuple[View, Path]]:
    for table in portfolio.views:
        yield view_of(portfolio, table), views / f"{table.name}.parquet"


def _fill(view: View, path: Path, writer: Writer) -> pa.Table:
    """Each chunk is prepared while the one before it is written."""
    rows, named = latest(view, path, texts=writer.keeps_texts), publication(view, path)
    start = max(writer.progress(view, named), 0)
    with (tqdm(total=rows.num_rows, initial=start, desc=f"publish {view.name}", unit=" applicants", disable=None) as bar,
          ThreadPoolExecutor(1) as pool, often()):
        writing: Future[int] = pool.submit(int)
        for place in range(start, max(rows.num_rows, 1), CHUNK):
            some = rows.slice(place, CHUNK)
            after = place + some.num_rows
            prepared = writer.prepare(view, _rows(view, some))
            writing.result()
            writing = pool.submit(writer.commit, prepared, (named, after if after < rows.num_rows else ALL))
            bar.update(some.num_rows)
        writing.result()
    return rows


@contextmanager
def often() -> Iterator[None]:
    """Threads take turns more often: who waits for the interpreter between two statements must not wait long."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def latest(view: View, path: Path, *, texts: bool = False) -> pa.Table:
    """Everybody's newest row in a view's file, by key. texts: with each value as Python writes it."""
    columns = [*(f'"{name}"' for name in view.columns), *(f'"{name}"::VARCHAR AS "text of {name}"' for name in view.columns if texts)]
    names = {"key": APPLICANT_ID, "time": EVENT_TIME, "created": CREATED_TIME, "moment": TIME, "creation": CREATED,
             "columns": ", ".join(columns)}
    with duckdb.connect() as connection:
        return connection.sql(LATEST.format(**names), params=[str(path)]).to_arrow_table().combine_chunks()


def _rows(view: View, table: pa.Table) -> Rows:
    applicants, times, created = (_values(table[name]) for name in (APPLICANT_ID, TIME, CREATED))
    texts = [_values(table[f"text of {name}"]) for name in view.columns if f"text of {name}" in table.column_names]
    return Rows(applicants, times, created, [_values(table[name]) for name in view.columns], texts or None)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """As a list: what is missing is None, and numbers by way of NumPy, which is quicker."""
    if column.null_count or not pa.types.is_primitive(column.type):
        return list[Any](column.to_pylist())
    return list[Any](column.to_numpy().tolist())
