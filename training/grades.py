"""Whether PDs are right, by the tests a validator asks for: pure functions of outcomes and PDs. Reads, draws and decides nothing.

A grade is any group of rows that shares one PD: a score band, a tenth, a segment, a vintage. P-values of the exact tests are one-sided and
small where the PD is too low, which is what loses money; near 1 it is too high. They take defaults for independent of each other: in a
downturn, when defaults come together, they reject too often (Basel Committee 2005, Working Paper 14).

Every test counts the outcomes as they are in the file. `shift` is what a portfolio's own bad rate added to the log-odds (training.prior):
PDs are taken back by it, so that counts and PDs are of one population.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from training import measures

Array = np.ndarray[Any, Any]
LEVEL = 0.95
STEPS, SMALLEST = 50, 1e-10
NOTHING = 1e-12


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its interval."""

    value: float
    low: float
    high: float


class Fit(msgspec.Struct, frozen=True):
    """Hosmer and Lemeshow's statistic over `groups`, and its p-values by where the rows come from.

    development: groups - 2 degrees of freedom, the two that fitting takes; out_of_sample: groups, for rows the model and its calibrator
    have not seen. Both small where PDs and outcomes disagree; null where there are too few groups.
    """

    statistic: float
    groups: int
    development: float | None
    out_of_sample: float | None


class Recalibration(msgspec.Struct, frozen=True):
    """What a logistic regression of the outcomes on the log-odds of the PDs finds; right PDs have slope 1 and the rest 0.

    in_the_large: the intercept with the slope held at 1, above 0 where PDs are too low; slope: below 1 where PDs are too far apart;
    intercept: at PD 1/2, with that slope. Wald intervals. wrong: p-value of slope 1 and intercept 0 together (Cox 1958).
    """

    in_the_large: Estimate
    slope: Estimate
    intercept: Estimate
    wrong: float


def binomial(bads: Any, rows: Any, pd_: Any) -> Array:
    """P-value that the PD is not too low: at least as many bads among so many rows, by chance (Basel Committee 2005, Working Paper 14).

    >>> float(binomial(20, 1000, 0.01).round(5))
    0.00329
    """
    rows = np.asarray(rows, dtype=np.float64)
    return np.asarray(np.where(rows > 0, stats.binom.sf(np.asarray(bads) - 1, rows, pd_), np.nan))


def assess(key: Any, bad: Array, pd_: Array, shift: float = 0.0) -> pd.DataFrame:
    """`measures.rates` per value of `key`, with the p-values `jeffreys` and `binomial` of the PDs the rows have."""
    table = measures.rates(key, bad, pd_, shift)
    said = pd.Series(measures.moved(pd_, -shift)).groupby(np.asarray(key), sort=True).mean()
    seen = table["bads"], table["rows"], said
    return table.assign(jeffreys=measures.jeffreys(*seen), binomial=binomial(*seen))


def hosmer_lemeshow(group: Any, bad: Array, pd_: Array, shift: float = 0.0) -> Fit:
    """Squared distances of outcomes and PDs over the groups, each over its variance (Hosmer and Lemeshow 1980).

    group: per row, fixed beforehand: score bands, or tenths of the PD. Groups in which the PDs leave nothing to chance are left out.
    """
    _, at = np.unique(np.asarray(group), return_inverse=True)
    rows, said = np.bincount(at), np.bincount(at, measures.moved(pd_, -shift))
    spread = said * (1 - said / rows)
    told = spread > NOTHING
    statistic = float(np.sum((np.bincount(at, bad) - said)[told] ** 2 / spread[told]))
    groups = int(told.sum())
    return Fit(statistic, groups, *(float(stats.chi2.sf(statistic, free)) if free > 0 else None for free in (groups - 2, groups)))


def recalibrate(bad: Array, pd_: Array, shift: float = 0.0) -> Recalibration | None:
    """Calibration in the large, slope and intercept with 95% intervals.

    None where outcomes or PDs are all alike, or one PD parts the bad from the good: no finite slope is most likely then (Albert and
    Anderson 1984).
    """
    said = logit(pd_)
    if not 0 < np.sum(bad) < len(bad) or np.ptp(said) < SMALLEST or _parted(said[bad == 1], said[bad == 0]):
        return None
    (large,), large_spread, _ = _regress(np.ones((len(bad), 1)), bad, said - shift)
    both, spread, likelihood = _regress(np.column_stack([np.ones(len(bad)), said]), bad, np.full(len(bad), -shift))
    gained = 2 * (likelihood - _likelihood(bad, said - shift))
    reach = float(stats.norm.ppf(0.5 + LEVEL / 2))
    in_the_large, slope, intercept = (Estimate(float(value), float(value - reach * of), float(value + reach * of))
                                      for value, of in ((large, large_spread[0]), (both[1], spread[1]), (both[0], spread[0])))
    return Recalibration(in_the_large, slope, intercept, wrong=float(stats.chi2.sf(max(gained, 0.0), 2)))


def holm(p_values: Array) -> Array:
    """P-values of several tests made comparable with a limit for one (Holm 1979): valid whatever the tests have in common. NaN stays."""
    adjusted = np.full(len(p_values), np.nan)
    told = np.flatnonzero(~np.isnan(p_values))
    order = told[np.argsort(p_values[told], kind="stable")]
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


def _parted(one: Array, other: Array) -> bool:
    return bool(one.min() >= other.max() or one.max() <= other.min())


def _regress(columns: Array, bad: Array, offset: Array) -> tuple[Array, Array, float]:
    """Coefficients, their standard errors and the log-likelihood of a logistic regression, by Newton's method with halved steps."""
    found = np.zeros(columns.shape[1])
    best = _likelihood(bad, offset)
    for _ in range(STEPS):
        pd_ = expit(columns @ found + offset)
        information = (columns * (pd_ * (1 - pd_))[:, None]).T @ columns
        step = np.linalg.solve(information, columns.T @ (bad - pd_))
        while (reached := _likelihood(bad, columns @ (found + step) + offset)) < best and np.abs(step).max() > SMALLEST:
            step /= 2
        found, best = found + step, max(reached, best)
        if np.abs(step).max() < SMALLEST:
            break
    return found, np.sqrt(np.diag(np.linalg.inv(information))), best


def _likelihood(bad: Array, margins: Array) -> float:
    return float(np.sum(bad * margins - np.logaddexp(0, margins)))
