"""A recipe learns nothing from the rows kept apart: of folds, of calibration, of the number of trees."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from feature_repo.contract import APPLICANT_ID, BAD
from feature_repo.errors import DataError
from feature_repo.params import read
from training.encoding import model_rows
from training.fitting import fit
from training.params import CrossValidationParams, TrainParams
from training.recipe import fitted_rows, folds, held_out, out_of_fold


@pytest.fixture(scope="module")
def params():
    whole = read("train", TrainParams)
    return msgspec.structs.replace(whole, trees=msgspec.structs.replace(whole.trees, rounds=40, patience=5),
                                   cross_validation=CrossValidationParams(folds=3, repeats=1))


@pytest.fixture(scope="module")
def small(mill, borrow):
    return borrow(mill, 700, unknown=0)


def test_folds_are_by_applicant_stratified_and_cover_every_row_once(small):
    small = small.assign(**{APPLICANT_ID: (np.arange(len(small)) // 3).astype(str)})
    found = list(folds(small, 5, 7))

    assert np.array_equal(np.sort(np.concatenate([kept for _, kept in found])), np.arange(len(small)))
    for fits, kept in found:
        assert not set(small[APPLICANT_ID].iloc[fits]) & set(small[APPLICANT_ID].iloc[kept])
        assert small[BAD].iloc[kept].mean() == pytest.approx(small[BAD].mean(), abs=0.08)
    assert not np.array_equal(found[0][1], next(folds(small, 5, 8))[1])


def test_a_row_is_not_calibrated_on_a_margin_it_helped_to_make(mill, borrow, params):
    """Outcomes that nothing explains: margins of the fitted rows rank them all the same, out-of-fold margins do not."""
    noise = borrow(mill, 600, unknown=0)
    noise[BAD] = np.random.default_rng(5).permutation(noise[BAD].to_numpy())
    try:
        recipe = out_of_fold(mill, noise, params, 7)
    except DataError:
        return
    assert all(one.calibrator.slope < 0.7 for one in recipe.candidates)


def test_a_small_recipe_is_fitted_on_all_of_development_and_gives_pds(mill, small, params):
    recipe = out_of_fold(mill, small, params, 7)

    for name, pds in recipe.pds(mill, small).items():
        assert pds.mean() == pytest.approx(small[BAD].mean(), abs=0.03), name
    assert {one.calibrator.method for one in recipe.candidates} == {"platt"}


def test_outcomes_of_the_calibration_part_move_no_kernel(mill, small, params):
    development, calibration = small.iloc[:500], small.iloc[500:]
    turned = calibration.assign(**{BAD: np.where(np.arange(len(calibration)) < 20, 1 - calibration[BAD], calibration[BAD])})
    one, other = (held_out(mill, development, part, params) for part in (calibration, turned))
    for ours, theirs in zip(one.candidates, other.candidates, strict=True):
        assert ours.native == theirs.native
        assert ours.calibrator != theirs.calibrator


def test_constant_and_missing_columns_of_a_small_file_are_noted(mill, small, params):
    constant, missing = (column.name for column in mill.requests if not column.is_level)
    fitted = fit(mill, {"development": small.assign(**{constant: 5.0, missing: np.nan})}, params)

    assert any(constant in note for note in fitted.notes)
    assert any(missing in note for note in fitted.notes)
    assert set(fitted.measured["trees"]) == {"development", "cross_validation"}


@pytest.mark.parametrize(("rows", "outcome"), [(20, None), (700, 0.0), (700, 1.0)])
def test_what_is_too_little_for_folds_too_is_a_message(mill, small, params, rows, outcome):
    few = small.head(rows) if outcome is None else small.head(rows).assign(**{BAD: outcome})

    with pytest.raises(DataError, match=r"the development part has \d+ known outcomes"):
        fit(mill, {"development": few, "calibration": few.iloc[:0]}, params)


def test_goods_left_out_for_speed_change_no_level_of_pds(mill, borrow, params):
    """With a fifth of the goods margins rise by ln 5; PDs do not, since every row still calibrates."""
    frame = borrow(mill, 5000, unknown=0)
    development, calibration = frame.iloc[:3600], frame.iloc[3600:]
    thin = msgspec.structs.replace(params, keep_goods=0.2)

    whole, thinned = (held_out(mill, development, calibration, each) for each in (params, thin))

    assert fitted_rows(development, params).all()
    assert fitted_rows(development, thin)[development[BAD] == 1].all()
    assert np.mean(fitted_rows(development, thin)[development[BAD] == 0]) == pytest.approx(0.2, abs=0.03)
    rows = model_rows(mill, whole.encoding, calibration)
    for one, other in zip(whole.candidates, thinned.candidates, strict=True):
        raised = other.kernel.margins(model_rows(mill, thinned.encoding, calibration)).mean() - one.kernel.margins(rows).mean()
        assert raised == pytest.approx(np.log(5), abs=0.3)
        pds, said = one.calibrator.pd(one.kernel.margins(rows)), thinned.pds(mill, calibration)[other.name]
        assert said.mean() == pytest.approx(pds.mean(), rel=0.01)
        assert np.corrcoef(said, pds)[0, 1] > 0.8
