"""Tests per grade give the published figures, agree with independent computations, and tell PDs that are wrong from ones that are right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from training import grades, measures

RANDOM = np.random.default_rng(3)
PDS = expit(RANDOM.normal(-2.2, 1.1, size=20_000))
BAD = (RANDOM.random(20_000) < PDS).astype(float)
TENTHS = np.searchsorted(np.quantile(PDS, np.arange(1, 10) / 10), PDS, side="right")


@pytest.mark.parametrize(("bads", "jeffreys", "binomial"), [(20, 0.00223, 0.00329), (15, 0.06323, 0.08241)])
def test_the_p_values_of_a_grade_of_1000_with_a_pd_of_one_percent(bads, jeffreys, binomial):
    assert measures.jeffreys(bads, 1000, 0.01) == pytest.approx(jeffreys, abs=1e-5)
    assert grades.binomial(bads, 1000, 0.01) == pytest.approx(binomial, abs=1e-5)


def test_the_binomial_test_is_scipys_and_a_grade_without_rows_has_no_p_value():
    assert grades.binomial(7, 90, 0.03) == pytest.approx(stats.binomtest(7, 90, 0.03, alternative="greater").pvalue)
    assert np.isnan(grades.binomial([0, 1], [0, 9], [0.1, 0.1])).tolist() == [True, False]
    assert np.isnan(measures.jeffreys([0, 1], [0, 9], [0.1, 0.1])).tolist() == [True, False]


def test_the_jeffreys_test_rejects_right_pds_about_as_often_as_it_says():
    bads = RANDOM.binomial(1000, 0.03, size=20_000)

    assert np.mean(measures.jeffreys(bads, 1000, 0.03) < 0.05) == pytest.approx(0.05, abs=0.015)


def test_hosmer_lemeshow_is_the_chi_square_of_the_table_of_good_and_bad():
    found = grades.hosmer_lemeshow(TENTHS, BAD, PDS)
    tenths = [np.flatnonzero(k == TENTHS) for k in range(10)]
    seen, said = (np.array([[of[rows].sum(), (1 - of[rows]).sum()] for rows in tenths]) for of in (BAD, PDS))
    statistic = sum(stats.chisquare(row, expected).statistic for row, expected in zip(seen, said, strict=True))

    assert found.statistic == pytest.approx(statistic)
    assert (found.groups, found.development, found.out_of_sample) == (
        10, pytest.approx(stats.chi2.sf(statistic, 8)), pytest.approx(stats.chi2.sf(statistic, 10)))
    assert found.out_of_sample > 0.01
    assert grades.hosmer_lemeshow(TENTHS, BAD, PDS * 0.9).out_of_sample < 0.001


def test_hosmer_lemeshow_of_one_group_has_no_p_value_for_development():
    found = grades.hosmer_lemeshow(np.zeros(100), BAD[:100], PDS[:100])

    assert (found.groups, found.development) == (1, None)


def test_right_pds_have_slope_one_and_nothing_in_the_large():
    found = grades.recalibrate(BAD, PDS)

    assert found.slope.low < 1 < found.slope.high
    assert found.in_the_large.low < 0 < found.in_the_large.high
    assert found.wrong > 0.01
    assert found.slope.high - found.slope.low < 0.15


@pytest.mark.parametrize(("said", "bad"), [
    (np.linspace(0.01, 0.3, 100), np.arange(100) >= 99),   # the worst PD is the one bad
    (np.linspace(0.01, 0.3, 100), np.arange(100) < 3),     # backwards
    (np.repeat([0.02, 0.1], [200, 20]), np.arange(220) >= 210),  # bads in the upper of two grades alone
])
def test_outcomes_that_one_pd_parts_have_no_slope(said, bad):
    assert grades.recalibrate(bad.astype(float), said) is None


@pytest.mark.parametrize(("slope", "intercept"), [(0.7, 0.0), (1.0, 0.3), (1.3, -0.4)])
def test_what_was_bent_is_found(slope, intercept):
    said = expit((logit(PDS) - intercept) / slope)
    found = grades.recalibrate(BAD, said)

    assert found.slope.low < slope < found.slope.high
    assert found.intercept.low < intercept < found.intercept.high
    assert found.wrong < 1e-6


def test_the_regression_is_scikit_learns_and_its_intervals_hold_19_times_in_20():
    model = LogisticRegression(C=np.inf).fit(logit(PDS).reshape(-1, 1), BAD)
    found = grades.recalibrate(BAD, PDS)
    held = [estimate.low < 1 < estimate.high for estimate in
            (grades.recalibrate((RANDOM.random(2000) < PDS[:2000]).astype(float), PDS[:2000]).slope for _ in range(400))]

    assert (found.slope.value, found.intercept.value) == pytest.approx((model.coef_[0, 0], model.intercept_[0]), abs=1e-3)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_pds_far_too_high_are_a_figure_and_not_a_failure():
    assert grades.recalibrate(BAD, 1 - PDS / 50).slope.value < 0


@pytest.mark.parametrize(("bad", "said"), [(np.zeros(50), PDS[:50]), (np.ones(50), PDS[:50]), (BAD[:50], np.full(50, 0.1))])
def test_outcomes_or_pds_that_are_all_alike_have_no_slope(bad, said):
    assert grades.recalibrate(bad, said) is None


def test_a_sample_rich_in_bads_is_tested_on_its_own_counts():
    """A third of the goods, as the file has them: PDs of the portfolio are right, and no test says otherwise."""
    kept = (BAD == 1) | (RANDOM.random(len(BAD)) < 1 / 3)
    shift = -np.log(3)
    bad, said, tenths = BAD[kept], PDS[kept], TENTHS[kept]
    taken = measures.moved(said, -shift)

    assert grades.hosmer_lemeshow(tenths, bad, said, shift).out_of_sample > 0.01
    assert abs(grades.recalibrate(bad, said, shift).in_the_large.value) < 0.1
    assert measures.jeffreys(bad.sum(), len(bad), taken.mean()) > 0.01
    assert grades.hosmer_lemeshow(tenths, bad, said).out_of_sample < 1e-9
    assert grades.recalibrate(bad, said).in_the_large.value > 1
    assert measures.jeffreys(bad.sum(), len(bad), said.mean()) < 1e-9


def test_p_values_of_many_tests_are_held_together():
    assert grades.holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist() == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert grades.holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert grades.holm(np.zeros(0)).tolist() == []
