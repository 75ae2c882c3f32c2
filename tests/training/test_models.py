"""The trees obey the contract's directions, are the same for the same seed, and never leave without XGBoost's own margins."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
import xgboost
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.metrics import log_loss

from feature_repo.errors import ReleaseError
from training.encoding import Sample
from training.models import best_rounds, export, fit_trees, levelled_log_loss, require_equal
from training.params import TreesParams

PARAMS = TreesParams(rounds=400, patience=10, early_share=0.2, depth=4, rate=0.2, smallest_leaf=5, rows=0.8, columns=0.7, ridge=5,
                     threads=1)
RISKS = (1, -1, 0, 0)


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(0)
    rows = random.normal(size=(3000, 4))
    margin = rows[:, 0] - rows[:, 1] + np.sin(3 * rows[:, 2]) + 0.5 * random.normal(size=3000)
    rows[random.random(rows.shape) < 0.1] = np.nan
    return Sample(rows, (margin > 1).astype(float))


def early(sample):
    return Sample(sample.rows[:2400], sample.bad[:2400]), Sample(sample.rows[2400:], sample.bad[2400:])


@pytest.fixture(scope="module")
def boosted(sample):
    return fit_trees(sample, early(sample), RISKS, PARAMS, 7)


def test_the_margin_never_moves_against_a_declared_direction(boosted, sample):
    grid = np.sort(np.random.default_rng(1).normal(size=400) * 3)
    for j, risk in enumerate(RISKS):
        for row in sample.rows[:50]:
            steps = np.diff(boosted.kernel.margins(np.where(np.arange(4) == j, grid[:, None], row)))
            assert risk == 0 or (risk * steps >= 0).all()


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_model(boosted, sample):
    assert fit_trees(sample, early(sample), RISKS, PARAMS, 7).native == boosted.native
    assert fit_trees(sample, early(sample), RISKS, PARAMS, 8).native != boosted.native


def test_the_native_file_gives_the_kernels_margins_to_the_last_bit(boosted, sample):
    booster = xgboost.Booster(model_file=bytearray(boosted.native))
    theirs = booster.predict(xgboost.DMatrix(sample.rows), output_margin=True)

    assert np.array_equal(theirs.astype(float), boosted.kernel.margins(sample.rows))


def test_an_export_that_differs_in_one_bit_is_refused(boosted, sample):
    booster = xgboost.Booster(model_file=bytearray(boosted.native))
    base = np.nextafter(boosted.kernel.base, np.float32(np.inf))

    with pytest.raises(ReleaseError, match="margins differ"):
        require_equal(dataclasses.replace(boosted.kernel, base=base), booster, sample.rows)


def test_the_base_margin_is_xgboosts_for_any_bad_rate():
    rows = xgboost.DMatrix(np.full((4, 1), np.nan), label=np.array([0, 1, 0, 1]))
    for rate in np.random.default_rng(3).uniform(0.001, 0.999, 60):
        booster = xgboost.train({"objective": "binary:logistic", "base_score": rate, "eta": 0.0}, rows, 1)
        require_equal(export(booster), booster, np.full((1, 1), np.nan))


def test_boosting_stops_early_and_then_uses_all_rows(sample, boosted):
    assert 1 < len(boosted.kernel.roots) < PARAMS.rounds
    assert boosted.kernel.cover[0] == pytest.approx(sample.bad.mean() * (1 - sample.bad.mean()) * 3000 * PARAMS.rows, rel=0.05)


def drawn(level, share, seed):
    """Rows of which the first input tells the risk, and the second marks a share that is safer."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(6000, 4))
    values[:, 1] = random.random(6000) < share
    return Sample(values, (random.random(6000) < expit(level + 0.5 * values[:, 0] - 1.5 * values[:, 1])).astype(float))


def test_a_later_stretch_in_which_all_grades_go_bad_more_often_stops_the_boosting_no_sooner():
    """Most of the later rows are marked safer and all grades are riskier: what ranks them right moves their mean PD the wrong way."""
    params = msgspec.structs.replace(PARAMS, rate=0.05)
    known = drawn(-3.0, 0.5, 1)
    as_before, later = (best_rounds((known, rows), 0.05, (0,) * 4, params, 7) for rows in (drawn(-3.0, 0.5, 11), drawn(-1.5, 0.9, 11)))

    assert later >= as_before / 2


def test_the_levelled_log_loss_is_the_least_of_all_levels():
    known = drawn(-2.0, 0.5, 5)
    margins = known.rows[:, 0]
    best = minimize_scalar(lambda step: log_loss(known.bad, expit(margins + step)))

    assert levelled_log_loss(margins, known.bad) == pytest.approx(best.fun, abs=1e-5)
    assert levelled_log_loss(margins + 7.5, known.bad) == pytest.approx(levelled_log_loss(margins, known.bad), abs=1e-9)
    assert levelled_log_loss(-margins, known.bad) > levelled_log_loss(margins, known.bad)


@pytest.mark.parametrize("bad", [0.0, 1.0])
def test_the_levelled_log_loss_of_outcomes_of_one_kind_is_a_number(bad):
    assert 0 < levelled_log_loss(np.linspace(-16, 16, 50), np.full(50, bad)) < 1


def test_a_depth_that_reasons_are_not_exact_for_is_refused_when_read():
    with pytest.raises(msgspec.ValidationError, match="depth"):
        msgspec.convert({**msgspec.to_builtins(PARAMS), "depth": 7}, TreesParams)
