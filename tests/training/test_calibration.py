"""Calibrated PDs agree with bad rates, follow the margins, and are never 0 or 1."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from training.calibration import fit_calibrator, fit_platt
from training.measures import ece
from training.params import CalibrationParams

RULE = CalibrationParams(scorecard="platt", trees="isotonic", isotonic_from=1, knots=20)
RANDOM = np.random.default_rng(0)
MARGINS = RANDOM.normal(-1.5, 1.2, size=20_000)
TRUE = 1 / (1 + np.exp(-(0.7 * MARGINS - 0.4)))
BAD = (RANDOM.random(20_000) < TRUE).astype(float)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_pds_agree_with_the_truth(method):
    pds = fit_calibrator(method, MARGINS, BAD, RULE).pd(MARGINS)

    assert ece(BAD, pds) < 0.01
    assert np.abs(pds - TRUE).mean() < 0.01


def test_platt_finds_the_slope_and_intercept():
    found = fit_platt(MARGINS, BAD)

    assert (found.slope, found.intercept) == pytest.approx((0.7, -0.4), abs=0.05)


@pytest.mark.parametrize(("rows", "rate"), [(1_500, 0.025), (4_000, 0.03), (20_000, 0.2)])
def test_the_mean_pd_is_the_bad_rate_where_bads_are_few_too(rows, rate):
    random = np.random.default_rng(5)
    margins = random.normal(np.log(rate / (1 - rate)) - 0.4, 1, size=rows)
    bad = (random.random(rows) < 1 / (1 + np.exp(-margins))).astype(float)

    assert fit_calibrator("isotonic", margins, bad, RULE).pd(margins).mean() == pytest.approx(bad.mean(), rel=0.005)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(60, 400), distinct=st.integers(2, 400), knots=st.integers(2, 30))
def test_isotonic_is_strictly_rising_between_its_knots_and_within_0_and_1(seed, rows, distinct, knots):
    random = np.random.default_rng(seed)
    margins = np.round(random.normal(size=rows) * distinct / 8) / distinct * 8
    bad = (random.random(rows) < 1 / (1 + np.exp(-2 * margins))).astype(float)
    assume(np.std(margins) > 0 and np.std(bad) > 0 and np.corrcoef(margins, bad)[0, 1] > 0.2)
    found = fit_calibrator("isotonic", margins, bad, msgspec.structs.replace(RULE, knots=knots))

    assert (np.diff(found.margins) > 0).all()
    assert (np.diff(found.pds) > 0).all()
    assert 0 < found.pds[0] < found.pds[-1] < 1 or len(found.pds) == 1


def test_margins_that_rank_backwards_are_a_message():
    with pytest.raises(DataError, match="does not rank the 20000 outcomes it is calibrated on"):
        fit_calibrator("isotonic", -MARGINS, BAD, RULE)


def test_isotonic_regression_gives_way_to_platt_on_few_outcomes():
    few = msgspec.structs.replace(RULE, isotonic_from=1000)

    assert fit_calibrator("isotonic", MARGINS[:999], BAD[:999], few).method == "platt"
    assert fit_calibrator("isotonic", MARGINS[:1000], BAD[:1000], few).method == "isotonic"
