"""Figures told from PDs alone are those that outcomes drawn from the PDs show, on average and as far as their intervals say."""

from __future__ import annotations

import time

import msgspec
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from monitoring import estimate
from monitoring.estimate import chances, expected
from training import measures

DRAWS = 1_500
MEASURES = {"gini": lambda bad, pd_: 2 * measures.auc_with_variance(bad, pd_)[0] - 1, "ks": measures.ks,
             "brier": metrics.brier_score_loss, "bad_rate": lambda bad, _: bad.mean()}


def pds(rows, seed=0):
    return 1 / (1 + np.exp(2.2 - 1.1 * np.random.default_rng(seed).normal(size=rows)))


@pytest.fixture(scope="module")
def drawn():
    """PDs in steps as a scorecard has them, who will be followed, and the figures of outcomes drawn again and again."""
    pd_ = pds(1_200).round(3)
    followed, random = np.where(pd_ < 0.25, 0.9, 0.3), np.random.default_rng(1)
    found = {name: [] for name in MEASURES}
    for _ in range(DRAWS):
        bad, known = (random.random(len(pd_)) < pd_).astype(float), random.random(len(pd_)) < followed
        for name, measure in MEASURES.items():
            found[name].append(measure(bad[known], pd_[known]))
    return pd_, followed, {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("name", MEASURES)
def test_an_estimate_is_the_mean_of_drawn_outcomes_and_its_interval_holds_95_in_100_of_them(drawn, performance_params, name):
    pd_, followed, realised = drawn
    found = getattr(expected(chances(pd_, followed), performance_params), name)
    within = np.mean((found.low <= realised[name]) & (realised[name] <= found.high))

    assert found.value == pytest.approx(realised[name].mean(), abs=4 * realised[name].std() / DRAWS**0.5 + 0.002)
    assert 0.93 < within < 0.97


def test_the_expected_gini_brier_score_and_bad_rate_are_their_closed_forms(performance_params):
    pd_ = np.array([0.1, 0.3, 0.3, 0.6])
    bad, good = np.outer(pd_, np.ones(4)), np.outer(np.ones(4), 1 - pd_)
    above = (pd_[:, None] > pd_) + 0.5 * (pd_[:, None] == pd_)
    pairs = bad * good * (1 - np.eye(4))
    found = expected(chances(pd_), performance_params)

    assert found.gini.value == pytest.approx(2 * (pairs * above).sum() / pairs.sum() - 1)
    assert found.brier.value == pytest.approx(np.mean(pd_ * (1 - pd_)))
    assert (found.bad_rate.value, found.bad, found.outcomes) == pytest.approx((pd_.mean(), pd_.sum(), 4))


def test_the_intervals_of_bad_rate_and_brier_score_are_their_closed_forms(performance_params):
    """Of so many outcomes that are each bad by its own PD: the variances of Bernoulli's trials, and of the squares of what they leave."""
    pd_ = pds(2_000)
    found, spread, z = expected(chances(pd_), performance_params), pd_ * (1 - pd_), stats.norm.ppf(0.975)

    assert found.bad_rate.high - found.bad_rate.value == pytest.approx(z * np.sqrt(spread.sum()) / len(pd_))
    assert found.brier.high - found.brier.value == pytest.approx(z * np.sqrt((spread * (1 - 2 * pd_) ** 2).sum()) / len(pd_))


def test_an_estimate_follows_who_applies_and_not_who_pays(performance_params):
    calm, riskier = (expected(chances(pds(5_000) ** power), performance_params) for power in (1.0, 0.7))
    assert riskier.bad_rate.low > calm.bad_rate.high


def test_pds_of_a_sample_drawn_by_outcome_are_estimated_for_the_portfolio(performance_params):
    """A quarter of the goods are in the file; the PDs are the portfolio's."""
    pd_, shift = pds(20_000), float(np.log(0.25))
    kept = np.random.default_rng(2).random(len(pd_)) < pd_ + (1 - pd_) / 4
    whole, sample = (expected(of, performance_params) for of in (chances(pd_), chances(pd_[kept], shift=shift)))

    for name in ("gini", "brier", "bad_rate"):
        assert getattr(sample, name).value == pytest.approx(getattr(whole, name).value, rel=0.03)
    assert sample.bad / sample.outcomes > 2 * whole.bad / whole.outcomes


def test_the_same_seed_draws_the_same_ks(performance_params):
    again = msgspec.structs.replace(performance_params, estimate=msgspec.structs.replace(performance_params.estimate, seed=8))
    first, second, other = (estimate.ks(chances(pds(500)), params) for params in (performance_params, performance_params, again))
    assert first == second != other


@pytest.mark.parametrize("followed", [np.zeros(5), np.zeros(0)])
def test_where_no_outcome_is_expected_nothing_is_estimated(performance_params, followed):
    found = expected(chances(pds(len(followed)), followed), performance_params)
    assert (found.outcomes, found.gini, found.ks, found.brier, found.bad_rate) == (0, None, None, None, None)


def test_one_decision_is_no_pair_to_rank(performance_params):
    found = expected(chances(np.array([0.1])), performance_params)
    assert (found.gini, found.ks) == (None, None)
    assert found.bad_rate.value == pytest.approx(0.1)


def test_a_million_decisions_take_seconds(performance_params):
    began = time.process_time()
    expected(chances(pds(1_000_000)), performance_params)
    assert time.process_time() - began < 10
