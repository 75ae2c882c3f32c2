"""Views as the featurize stage writes them, with everything a store could get wrong: any key, any double, NaN beside null, gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, Stored, Table
from feature_repo.portfolio import Portfolio

SCRIPTS = ("p{}", "Ærø {}", "顧客{}", "🙂'\"\\{}", "a,b\r\n$5\r\n{}", "{}\u0000{}", " {} ", "ß" * 90 + "{}")
ODD = np.array([0.0, -0.0, 5e-324, -1.5, 1e300, np.inf, -np.inf, np.nan, 2.0**53, -1e-300])
FIRST = 1_704_067_200 * 10**6  # microseconds since 1970: 2024


def applicants(count: int) -> list[str]:
    return [SCRIPTS[at % len(SCRIPTS)].format(at, at) for at in range(count)]


def write(portfolio: Portfolio, people: list[str], folder: Path, *, seed: int = 0, first: int = FIRST) -> Path:
    """A row in every view for nine in ten of the people, at some moment from `first` (microseconds) on, three years long."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for table in portfolio.views:
        there = [one for one, in_it in zip(people, random.random(len(people)) < 0.9, strict=True) if in_it]
        moments = first + random.integers(0, 10**14, len(there))
        pq.write_table(rows(table, there, moments, random), folder / f"{table.name}.parquet")
    return folder


def rows(table: Table, people: list[str], moments: np.ndarray, random: np.random.Generator) -> pa.Table:
    times = pa.array(moments, pa.timestamp("us", "UTC"))
    return pa.table({APPLICANT_ID: pa.array(people, pa.string()), EVENT_TIME: times, "created_timestamp": times,
                     table.as_of: moments / 1e6, **{column.name: drawn(column, random, len(people)) for column in table.stored}})


def drawn(column: Stored, random: np.random.Generator, count: int) -> pa.Array:
    """Values within no bounds: a store must keep what it is given."""
    without = random.random(count) < 0.1
    if column.is_level:
        return pa.array(random.choice(np.array([*column.level_names, "", "x" * 300], dtype=object), count), pa.string(), mask=without)
    numbers = np.where(random.random(count) < 0.3, random.choice(ODD, count), random.normal(size=count))
    return pa.array(numbers, pa.float64(), mask=without, from_pandas=False)
