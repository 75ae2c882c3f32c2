"""The point-in-time join: 100,000 entity rows over three views with 100 rows of history for every entity, through Feast's own interface.

Each entity asked for once has 10,000,000 rows a view, and reading them bounds everybody; each asked for ten times has 1,000,000.
Held against Feast's DuckDB store, against an ASOF JOIN written by hand in DuckDB, against decoding keys and times with no join, which
bounds everybody, and by rate against Feast's Dask store, which gets a slice of the entities that it survives; each in a process of its
own, in turns. Memory is held against the input: what the three views and the entity rows take as Arrow tables. The gate: the same rows,
to the last bit, as Feast's DuckDB store and the hand-written join.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from entries import Entry, Figures, compare
from joining import AT, ENTITIES, FEATURES, KEY, READING, ROW, VIEWS
from rounds import interleaved

ENTITIES_OF = {"100,000 entities once": 100_000, "10,000 entities ten times": 10_000}
WORKLOADS = tuple(ENTITIES_OF)
ROWS, HISTORY, SLICE, ROUNDS = 100_000, 100, 0.05, 3
JOINING = Path(__file__).with_name("joining.py")
BEGAN, SPAN = 1_600_000_000_000_000, 3 * 365 * 86_400_000_000  # microseconds
RATE = "entity rows/s"
KIB = 1024


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as at:
        whole, part = Path(at, "whole"), Path(at, "part")
        size = write(whole, ENTITIES_OF[workload], ROWS)
        slice_ = round(ROWS * SLICE)
        write(part, round(ENTITIES_OF[workload] * SLICE), slice_)
        peaks: dict[str, list[float]] = {}

        def contest(name: str, folder: Path, rows: int) -> float:
            done = subprocess.run([sys.executable, str(JOINING), name, str(folder), str(rows), str(folder / f"{name}.answer")],
                                  capture_output=True, text=True, check=True)
            seconds, peak = map(float, done.stdout.splitlines()[-1].split())
            peaks.setdefault(name, []).append(peak * KIB)
            return rows / seconds

        figures = interleaved({**{name: partial(contest, name, whole, ROWS) for name in ("ours", "feast duckdb", "by hand", READING)},
                               "feast dask": partial(contest, "feast dask", part, slice_)}, ROUNDS)
        ours = pq.read_table(whole / "ours.answer")
        gates = {name: ours.equals(pq.read_table(whole / f"{name}.answer")) for name in ("feast duckdb", "by hand")}
    peers = (("feast duckdb", "Feast's DuckDB store", 10.0), ("by hand", "DuckDB's ASOF JOIN, by hand", 1 / 1.5),
             (READING, "keys and times decoded, nothing joined", 0.5),
             ("feast dask", f"Feast's Dask store, on {slice_:,} entity rows", 50.0))
    found = [compare("asof", workload, Figures(figures["ours"], told, figures[name], RATE, goal), gate=all(gates.values()))
             for name, told, goal in peers]
    if ENTITIES_OF[workload] < ROWS:  # an input smaller than what Feast itself takes tells nothing
        return found
    memory = Figures([peak / 2**20 for peak in peaks["ours"]], "goal", [2 * size / 2**20] * ROUNDS, "MiB")
    return [*found, compare("asof", workload, memory, gate=all(gates.values()))]


def write(folder: Path, entities: int, rows: int) -> int:
    """Views of `HISTORY` rows for each entity at moments of their own, and as many rows to ask for; the bytes of them all in memory."""
    folder.mkdir()
    chance = np.random.default_rng(1)
    keys = pa.array([f"a{place:06}" for place in range(entities)])
    asked = pa.table({KEY: keys.take(pa.array(chance.permutation(np.arange(rows) % entities))), AT: _moments(chance, rows),
                      ROW: np.arange(rows)})
    pq.write_table(asked, folder / ENTITIES)
    size = asked.nbytes
    for view in VIEWS:
        owner = np.repeat(np.arange(entities), HISTORY)
        moments = BEGAN + chance.integers(0, SPAN, len(owner))
        moments = moments[np.lexsort((moments, owner))]
        as_of, *others = FEATURES[view]
        table = pa.table({KEY: keys.take(pa.array(owner)), AT: pa.array(moments).cast(pa.timestamp("us", "UTC")), as_of: moments / 1e6,
                          **{name: chance.random(len(owner)) for name in others}})
        pq.write_table(table, folder / f"{view}.parquet")
        size += table.nbytes
    return size


def _moments(chance: np.random.Generator, count: int) -> pa.Array:
    return pa.array(BEGAN + chance.integers(0, SPAN, count)).cast(pa.timestamp("us", "UTC"))
