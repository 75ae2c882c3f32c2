"""A window's file by time and decision, each decision there once: for files of any length, in memory that is set beforehand.

Responsible for what `monitoring.window.read` does to a window in memory. DuckDB compares the ids, and sorts the columns asked for where
the file is not in order, on disk beyond `MEMORY`. That copy holds what the window holds, so it lies beside it and not in the system's
temporary folder: for its owner alone, and gone with the block. Looks into no value.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import window

MEMORY = "256MB"
DRAFT = ".ordered-"  # what a killed run leaves, `tally repair` removes
GROUP = 50_000  # rows of the copy that are read together
TWICE = "SELECT 1 FROM read_parquet($path) WHERE release_id = $release GROUP BY decision_id HAVING count(*) > 1 LIMIT 1"
SORTED = "SELECT {columns} FROM read_parquet($path) WHERE release_id = $release ORDER BY decided_at, decision_id"


class Order:
    """Whether rows that come some at a time are in order."""

    def __init__(self) -> None:
        self.holds = True
        self._last: tuple[int, str] | None = None

    def look(self, _: str, rows: pa.RecordBatch) -> None:
        times = rows[window.DECIDED_AT].cast(pa.timestamp("us", tz="UTC")).to_numpy(zero_copy_only=False).astype(np.int64)
        ids = rows[window.DECISION_ID]
        further = np.asarray(pc.greater(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False), dtype=bool)
        first, last = ((int(times[at]), ids[at].as_py()) for at in (0, len(ids) - 1))
        self.holds &= bool(np.all((times[1:] > times[:-1]) | ((times[1:] == times[:-1]) & further)))
        self.holds &= self._last is None or self._last < first
        self._last = last


@contextmanager
def ordered(path: Path, release_id: str, columns: tuple[str, ...], *, already: bool) -> Iterator[Path]:
    """The file where it is in order already; else these columns of the release's decisions in a file that is. Raises DataError."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=DRAFT) as folder:
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": folder}) as connection:
            asked = {"path": str(path), "release": release_id}
            if connection.execute(TWICE, asked).fetchone():
                raise window.not_once(path)
            if not already:
                rows = SORTED.format(columns=", ".join(f'"{name}"' for name in columns))
                copy = f"COPY ({rows}) TO $to (FORMAT parquet, ROW_GROUP_SIZE {GROUP})"
                connection.execute(copy, asked | {"to": f"{folder}/{path.name}"})
        yield path if already else Path(folder) / path.name
