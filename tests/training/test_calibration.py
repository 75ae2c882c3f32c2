"""Calibrated PDs agree with bad rates, follow the margins, and are never 0 or 1."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from serving.scoring.parts import Calibrator
from training.calibration import aligned, calibrate, compare, fit_calibrator, fit_platt, plainest
from training.measures import ece
from training.params import CalibrationParams

RULE = CalibrationParams(scorecard="platt", trees="choose", choose_from=("platt", "beta", "isotonic"), choose_by="log_loss", choose_folds=5,
                         isotonic_from=1, knots=20, alone_from=500, join_from=10_000, join_folds=3)
RANDOM = np.random.default_rng(0)
MARGINS = RANDOM.normal(-1.5, 1.2, size=20_000)
TRUE = 1 / (1 + np.exp(-(0.7 * MARGINS - 0.4)))
BAD = (RANDOM.random(20_000) < TRUE).astype(float)


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta", "choose"])
def test_pds_agree_with_the_truth(method):
    pds = calibrate(method, MARGINS, BAD, RULE)[0].pd(MARGINS)

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


def outcomes(pds, seed=1):
    return (np.random.default_rng(seed).random(len(pds)) < pds).astype(float)


def test_beta_calibration_finds_the_slopes_of_both_sides_and_the_bad_rate():
    margins = np.random.default_rng(2).normal(0, 2, size=40_000)
    true = Calibrator("beta", slope=0.5, slope_above=1.5, intercept=-0.7).pd(margins)
    bad = outcomes(true)

    found = fit_calibrator("beta", margins, bad, RULE)

    assert (found.slope, found.slope_above, found.intercept) == pytest.approx((0.5, 1.5, -0.7), abs=0.08)
    assert found.pd(margins).mean() == pytest.approx(bad.mean(), rel=1e-4)


def test_beta_calibration_has_no_slope_below_0_and_keeps_to_platts_where_no_margin_lies():
    falls = np.where(MARGINS > 0, 0.9 - 0.1 * np.minimum(MARGINS, 3), 0.1 + 0.02 * np.maximum(MARGINS, -4))
    low = MARGINS[MARGINS < -4]

    assert fit_calibrator("beta", MARGINS, outcomes(falls), RULE).slope_above >= 0
    found = fit_calibrator("beta", low, outcomes(1 / (1 + np.exp(-(low + 3)))), RULE)
    assert abs(found.slope_above - found.slope) < 1


STEPPED = np.where(MARGINS < -2, 0.02, np.where(MARGINS < -1, 0.05, np.where(MARGINS < 0, 0.4, 0.45)))


@pytest.mark.parametrize(("pds", "method"), [
    (TRUE, "platt"), (Calibrator("beta", slope=0.4, slope_above=3.0, intercept=-1.0).pd(MARGINS), "beta"), (STEPPED, "isotonic"),
])
def test_the_method_that_fits_the_outcomes_best_is_chosen_on_rows_it_was_not_fitted_to(pds, method):
    tried = compare(MARGINS[:8000], outcomes(pds)[:8000], RULE)

    assert set(tried) == {"platt", "beta", "isotonic"}
    assert plainest(tried) == method


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_bends_no_curve(seed):
    tried = compare(MARGINS[:4000], outcomes(TRUE[:4000], seed), RULE)

    assert plainest(tried) == "platt"
    assert min(one.behind for one in tried.values()) == 0


def test_the_choice_is_the_same_again_and_can_go_by_the_brier_score():
    brier = compare(MARGINS[:5000], BAD[:5000], msgspec.structs.replace(RULE, choose_by="brier"))

    assert brier == compare(MARGINS[:5000], BAD[:5000], msgspec.structs.replace(RULE, choose_by="brier"))
    assert brier["platt"].loss == pytest.approx(np.mean((TRUE - BAD)[:5000] ** 2), rel=0.01)


def test_a_choice_among_few_outcomes_leaves_isotonic_out_and_of_hardly_any_is_platt():
    few = msgspec.structs.replace(RULE, isotonic_from=1000)
    five = np.concatenate([np.flatnonzero(BAD == 1)[:4], np.flatnonzero(BAD == 0)[:300]])

    assert set(compare(MARGINS[:999], BAD[:999], few)) == {"platt", "beta"}
    assert compare(MARGINS[five], BAD[five], RULE) == {}
    assert fit_calibrator("choose", MARGINS[five], BAD[five], RULE).method == "platt"


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic", "choose"])
def test_margins_that_rank_backwards_are_a_message_by_any_method(method):
    with pytest.raises(DataError, match="does not rank the 20000 outcomes it is calibrated on"):
        calibrate(method, -MARGINS, BAD, RULE)


def test_isotonic_regression_gives_way_to_platt_on_few_outcomes():
    few = msgspec.structs.replace(RULE, isotonic_from=1000)

    assert fit_calibrator("isotonic", MARGINS[:999], BAD[:999], few).method == "platt"
    assert fit_calibrator("isotonic", MARGINS[:1000], BAD[:1000], few).method == "isotonic"


def test_earlier_rows_tell_the_slope_and_the_calibration_part_the_level():
    """Twelve thousand rows of better times and three thousand of now, twenty times: the slope scatters less, the level stays today's."""
    def slopes(seed):
        random = np.random.default_rng(seed)
        earlier, later = random.normal(-2.5, 1, 12_000), random.normal(-2.5, 1, 3_000)
        old, new = outcomes(1 / (1 + np.exp(-(0.8 * earlier - 1.2))), seed), outcomes(1 / (1 + np.exp(-(0.8 * later - 0.4))), seed + 100)
        joined = fit_platt(np.concatenate([aligned((earlier, old), (later, new)), later]), np.concatenate([old, new]))
        assert joined.pd(later).mean() == pytest.approx(new.mean(), rel=0.01)
        return fit_platt(later, new).slope, joined.slope

    alone, joined = np.array([slopes(seed) for seed in range(20)]).T
    assert np.std(joined) < 0.7 * np.std(alone)
    assert np.mean(joined) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("development", "bads", "joins"), [(10_000, 499, True), (9_999, 499, False), (10_000, 500, False)])
def test_development_joins_where_it_is_large_and_the_calibration_part_has_few_bads(development, bads, joins):
    assert RULE.joins(development, bads) is joins
