"""What outcomes that nobody knows yet should show of PDs, told from the PDs alone: confidence-based performance estimation.

Białek, Kuberski, Perrakis and Bifet (2024), Estimating model performance under covariate shift without labels (arXiv 2401.08348). It
rests on the PDs being right: applicants may differ from those before (covariate shift), what ties them to their outcome may not (concept
drift). So it foresees a change of who applies and is blind to a change of who pays; monitoring.maturing says how it fared before.

Gini, Brier score and bad rate are the ratios of what is expected, their intervals the normal ones of the ratio's influence function: where
the realised figure falls if the PDs are right. The KS distance of a sample exceeds that of what is expected, so it is drawn instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from scipy.stats import norm

from monitoring.intervals import Estimate
from monitoring.params import PerformanceParams
from serving.scoring.kernel import Array
from training import measures

STEPS = 500  # places of a PD's distribution at which a drawn KS distance is looked for


class Expected(msgspec.Struct, frozen=True):
    """What so many decisions let expect: of how many an outcome, of them how many bad, and the figures those outcomes should show."""

    decisions: int
    outcomes: float
    bad: float
    gini: Estimate | None
    ks: Estimate | None
    brier: Estimate | None
    bad_rate: Estimate | None


@dataclass(frozen=True)
class Chances:
    """Per decision: its PD, and how likely an outcome will be known of it that is bad, and one that is good.

    shift: what the portfolio's bad rate added to the log-odds of a sample drawn by outcome (training.measures).
    """

    pd: Array
    bad: Array
    good: Array
    shift: float = 0.0


def chances(pd_: Array, followed: Array | None = None, shift: float = 0.0) -> Chances:
    """followed: how likely an outcome will be known at all, per decision; everywhere, where it is not given."""
    in_sample = measures.moved(pd_, -shift)
    known = np.ones(len(pd_)) if followed is None else followed
    return Chances(pd_, known * in_sample, known * (1 - in_sample), shift)


def expected(of: Chances, params: PerformanceParams) -> Expected:
    """The figures, null where no outcome is expected."""
    bad, good = float(of.bad.sum()), float(of.good.sum())
    if not bad or not good:
        return Expected(len(of.pd), bad + good, bad, None, None, None, None)
    weight = np.exp(of.shift)
    return Expected(
        decisions=len(of.pd), outcomes=bad + good, bad=bad, gini=gini(of, params.confidence), ks=ks(of, params),
        brier=_mean(of, (weight * (1 - of.pd) ** 2, of.pd**2), params.confidence),
        bad_rate=_mean(of, (np.full(len(of.pd), weight), np.zeros(len(of.pd))), params.confidence),
    )


def gini(of: Chances, confidence: float) -> Estimate | None:
    """2 AUC - 1; ties count half, and nobody is paired with himself. Null where there is nobody to pair with."""
    _, at = np.unique(of.pd, return_inverse=True)
    bads, goods = np.bincount(at, of.bad), np.bincount(at, of.good)
    good_below = (np.cumsum(goods) - goods / 2)[at] - of.good / 2
    bad_above = (bads.sum() - np.cumsum(bads) + bads / 2)[at] - of.bad / 2
    pairs = float(of.bad @ (goods.sum() - of.good))
    if pairs <= 0:
        return None
    auc = float(of.bad @ good_below) / pairs
    influence = ((good_below - auc * (goods.sum() - of.good)) / pairs, (bad_above - auc * (bads.sum() - of.bad)) / pairs)
    half = 2 * _half(of, influence, confidence)
    return Estimate(2 * auc - 1, max(2 * auc - 1 - half, -1.0), min(2 * auc - 1 + half, 1.0))


def ks(of: Chances, params: PerformanceParams) -> Estimate | None:
    """The mean and the middle share of KS distances drawn; decisions of neighbouring PDs are drawn together.

    Of draws with both kinds of outcome; null where there is none.
    """
    edges = np.unique(np.quantile(of.pd, np.arange(1, STEPS) / STEPS))
    at = np.searchsorted(edges, of.pd, side="left")
    decisions = np.bincount(at, minlength=len(edges) + 1)
    bad, good = (np.bincount(at, part, len(edges) + 1) / np.maximum(decisions, 1) for part in (of.bad, of.good))
    random, size = np.random.default_rng(params.estimate.seed), (params.estimate.draws, len(decisions))
    bads = random.binomial(decisions, np.minimum(bad, 1), size)
    goods = random.binomial(decisions - bads, np.clip(good / np.maximum(1 - bad, 1e-12), 0, 1), size)
    drawn = (bads.sum(axis=1) > 0) & (goods.sum(axis=1) > 0)
    if not drawn.any():
        return None
    shares = [np.cumsum(part[drawn], axis=1) / part[drawn].sum(axis=1, keepdims=True) for part in (bads, goods)]
    distances = np.abs(shares[0] - shares[1]).max(axis=1)
    low, high = np.quantile(distances, [(1 - params.confidence) / 2, (1 + params.confidence) / 2])
    return Estimate(float(distances.mean()), float(low), float(high))


def _mean(of: Chances, values: tuple[Array, Array], confidence: float) -> Estimate:
    """The expected mean of a value that a bad outcome has and one that a good one has; a bad one counts e^shift times, in both already."""
    weight = float(np.exp(of.shift))
    total = weight * float(of.bad.sum()) + float(of.good.sum())
    mean = float(of.bad @ values[0] + of.good @ values[1]) / total
    half = _half(of, ((values[0] - weight * mean) / total, (values[1] - mean) / total), confidence)
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def _half(of: Chances, influence: tuple[Array, Array], confidence: float) -> float:
    """Half the width of the interval, where a decision moves the figure by the first influence if bad, by the second if good, else not."""
    on_average = of.bad * influence[0] + of.good * influence[1]
    variance = float(of.bad @ influence[0] ** 2 + of.good @ influence[1] ** 2 - on_average @ on_average)
    return float(norm.ppf(0.5 + confidence / 2)) * float(np.sqrt(max(variance, 0.0)))
