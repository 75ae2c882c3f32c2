"""Intervals agree with independent implementations and published figures, and say null where there is nothing to say."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from monitoring import intervals
from monitoring.intervals import difference, ratio, share, share_of_some
from training import measures

TABLES = [((48, 100), (80, 100)), ((3, 40), (500, 900)), ((1, 30), (29, 30)), ((900, 1000), (901, 1000))]


def test_the_examples_hold():
    assert doctest.testmod(intervals).failed == 0


@pytest.mark.parametrize(("own", "other"), TABLES)
def test_the_ratio_interval_is_katz(own, other):
    low, high = confint_proportions_2indep(*own, *other, compare="ratio", method="log", correction=False)
    found = ratio(own, other, 0.95)
    assert found.value == pytest.approx(own[0] / own[1] / (other[0] / other[1]), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize(("own", "other"), [*TABLES, ((0, 30), (30, 30)), ((0, 5), (0, 7))])
def test_the_difference_interval_is_newcombe(own, other):
    low, high = confint_proportions_2indep(*own, *other, compare="diff", method="newcomb")
    found = difference(own, other, 0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_the_difference_interval_is_newcombes_published_example():
    found = difference((56, 70), (48, 80), 0.95)  # Newcombe (1998), table II, contrast (a), method 10
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("cases", [(1, 10), (57, 1_000), (9, 10)])
def test_a_share_has_its_jeffreys_interval(cases):
    found = share_of_some(cases, 0.9)
    assert (found.low, found.high) == pytest.approx(proportion_confint(*cases, alpha=0.1, method="jeffreys"), rel=1e-9)


def test_the_ratio_interval_covers_as_often_as_it_says():
    random = np.random.default_rng(1)
    own, other = random.binomial(200, 0.4, 2_000), random.binomial(800, 0.5, 2_000)
    found = [ratio((int(a), 200), (int(b), 800), 0.95) for a, b in zip(own, other, strict=True)]
    assert np.mean([one.low <= 0.8 <= one.high for one in found]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("bad", "p"), [(20, 0.00223), (15, 0.06323)])
def test_jeffreys_p_value_has_its_published_values(bad, p):
    assert measures.jeffreys(bad, 1_000, 0.01) == pytest.approx(p, abs=5e-6)


def test_nothing_is_made_a_number():
    assert share((0, 0), 0.95) is None
    assert ratio((0, 0), (5, 10), 0.95) is None
    assert ratio((5, 10), (0, 10), 0.95) is None
    assert difference((0, 0), (5, 10), 0.95) is None
    none_approved = ratio((0, 50), (25, 50), 0.95)
    assert (none_approved.value, none_approved.low, none_approved.high) == (0.0, None, None)
