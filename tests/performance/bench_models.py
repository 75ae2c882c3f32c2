"""Our calibrated, monotone trees against XGBoost that an expert tuned freely: what the directions of the contract cost.

Ours is the recipe of `train` with the settings of params.yaml, no search. The peer (tuned_xgboost.py) has no constraint, a wider space
and its own calibration; it is tuned on the first split and knows its settings from rows that later ones judge it by, to its advantage.
Both see levels as numbers that development alone taught, and are judged on rows neither has seen.

A large undated portfolio is drawn anew in each repeat; a dated one keeps its out-of-time test and draws four fifths of those who came
before; a small one is cross-validated, all folds being one repeat. The gate: the mean AUC difference above -0.003, the lower bound of
its paired 90% interval above -0.01, a mean calibration error above the peer's by no more than chance, and every direction proved in
every fit. The interval is over repeats, whose rows overlap: the corrected resampled t of Nadeau and Bengio (2003). It speaks of other
draws, for a dated portfolio of other histories of the one test, and for a small one of other folds of the same rows. By chance: how far
apart the two errors fall, 95 times in 100, where outcomes are drawn from PDs halfway between both, so that neither is nearer the truth.
PDs that are exactly right show an error of 0.009 on the cards' test and 0.031 on a thousand credits.

`python tests/performance/bench_models.py card_default --repeats 3 --trials 8` is a short form that keeps nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up]) for up in (0, 1, 2)]

import msgspec
import numpy as np
import pandas as pd
import tuned_xgboost
from entries import Entry, Figures, compare
from projects import copy_of_the_project
from scipy import stats

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from training import measures
from training.encoding import sample
from training.monotonicity import prove
from training.params import SplitParams, TrainParams
from training.recipe import folds, learn
from training.splits import CALIBRATION, DEVELOPMENT, PART, TEST, cut

WORKLOADS = ("card_default", "sba_504", "consumer_loans", "german_credit")
REPEATS, KEPT = 10, 0.8
MEAN, LOW, CONFIDENCE, DRAWS = -0.003, -0.01, 0.9, 200
PEER = "tuned XGBoost"
Parts = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Rows:
    """What a contest is fought with: the assembled applications and the sections of params.yaml that cut them and train on them."""

    portfolio: Portfolio
    frame: pd.DataFrame
    split: SplitParams
    train: TrainParams


@dataclass(frozen=True)
class Said:
    """The outcomes of one test, the PDs each said of them, and the share by which it weighs on an interval: test over fitted rows."""

    bad: np.ndarray
    pds: tuple[np.ndarray, np.ndarray]
    overlap: float


@dataclass(frozen=True)
class Score:
    """AUC and expected calibration error of ours and theirs in one repeat, and by how much chance alone raises one error over the other."""

    auc: tuple[float, float]
    ece: tuple[float, float]
    chance: float
    overlap: float


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        found = contest(assembled(workload, Path(folder)), REPEATS, tuned_xgboost.TRIALS)
    return entries(workload, found)


def entries(workload: str, found: list[Score]) -> list[Entry]:
    """One entry for separation, one for calibration; both stand or fall together."""
    right = is_level(found)
    lost, errors = ([[1 - each.auc[side] for each in found] for side in (0, 1)], [[each.ece[side] for each in found] for side in (0, 1)])
    return [compare("models", workload, Figures(lost[0], PEER, lost[1], "1 - AUC", 0.98), gate=right),
            compare("models", workload, Figures(errors[0], PEER, errors[1], "ECE", 1.0), gate=right)]


def assembled(portfolio: str, folder: Path) -> Rows:
    """The applications of a portfolio, by the real pipeline in a copy of the project."""
    project = copy_of_the_project(folder)
    project.put("portfolio", portfolio)
    project.repro("assemble")
    params = project.params
    return Rows(load(portfolio), pd.read_parquet(project.data("assemble", "applications.parquet")),
                msgspec.convert(params["split"], SplitParams), msgspec.convert(params["train"], TrainParams))


def contest(rows: Rows, repeats: int, trials: int) -> list[Score]:
    """Both fitted and judged in every repeat."""
    found: list[Score] = []
    tuned = None
    for repeat in range(repeats):
        said = []
        for parts in splits(rows, repeat):
            one, tuned = fight(rows, parts, tuned, trials)
            said.append(one)
        found.append(score(said))
        (ours, theirs), (ece, their_ece) = found[-1].auc, found[-1].ece
        print(f"  {ours:.4f} against {theirs:.4f}, ECE {ece:.4f} against {their_ece:.4f}", file=sys.stderr, flush=True)
    return found


def fight(rows: Rows, parts: Parts, tuned: tuple | None, trials: int) -> tuple[Said, tuple]:
    """Both fitted on the same development, calibrated on the same part or out of fold, and asked of the same test."""
    development, calibration, test = (parts[part] for part in (DEVELOPMENT, CALIBRATION, TEST))
    recipe = learn(rows.portfolio, development, calibration, rows.train)
    for candidate in recipe.candidates:
        prove(rows.portfolio, candidate)
    fit, calibrate, judged = (sample(rows.portfolio, recipe.encoding, part) for part in (development, calibration, test))
    tuned = tuned or tuned_xgboost.tune(fit.rows, fit.bad, trials)
    theirs = tuned_xgboost.predict(tuned, (fit.rows, fit.bad), (calibrate.rows, calibrate.bad) if len(calibrate.bad) else None, judged.rows)
    overlap = (1 - KEPT) / KEPT if rows.portfolio.is_dated else len(test) / (len(development) + len(calibration))
    return Said(judged.bad, (recipe.pds(rows.portfolio, test)["trees"], theirs), overlap), tuned


def score(said: list[Said]) -> Score:
    """The mean AUC of the folds of a repeat, and the calibration error of all of them together: alone, a small fold shows chance."""
    bad = np.concatenate([one.bad for one in said])
    aucs = [float(np.mean([measures.auc_with_variance(one.bad, one.pds[side])[0] for one in said])) for side in (0, 1)]
    ours, theirs = (np.concatenate([one.pds[side] for one in said]) for side in (0, 1))
    eces = measures.ece(bad, ours), measures.ece(bad, theirs)
    return Score((aucs[0], aucs[1]), eces, by_chance(ours, theirs), said[0].overlap if len(said) == 1 else 0.0)


def by_chance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """By how much our calibration error exceeds theirs, at most 95 times in 100, where the truth is halfway between both."""
    random, truth = np.random.default_rng(0), (ours + theirs) / 2
    drawn = ((random.random(len(truth)) < truth).astype(np.float64) for _ in range(DRAWS))
    return float(np.quantile([measures.ece(bad, ours) - measures.ece(bad, theirs) for bad in drawn], (1 + CONFIDENCE) / 2))


def splits(rows: Rows, repeat: int) -> Iterator[Parts]:
    """The parts of a repeat: one split, or folds without a calibration part where a share of development is too little for one."""
    parts = cut(rows.portfolio, rows.frame, msgspec.structs.replace(rows.split, seed=repeat))[PART].to_numpy()
    if rows.portfolio.is_dated:
        yield parted(rows.frame, np.where(left_out(rows.frame, repeat) & (parts != TEST), None, parts))
    elif CALIBRATION in parts:
        yield parted(rows.frame, parts)
    else:
        known = rows.frame[pd.notna(parts)]
        for fits, kept in folds(known, rows.train.cross_validation.folds, repeat):
            yield {DEVELOPMENT: known.iloc[fits], CALIBRATION: known.iloc[:0], TEST: known.iloc[kept]}


def parted(frame: pd.DataFrame, parts: np.ndarray) -> Parts:
    return {part: frame[parts == part] for part in (DEVELOPMENT, CALIBRATION, TEST)}


def left_out(frame: pd.DataFrame, seed: int) -> np.ndarray:
    """Whether a row is of one of the applicants that a repeat leaves out."""
    people = pd.unique(frame[APPLICANT_ID])
    return frame[APPLICANT_ID].isin(people[np.random.default_rng(seed).random(len(people)) > KEPT]).to_numpy()


def is_level(found: list[Score]) -> bool:
    """Whether ours are level with the peer's or above."""
    mean, low = difference(found)
    ours, theirs, chance = (float(np.mean([pick(each) for each in found])) for pick in (
        lambda each: each.ece[0], lambda each: each.ece[1], lambda each: each.chance))
    print(f"  AUC difference {mean:+.4f}, 90% interval from {low:+.4f}; mean ECE {ours:.4f} against {theirs:.4f}, "
          f"by chance up to {chance:.4f} apart", file=sys.stderr)
    return mean > MEAN and low > LOW and ours - theirs <= chance


def difference(found: list[Score]) -> tuple[float, float]:
    """The mean of our AUC less theirs, and the lower bound of its 90% interval."""
    each = np.array([ours - theirs for ours, theirs in (score.auc for score in found)])
    spread = np.sqrt((1 / len(each) + np.mean([score.overlap for score in found])) * np.var(each, ddof=1))
    return float(each.mean()), float(each.mean() - stats.t.ppf((1 + CONFIDENCE) / 2, len(each) - 1) * spread)


def main(arguments: list[str]) -> None:
    """A short form: prints the entries."""
    parser = argparse.ArgumentParser(description="A short form of the bench; keeps nothing")
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--trials", type=int, default=tuned_xgboost.TRIALS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        print(*entries(asked.workload, contest(assembled(asked.workload, Path(folder)), asked.repeats, asked.trials)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
