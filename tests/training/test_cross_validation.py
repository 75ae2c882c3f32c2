"""A development too small for parts: every row is judged by a recipe that did not see it, and intervals say how little is known."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from feature_repo.contract import BAD
from feature_repo.errors import DataError
from feature_repo.params import read
from training import cross_validation
from training.cross_validation import corrected, cross_validate, summarize
from training.params import CrossValidationParams, TrainParams
from training.recipe import folds

COUNT = CrossValidationParams(folds=3, repeats=2)


@pytest.fixture(scope="module")
def params():
    whole = read("train", TrainParams)
    return msgspec.structs.replace(whole, trees=msgspec.structs.replace(whole.trees, rounds=40, patience=5), cross_validation=COUNT)


@pytest.fixture(scope="module")
def small(mill, borrow):
    return borrow(mill, 700, unknown=0)


@pytest.fixture(scope="module")
def model(mill, make_model, borrow):
    return make_model(mill, borrow(mill, 900), train={"cross_validation": {"folds": 3, "repeats": 1}})


def outcomes(rows, *, noise=0.0, seed=0):
    """Six folds of outcomes that follow PDs moved by `noise` in log-odds."""
    random = np.random.default_rng(seed)
    for _ in range(6):
        margin = random.normal(-1, 1, rows)
        yield (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(float), 1 / (1 + np.exp(-margin - noise))


def test_no_outcome_of_a_fold_moves_what_is_said_of_it(mill, small, params, monkeypatch):
    said = []
    monkeypatch.setattr(cross_validation, "summarize", lambda found, *_: said.append([pd_ for _, pd_ in found]))
    fits, kept = next(folds(small, COUNT.folds, params.seed))
    monkeypatch.setattr(cross_validation, "folds", lambda *_: [(fits, kept)])
    for frame in (small, small.assign(**{BAD: np.where(np.isin(np.arange(len(small)), kept), 1 - small[BAD], small[BAD])})):
        cross_validate(mill, frame, params)

    assert np.array_equal(said[0], said[2])
    assert np.array_equal(said[1], said[3])


def test_the_summary_is_of_all_folds_and_its_bounds_hold_the_truth():
    found = list(outcomes(200))
    measured = summarize(found, COUNT, 7)

    assert measured["auc"] == pytest.approx(np.mean([roc_auc_score(*fold) for fold in found]))
    assert measured["auc_low"] < measured["auc"] < measured["auc_high"]
    assert measured["gini_low"] == pytest.approx(2 * measured["auc_low"] - 1)
    assert (measured["rows"], measured["folds"], measured["repeats"]) == (600, 3, 2)


def test_the_calibration_error_stands_beside_what_chance_alone_shows():
    right, wrong = (summarize(list(outcomes(300, noise=noise)), COUNT, 7) for noise in (0.0, 0.8))

    assert right["ece"] < 2 * right["ece_by_chance"]
    assert wrong["ece_low"] > 2 * wrong["ece_by_chance"]
    assert right["ece_low"] <= right["ece"] <= right["ece_high"]


def test_bounds_allow_for_folds_that_share_what_they_are_fitted_on():
    values = np.array([0.7, 0.74, 0.78] * 4)
    _, low, high = corrected(values, 3)

    assert high - low > 2.5 * 2 * 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert summarize(list(outcomes(2000)), COUNT, 7)["auc_low"] > summarize(list(outcomes(100)), COUNT, 7)["auc_low"]


def test_a_fold_with_one_kind_of_outcome_is_a_message():
    with pytest.raises(DataError, match="a fold of the cross-validation has 50 outcomes, 0 bad"):
        summarize([(np.zeros(50), np.full(50, 0.1))] * 6, COUNT, 7)


def test_a_small_model_is_chosen_and_judged_by_cross_validation(model):
    choice, metrics = (json.loads(path.read_bytes()) for path in (model.train / "choice.json", model.evaluate / "metrics.json"))
    measures = json.loads((model.release / "measures.json").read_bytes())

    assert "on cross-validation" in choice["why"]
    assert set(measures) == {"development", "cross_validation", "test"}
    assert metrics["cross_validation_auc"] == choice["measured"][choice["chosen"]]["cross_validation"]["auc"]
    assert metrics["cross_validation_gini_low"] < metrics["cross_validation_gini"] < metrics["cross_validation_gini_high"]
    assert not any(name.startswith("calibration_") for name in metrics)


def test_a_small_model_is_the_same_for_the_same_seed(mill, model, make_model):
    again = make_model(mill, model.frame, train={"cross_validation": {"folds": 3, "repeats": 1}})

    for name in ("choice.json", "trees/model.ubj", "trees/calibrator.json", "scorecard/calibrator.json", "scorecard/kernel.npz"):
        assert (again.train / name).read_bytes() == (model.train / name).read_bytes()


def test_a_small_model_says_no_more_of_development_than_out_of_fold(model):
    measured = json.loads((model.train / "choice.json").read_bytes())["measured"]

    assert measured["trees"]["cross_validation"]["auc"] < measured["trees"]["development"]["auc"]
