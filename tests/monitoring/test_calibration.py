"""Tests of calibration give the p-values of their closed forms."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy import stats

from monitoring import calibration
from monitoring.calibration import binomial, hosmer_lemeshow
from training import measures


def test_the_examples_hold():
    assert doctest.testmod(calibration).failed == 0


@pytest.mark.parametrize(("bads", "jeffreys", "tail"), [(20, 0.00223, 0.00329), (15, 0.06323, 0.08241)])
def test_jeffreys_and_binomial_are_their_closed_forms(bads, jeffreys, tail):
    """Fixtures computed apart: Beta(D + 1/2, N - D + 1/2) at the PD, and the upper tail with D itself in it."""
    assert float(measures.jeffreys(bads, 1_000, 0.01)) == pytest.approx(jeffreys, abs=5e-6)
    assert binomial(bads, 1_000, 0.01) == pytest.approx(tail, abs=5e-6)
    assert binomial(bads, 1_000, 0.01) == pytest.approx(stats.binomtest(bads, 1_000, 0.01, alternative="greater").pvalue)
    assert binomial(0, 1_000, 0.01) == 1.0


def test_hosmer_lemeshow_is_pearsons_statistic_of_both_kinds_over_bands():
    random = np.random.default_rng(4)
    band = np.repeat([0, 1, 2], 400)
    pd_ = np.array([0.05, 0.1, 0.3])[band]
    bad = (random.random(1_200) < pd_).astype(float)
    found = hosmer_lemeshow(bad, pd_, band)
    seen = np.array([[bad[band == k].sum(), (1 - bad[band == k]).sum()] for k in range(3)])
    said = np.array([[pd_[band == k].sum(), (1 - pd_[band == k]).sum()] for k in range(3)])

    assert found.statistic == pytest.approx(((seen - said) ** 2 / said).sum())
    assert (found.groups, found.p_value) == (3, pytest.approx(stats.chi2.sf(found.statistic, 3)))


def test_hosmer_lemeshow_rejects_right_pds_as_often_as_it_says():
    random, band = np.random.default_rng(5), np.repeat([0, 1, 2, 3], 250)
    pd_ = np.clip(np.array([0.04, 0.08, 0.15, 0.3])[band] * random.uniform(0.7, 1.3, 1_000), 0, 1)
    rejected = np.mean([hosmer_lemeshow((random.random(1_000) < pd_) * 1.0, pd_, band).p_value < 0.05 for _ in range(1_000)])
    assert 0.03 < rejected < 0.07


def test_bands_that_expect_few_are_joined_whatever_the_outcomes():
    """0.1 and 6 bads are expected of the first two, 20 of the third, 1 of the last: two groups."""
    band, pd_ = np.repeat([0, 1, 2, 5], 100), np.repeat([0.001, 0.06, 0.2, 0.01], 100)
    assert [hosmer_lemeshow(np.full(400, kind), pd_, band).groups for kind in (0.0, 1.0)] == [2, 2]


def test_one_band_alone_is_no_test_over_bands():
    assert hosmer_lemeshow(np.ones(100), np.full(100, 0.1), np.zeros(100, dtype=int)) is None
