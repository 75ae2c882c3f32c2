"""The points scorecard: optimal monotone bins, a logistic regression on their log-odds. Only importer of optbinning.

An input's weight is never negative, so the order of its bins, and with it the contract's direction, survives the regression. Missing
values and special codes have bins of their own, drawn towards the average where they are few.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from tqdm import tqdm

from feature_repo.portfolio import Portfolio
from serving.scoring.scorecard import Scorecard
from training.encoding import Sample
from training.params import ScorecardParams

with redirect_stderr(io.StringIO()):  # cvxpy, which we do not use, reports that it cannot load its HiGHS beside ortools'
    from optbinning import OptimalBinning

Array = np.ndarray[Any, Any]
TREND = {1: "ascending", -1: "descending", 0: "auto"}


@dataclass(frozen=True)
class Binned:
    """One input: edges, and the log-odds of bad, relative to all rows, of every interval, of missing and of each special code."""

    edges: Array
    intervals: Array
    missing: float
    specials: Array
    codes: Array


def fit_scorecard(portfolio: Portfolio, sample: Sample, params: ScorecardParams) -> Scorecard:
    """Bin every input by outcome, weigh the inputs together, export to what serving looks up.

    Rows are in contract order, levels as numbers (higher is riskier).
    """
    rows, bad = sample.rows, sample.bad
    inputs = zip(portfolio.inputs, rows.T, strict=True)
    progress = tqdm(inputs, total=rows.shape[1], desc="scorecard", unit="input", leave=False, disable=None)
    bins = [bin_input(values, bad, 1 if column.is_level else int(column.risk), column.special, params) for column, values in progress]
    evidence = pack(bins, np.ones(len(bins)), 0.0).contributions(rows)
    weights, intercept = weigh(evidence, bad, params.ridge)
    return pack(bins, weights, intercept)


def bin_input(values: Array, bad: Array, risk: int, specials: tuple[float, ...], params: ScorecardParams) -> Binned:
    """Bins of one input; a value without variation gets one interval of no weight."""
    is_missing, codes = np.isnan(values), np.array(specials, dtype=np.float64)
    plain = ~(is_missing | np.isin(values, codes))
    edges = _edges(values[plain], bad[plain], risk, params)
    at = np.searchsorted(edges, values[plain], side="right")
    found = np.array([_log_odds(bad[plain][at == k], bad, 0.0 if len(edges) else params.smoothing) for k in range(len(edges) + 1)])
    return Binned(edges, found, _log_odds(bad[is_missing], bad, params.smoothing), codes,
                  np.array([_log_odds(bad[values == code], bad, params.smoothing) for code in codes]))


def weigh(evidence: Array, bad: Array, ridge: float, most: Array | None = None) -> tuple[Array, float]:
    """Logistic regression with weights of at least 0, at most `most`, and an L2 penalty of ridge / 2 on them; the intercept is free."""
    def loss(point: Array) -> tuple[float, Array]:
        margin = evidence @ point[1:] + point[0]
        residual = expit(margin) - bad
        value = np.sum(np.logaddexp(0, margin) - bad * margin) + ridge / 2 * np.sum(point[1:] ** 2)
        return float(value) / len(bad), np.concatenate([[residual.sum()], evidence.T @ residual + ridge * point[1:]]) / len(bad)

    inputs = evidence.shape[1]
    bounds = [(None, None), *((0, top) for top in (np.full(inputs, np.inf) if most is None else most))]
    start = np.concatenate([[np.log(np.mean(bad) / (1 - np.mean(bad)))], np.zeros(inputs)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000})
    return found.x[1:], float(found.x[0])


def pack(bins: list[Binned], weights: Array, intercept: float) -> Scorecard:
    """The bins of all inputs, one after another, with weighted log-odds."""
    weighted = list(zip(weights, bins, strict=True))
    return Scorecard(
        starts=_starts([part.edges for part in bins]), edges=np.concatenate([part.edges for part in bins]),
        points=np.concatenate([weight * part.intervals for weight, part in weighted]),
        missing=np.array([weight * part.missing for weight, part in weighted]),
        special_starts=_starts([part.specials for part in bins]), specials=np.concatenate([part.specials for part in bins]),
        special_points=np.concatenate([weight * part.codes for weight, part in weighted]), intercept=np.array([intercept]),
    )


def _edges(values: Array, bad: Array, risk: int, params: ScorecardParams) -> Array:
    if len(np.unique(values)) < 2 or len(np.unique(bad)) < 2:
        return np.zeros(0)
    binning = OptimalBinning(monotonic_trend=TREND[risk], max_n_bins=params.most_bins, min_prebin_size=params.smallest_bin,
                             min_bin_size=params.smallest_bin)
    splits = binning.fit(*_weighted(values, bad)).splits
    return np.unique([float(f"{edge:.6g}") for edge in splits])  # so that the table in words is the card itself


def _weighted(values: Array, bad: Array) -> tuple[Array, ...]:
    """Rows with whole outcomes as they are; an inferred outcome between 0 and 1 is a bad row and a good one, weighted."""
    if np.isin(bad, (0, 1)).all():
        return values, bad
    return np.tile(values, 2), np.repeat([1, 0], len(bad)), np.concatenate([bad, 1 - bad])


def _log_odds(bad: Array, everyone: Array, smoothing: float) -> float:
    rate = np.mean(everyone)
    odds = (np.sum(bad) + smoothing * rate) / (np.sum(1 - bad) + smoothing * (1 - rate))
    return float(np.log(odds) - np.log(rate / (1 - rate)))


def _starts(parts: list[Array]) -> Array:
    return np.cumsum([0, *map(len, parts)])
