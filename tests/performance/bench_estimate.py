"""Figures before outcomes are known, against NannyML's confidence-based estimate of AUC on the same decisions.

The PDs are the simulated loans' true ones, so that both are asked what they promise: what outcomes drawn from right PDs will show. The
first half of the decisions is NannyML's reference; both estimate the second, 5,000 at a time, and are held to outcomes that neither was
shown. Timed is AUC with its interval on either side; what NannyML needs to fit on its reference is not counted, nor are the KS distance,
the Brier score and the bad rate that ours tells as well. The gate: given the same PDs both say the same AUC to 0.0001 in every chunk;
ours is no further from the realised AUCs than NannyML as it comes, which recalibrates on its reference; and our 95% intervals hold 90 in
100 of them or more.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import peers
from entries import Entry, Figures, compare
from projects import ROOT
from rounds import interleaved

from feature_repo.params import read
from feature_repo.portfolios.consumer_loans_vintage_simulator import live, plan
from monitoring.estimate import chances, gini
from monitoring.intervals import Estimate
from monitoring.params import PerformanceParams
from training.measures import auc_with_variance

SIZES = {"40,000 decisions": 40_000, "200,000 decisions": 200_000}
WORKLOADS = tuple(SIZES)
CHUNK, ROUNDS, SEED = 5_000, 3, 7
APART, HELD = 0.0001, 0.90


def run(workload: str) -> list[Entry]:
    confidence = read("performance", PerformanceParams, ROOT / "params.yaml").confidence
    reference, analysis = halves(SIZES[workload])
    chunks = [analysis.iloc[start : start + CHUNK] for start in range(0, len(analysis), CHUNK)]
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as at:
        paths = [str(Path(at, name)) for name in ("reference", "analysis")]
        reference.to_parquet(paths[0])
        analysis[["pd"]].to_parquet(paths[1])

        def theirs() -> float:
            told["theirs"] = peers.run("cbpe_by_nannyml.py", *paths, str(CHUNK), "none")
            return float(told["theirs"]["seconds"])

        def ours() -> float:
            began = perf_counter()
            told["ours"] = [gini(chances(chunk["pd"].to_numpy()), confidence) for chunk in chunks]
            return perf_counter() - began

        seconds = interleaved({"ours": ours, "theirs": theirs}, ROUNDS)
        own = peers.run("cbpe_by_nannyml.py", *paths, str(CHUNK), "its own")
    figures = Figures(seconds["ours"], "NannyML's CBPE", seconds["theirs"], "s")
    return [compare("estimate", workload, figures, gate=right(told["ours"], told["theirs"]["auc"], own["auc"], chunks))]


def halves(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """pd and bad of simulated loans in order of time, cut in the middle to whole chunks."""
    planned = plan(rows)
    lived = [live(chunk, planned, SEED) for chunk in planned.values()]
    frame = pd.DataFrame({"pd": np.concatenate([one.pd for one in lived]),
                          "bad": np.concatenate([one.defaults for one in lived]).astype(np.int64)})
    middle = rows // 2 // CHUNK * CHUNK
    return frame.iloc[:middle], frame.iloc[middle : 2 * middle].reset_index(drop=True)


def right(ours: list[Estimate | None], same: list[float], own: list[float], chunks: list[pd.DataFrame]) -> bool:
    """Whether both say the same of the same PDs, and ours is true and no further off than theirs as it comes."""
    value, low, high = np.array([(found.value, found.low, found.high) for found in ours if found], dtype=np.float64).T / 2 + 0.5
    realised = np.array([auc_with_variance(chunk["bad"].to_numpy(), chunk["pd"].to_numpy())[0] for chunk in chunks])
    apart, held = float(np.max(np.abs(value - same))), float(np.mean((low <= realised) & (realised <= high)))
    mine, its = (float(np.sqrt(np.mean((realised - told) ** 2))) for told in (value, np.array(own)))
    print(f"  {len(chunks)} chunks: AUCs {apart:.6f} apart at most; ours holds {held:.0%} of the realised AUCs; from these ours is "
          f"{mine:.5f}, NannyML's as it comes {its:.5f}", file=sys.stderr)
    return apart <= APART and held >= HELD and mine <= its * 1.01
