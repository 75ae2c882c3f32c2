"""PDs of a sample drawn by outcome become the portfolio's, and every measure of them counts the portfolio."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import BAD
from feature_repo.params import read
from feature_repo.sources import Sampled
from serving.scoring.parts import Calibrator
from training import measures
from training.calibration import fit_calibrator
from training.fitting import fit
from training.params import TrainParams
from training.prior import shift_of, shifted

RANDOM = np.random.default_rng(11)
MARGINS = RANDOM.normal(-2.4, 1.1, size=60_000)
PDS = 1 / (1 + np.exp(-MARGINS))
BADS = (RANDOM.random(60_000) < PDS).astype(float)
KEPT = (BADS == 1) | (RANDOM.random(60_000) < 0.2)


def drawn_from(portfolio, rate):
    sampled = Sampled(portfolio_bad_rate=rate, source="the book it was drawn from")
    return replace(portfolio, outcome=replace(portfolio.outcome, sampled=sampled))


def test_the_step_is_that_of_king_and_zeng():
    """Their equation 7 takes ln[(1 - tau) / tau x ybar / (1 - ybar)] from the intercept."""
    import feature_repo.portfolios

    german = drawn_from(feature_repo.portfolios.load("german_credit"), 0.05)
    bad = np.repeat([1.0, 0.0], [300, 700])

    assert shift_of(german, bad) == pytest.approx(-np.log((1 - 0.05) / 0.05 * 0.3 / 0.7))
    assert shift_of(feature_repo.portfolios.load("german_credit"), bad) == 0
    assert shift_of(feature_repo.portfolios.load("card_default"), bad) == 0


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic"])
def test_pds_of_a_sample_rich_in_bads_are_the_portfolios_after_the_step_and_not_before(method, rule):
    sampled = fit_calibrator(method, MARGINS[KEPT], BADS[KEPT], rule)
    corrected = shifted(sampled, np.log(BADS.mean() / (1 - BADS.mean())) - np.log(BADS[KEPT].mean() / (1 - BADS[KEPT].mean())))

    assert corrected.pd(MARGINS).mean() == pytest.approx(BADS.mean(), rel=0.03)
    assert measures.ece(BADS, corrected.pd(MARGINS)) < 0.006
    assert measures.ece(BADS, sampled.pd(MARGINS)) > 0.1
    assert (np.argsort(corrected.pd(MARGINS[:500])) == np.argsort(sampled.pd(MARGINS[:500]))).all()


def test_a_calibrator_says_by_how_much_it_was_moved_and_none_by_nothing():
    knots = Calibrator("isotonic", margins=[-1.0, 1.0], pds=[0.1, 0.5])

    assert shifted(knots, 0.0) is knots
    assert shifted(shifted(knots, -1.0), -0.5).shift == -1.5
    assert shifted(knots, -1.0).pds[1] == pytest.approx(1 / (1 + np.e))


def test_measures_of_the_sample_with_the_step_are_those_of_the_whole_portfolio():
    shift = np.log(0.2)
    whole, sampled = measures.summary(BADS, PDS), measures.summary(BADS[KEPT], PDS[KEPT], shift)

    assert [sampled[name] for name in ("brier", "log_loss", "mean_pd", "bad_rate", "gini")] == pytest.approx(
        [whole[name] for name in ("brier", "log_loss", "mean_pd", "bad_rate", "gini")], rel=0.03)
    assert sampled["ece"] == pytest.approx(whole["ece"], abs=0.004)
    assert (sampled["rows"], sampled["bads"]) == (KEPT.sum(), BADS.sum())


def test_tables_of_the_sample_have_the_portfolios_rates_and_intervals_that_hold_them():
    bins = np.searchsorted([0.05, 0.1, 0.2], PDS)
    whole, sampled = measures.rates(bins, BADS, PDS), measures.rates(bins[KEPT], BADS[KEPT], PDS[KEPT], np.log(0.2))

    assert sampled["bad_rate"].to_numpy() == pytest.approx(whole["bad_rate"].to_numpy(), rel=0.05)
    assert sampled["mean_pd"].to_numpy() == pytest.approx(whole["mean_pd"].to_numpy(), rel=0.02)
    assert (sampled["low"] < whole["bad_rate"]).all()
    assert (sampled["high"] > whole["bad_rate"]).all()
    assert sampled["rows"].sum() == KEPT.sum()


@pytest.fixture(scope="module")
def rule():
    return read("train", TrainParams).calibration


@pytest.fixture(scope="module")
def quick():
    whole = read("train", TrainParams)
    return msgspec.structs.replace(whole, trees=msgspec.structs.replace(whole.trees, rounds=40, patience=5))


def test_candidates_of_a_portfolio_with_a_declared_rate_have_its_mean_pd_and_are_measured_on_it(mill, borrow, quick):
    frame = borrow(mill, 3000, unknown=0)
    parts = {"development": frame.iloc[:2200], "calibration": frame.iloc[2200:]}
    plain, fitted = (fit(each, parts, quick) for each in (replace(mill), drawn_from(mill, 0.03)))

    for candidate in fitted.candidates:
        found, as_sampled = (each.measured[candidate.name]["calibration"] for each in (fitted, plain))
        assert found["mean_pd"] == pytest.approx(0.03, rel=0.15)
        assert found["bad_rate"] == pytest.approx(0.03, rel=0.15)
        assert found["ece"] < 0.02
        assert found["gini"] == pytest.approx(as_sampled["gini"], abs=1e-9)
    assert any("those of a portfolio of which 0.03 is bad (the book it was drawn from)" in note for note in fitted.notes)


def test_a_sample_without_a_portfolio_rate_says_so_where_it_is_fitted(mill, borrow, quick):
    frame = borrow(mill, 900, unknown=0)
    sampled = replace(mill, outcome=replace(mill.outcome, sampled=Sampled()))

    fitted = fit(sampled, {"development": frame.iloc[:600], "calibration": frame.iloc[600:]}, quick)

    assert any("a PD is of this sample, not of a portfolio" in note for note in fitted.notes)
    assert fitted.candidates[0].calibrator.shift == 0


def test_cross_validated_measures_count_the_portfolio_too(mill, borrow, quick):
    frame = borrow(mill, 700, unknown=0)
    once = msgspec.structs.replace(quick, cross_validation=msgspec.structs.replace(quick.cross_validation, folds=3, repeats=1))

    found = fit(drawn_from(mill, 0.03), {"development": frame, "calibration": pd.DataFrame()}, once)

    for measured in found.measured.values():
        assert measured["cross_validation"]["bad_rate"] == pytest.approx(0.03, rel=0.02)
        assert measured["cross_validation"]["mean_pd"] == pytest.approx(0.03, rel=0.4)
        assert measured["cross_validation"]["ece"] < 0.03
    assert frame[BAD].mean() > 0.1
