"""Drift and the counts fairness needs: a million decisions against a million of development, and a hundred million in flat memory.

Ours reads the window from Parquet, counts every column in frozen bins, by month, and two groups by outcome, and judges it; Evidently's
DataDriftPreset is given both frames in memory, whole, for a slice would pay its fixed costs many times, and has no groups to count.
"bins as well" freezes the bins in the same breath, which a release has done long before. A hundred million rows are a file of a million
read a hundred times over. The gate: every PSI is the textbook's to 1e-9, and shards counted apart add up to one pass.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from entries import Entry, Figures, compare
from projects import ROOT
from rounds import interleaved

from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump
from monitoring import counting, drift, window
from monitoring.params import DriftParams
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers
from serving.scoring.counts import merged
from serving.scoring.kernel import Array

BESIDE, WIDE, MEMORY = "1,000,000 x 20", "1,000,000 x 100", "100,000,000 rows streamed"
WORKLOADS = (BESIDE, WIDE, MEMORY)
ROWS, ROUNDS, TIMES = 1_000_000, 3, 100
LEVELS, MONTHS, SHARDS = tuple(f"level {place}" for place in range(12)), 12, 4
OUTCOMES, GROUPS = ("approve", "refer", "decline"), {"g0": ("a", "b"), "g1": ("c", "d", "e")}
PORTFOLIO = "consumer_loans"
COUNTING = Path(__file__).with_name("counting.py")
PEER, MIB, SECONDS = "Evidently's DataDriftPreset", 2**20, 10.0


@dataclass(frozen=True)
class Data:
    """Development and a window of one shape, the window as a file too, and the bins frozen on development."""

    development: pd.DataFrame
    window: pd.DataFrame
    path: Path
    bins: dict[str, Bins]


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        data = made(Path(folder), 100 if workload == WIDE else 20)
        right = gate(data, Path(folder))
        if workload == BESIDE:
            return beside(data, right=right)
        return wide(data, right=right) if workload == WIDE else memory(data, right=right)


def beside(data: Data, *, right: bool) -> list[Entry]:
    figures = interleaved({
        "ours": lambda: seconds(lambda: judged(data, data.bins)),
        "with bins": lambda: seconds(lambda: judged(data, frozen(data.development))),
        "evidently": lambda: seconds(lambda: evidently(data.development, data.window)),
    }, ROUNDS)
    return [compare("drift", BESIDE, Figures(figures["ours"], PEER, figures["evidently"], "s", 50.0), gate=right),
            compare("drift", f"{BESIDE}, bins as well", Figures(figures["with bins"], PEER, figures["evidently"], "s", 20.0), gate=right)]


def wide(data: Data, *, right: bool) -> list[Entry]:
    ours = [seconds(lambda: judged(data, data.bins)) for _ in range(ROUNDS)]
    return [compare("drift", WIDE, Figures(ours, "goal", [SECONDS] * ROUNDS, "s"), gate=right)]


def memory(data: Data, *, right: bool) -> list[Entry]:
    """Peak memory of a hundred times as many rows, beside that of a million."""
    bins = data.path.with_name("bins.json")
    bins.write_bytes(dump(data.bins))
    peaks: dict[int, list[float]] = {TIMES: [], 1: []}
    for times in (1, TIMES):
        done = subprocess.run([sys.executable, str(COUNTING), str(data.path), str(bins), PORTFOLIO, str(times)], cwd=ROOT,
                              capture_output=True, text=True, check=True)
        rows, peak = map(int, done.stdout.split())
        right = right and rows == times * len(data.window)
        peaks[times].append(peak / MIB)
    return [compare("drift", f"{MEMORY}, a file of {len(data.window):,} x 20 read {TIMES} times",
                    Figures(peaks[TIMES], "the file read once", peaks[1], "MiB", 1 / 1.1), gate=right)]


def judged(data: Data, bins: dict[str, Bins]) -> tuple[drift.Column, ...]:
    """Ours: from the file to verdicts, with the counts of groups."""
    found = counting.stream([data.path], counting.Asked(load(PORTFOLIO), bins, groups=tuple(GROUPS)))
    return drift.judge(found.months, load(PORTFOLIO), bins, read("drift", DriftParams, ROOT / "params.yaml"))


def evidently(development: pd.DataFrame, current: pd.DataFrame) -> None:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    Report([DataDriftPreset()]).run(current, development).dict()


def gate(data: Data, folder: Path) -> bool:
    """Whether PSIs are the textbook's, and files counted apart add up."""
    found = judged(data, data.bins)
    right = all(abs(column.total.psi - textbook(data.window[column.column], data.bins[column.column])) <= 1e-9 for column in found)
    asked, parts = counting.Asked(load(PORTFOLIO), data.bins), []
    for start in range(SHARDS):
        part = folder / f"part-{start}.parquet"
        pq.write_table(pq.read_table(data.path).take(np.arange(start, len(data.window), SHARDS)), part)
        parts.append(counting.stream([part], asked))
        part.unlink()
    whole = counting.stream([data.path], asked)
    apart = parts[0]
    for part in parts[1:]:
        apart = counting.add(apart, part)
    return right and apart == whole and merged(whole.months.values()).rows == len(data.window)


def textbook(values: pd.Series, bins: Bins) -> float:
    """The PSI as books have it: shares per bin by pandas, on the same edges; a share under 0.01% counts as that."""
    if bins.names:
        places = values.map({name: at for at, name in enumerate(bins.names)}).fillna(len(bins.names))
    else:
        cuts = pd.cut(values, [-np.inf, *bins.edges, np.inf], right=False, labels=False)
        places = cuts.fillna(len(bins.edges) + 1)
    actual = np.bincount(places.astype(int), minlength=len(bins.shares)) / len(values)
    actual, expected = np.clip(actual, 1e-4, None), np.clip(bins.shares, 1e-4, None)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def made(folder: Path, columns: int) -> Data:
    """One column of five holds levels; two per cent are missing; every fourth column of the window has shifted."""
    chance = np.random.default_rng(1)
    development, current = (pd.DataFrame(_columns(chance, columns, shift)) for shift in (0.0, 0.3))
    keys = {
        window.DECIDED_AT: pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.sort(chance.integers(0, MONTHS * 30, ROWS)), unit="D"),
        window.PORTFOLIO: PORTFOLIO, window.RELEASE_ID: "r", counting.OUTCOME: chance.choice(OUTCOMES, ROWS),
        **{name: chance.choice(names, ROWS) for name, names in GROUPS.items()},
    }
    path = folder / "window.parquet"
    pq.write_table(pa.Table.from_pandas(current.assign(**keys), preserve_index=False), path, row_group_size=1 << 17)
    return Data(development, current, path, frozen(development))


def frozen(development: pd.DataFrame) -> dict[str, Bins]:
    return {name: freeze_levels(values, LEVELS) if values.dtype == object else freeze_numbers(values.to_numpy(), 10)
            for name, values in development.items()}


def _columns(chance: np.random.Generator, columns: int, shift: float) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for place in range(columns):
        moved = shift if place % 4 == 0 else 0.0
        missing = chance.random(ROWS) < 0.02
        if place % 5 == 4:
            weights = np.exp(moved * np.linspace(-1, 1, len(LEVELS)))
            texts = np.array(LEVELS, dtype=object)[chance.choice(len(LEVELS), ROWS, p=weights / weights.sum())]
            found[f"c{place}"] = np.where(missing, None, texts)
        else:
            found[f"c{place}"] = np.where(missing, np.nan, chance.lognormal(8 + moved, 0.6, ROWS))
    return found
