"""Our scorecard as it is served, directions kept and points whole, against the one that an expert bins freely (expert_scorecard.py).

Both see the same development and are judged on the same rows: the portfolio's own test, or, where development is too small for a
calibration part, every fold of the cross-validation that params.yaml declares. The gate: our mean Gini is not more than 0.02 below.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import yaml
from bench_models import WORKLOADS, Parts, Rows, assembled, parted
from entries import Entry, Figures, compare
from expert_scorecard import MOST_BELOW, expert_pds
from projects import ROOT

from feature_repo.contract import BAD
from serving.scoring.batch import score
from training.measures import gini_interval
from training.params import EvaluateParams
from training.recipe import folds, learn
from training.release_parts import compose
from training.splits import CALIBRATION, DEVELOPMENT, PART, TEST, cut

__all__ = ["WORKLOADS", "run"]
PEER = "optbinning's Scorecard"


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        rows = assembled(workload, Path(folder))
    found = [duel(rows, parts) for parts in splits(rows)]
    ours, theirs = (float(np.mean([each[side] for each in found])) for side in (0, 1))
    print(f"  Gini {ours:.4f} against {theirs:.4f}, {len(found)} tests", file=sys.stderr)
    figures = Figures([1 - gini for gini, _ in found], PEER, [1 - gini for _, gini in found], "1 - Gini", 0.97)
    return [compare("scorecard", workload, figures, gate=ours >= theirs - MOST_BELOW)]


def duel(rows: Rows, parts: Parts) -> tuple[float, float]:
    """The test Gini of ours and of theirs."""
    development, calibration, test = (parts[part] for part in (DEVELOPMENT, CALIBRATION, TEST))
    recipe = learn(rows.portfolio, development, calibration, rows.train)
    card = next(candidate for candidate in recipe.candidates if candidate.name == "scorecard")
    params = msgspec.convert(yaml.safe_load((ROOT / "params.yaml").read_text())["evaluate"], EvaluateParams)
    ours = score(compose(rows.portfolio, card, recipe.encoding, development, params), test)["pd"].to_numpy()
    bad = test[BAD].to_numpy()
    return gini_interval(bad, ours)[0], gini_interval(bad, expert_pds(rows.portfolio, development, test))[0]


def splits(rows: Rows) -> Iterator[Parts]:
    """The portfolio's own parts, or the folds of its cross-validation."""
    parts = cut(rows.portfolio, rows.frame, rows.split)[PART].to_numpy()
    if CALIBRATION in parts:
        yield parted(rows.frame, parts)
        return
    known = rows.frame[parts == DEVELOPMENT]
    for repeat in range(rows.train.cross_validation.repeats):
        for fits, kept in folds(known, rows.train.cross_validation.folds, rows.train.seed + repeat):
            yield {DEVELOPMENT: known.iloc[fits], CALIBRATION: known.iloc[:0], TEST: known.iloc[kept]}
