"""A candidate fitted again is train's own where nothing is changed; with a change, nothing but the change is other."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.params import read
from training import refits
from training.candidates import load_candidate
from training.params import TrainParams
from training.recipe import held_out
from training.refits import Change
from training.splits import part_of


@pytest.fixture(scope="module")
def ground(mill, mill_model):
    parts = pd.read_parquet(mill_model.split / "parts.parquet")
    params = read("train", TrainParams, mill_model.train.parent / "params.yaml")
    rounds = len(load_candidate(mill_model.train, "trees")[0].kernel.roots)
    return refits.bench(mill, *(part_of(mill_model.frame, parts, part) for part in ("development", "calibration")), params, rounds)


@pytest.mark.parametrize("family", ["scorecard", "trees"])
def test_without_a_change_it_is_the_model_train_made_to_the_last_bit(mill_model, ground, family):
    theirs, encoding = load_candidate(mill_model.train, family)
    ours = ground.fit(Change(family))

    arrays = ours.candidate.kernel.arrays()
    assert all(np.array_equal(arrays[name], values, equal_nan=True) for name, values in theirs.kernel.arrays().items())
    assert (ours.candidate.calibrator, ours.encoding, ours.candidate.native) == (theirs.calibrator, encoding, theirs.native)


@pytest.mark.parametrize("family", ["scorecard", "trees"])
def test_what_is_left_out_has_no_say_and_the_interface_stays(mill, ground, family):
    name = "ice_days"
    j = [column.name for column in mill.inputs].index(name)
    kernel, rows = ground.fit(Change(family, without=(name,))).candidate.kernel, ground.whole.sample.rows[:200]
    other = rows.copy()
    other[:, j] = 3.0

    assert np.array_equal(kernel.margins(rows), kernel.margins(other))
    assert not kernel.contributions(rows)[:, j].any()
    assert ground.fit(Change(family)).candidate.kernel.contributions(rows)[:, j].any()


def test_half_the_weight_is_at_most_half_of_its_own(mill, ground):
    name, before = "ice_days", ground.whole.weights
    j = [column.name for column in mill.inputs].index(name)
    lighter = ground.fit(Change("scorecard", lighter=(name,))).candidate.kernel.contributions(ground.whole.sample.rows)[:, j]

    assert np.allclose(lighter, ground.whole.evidence[:, j] * before[j] / 2, atol=1e-6)


def test_a_restraint_makes_the_weights_smaller(ground):
    strong, plain = (ground.fit(Change("scorecard", settings=settings)).candidate.kernel for settings in ({"ridge": 1000.0}, {}))

    assert np.abs(strong.points).sum() < np.abs(plain.points).sum()


def test_trees_may_be_restrained_too(ground):
    flat, deep = (ground.fit(Change("trees", settings=settings)).candidate.kernel for settings in ({"depth": 1}, {}))

    assert len(flat.feature) < len(deep.feature)


def test_without_a_calibration_part_every_row_of_development_is_judged_by_a_model_that_did_not_see_it(mill, mill_model, ground):
    few = ground.whole.frame.iloc[:700]
    apart = refits.bench(mill, few, few.iloc[:0], ground.whole.params, 5).fit(Change("scorecard"))

    bad, pds = apart.judged
    assert len(apart.apart) == ground.whole.params.cross_validation.folds
    assert (len(bad), int(bad.sum())) == (len(few), int(few["bad"].sum()))
    assert 0 < pds.min() < pds.max() < 1


@pytest.mark.parametrize("family", ["scorecard", "trees"])
def test_where_earlier_rows_join_the_calibration_they_join_here_too(mill, ground, family):
    params = ground.whole.params
    rule = msgspec.structs.replace(params.calibration, alone_from=10**6, join_from=1)
    params = msgspec.structs.replace(params, calibration=rule, trees=msgspec.structs.replace(params.trees, rounds=5))
    development, calibration = ground.whole.frame, ground.apart[0][1]
    theirs = next(one for one in held_out(mill, development, calibration, params, joined=True).candidates if one.name == family)
    rounds = len(theirs.kernel.roots) if family == "trees" else 5
    ours = refits.bench(mill, development, calibration, params, rounds).fit(Change(family)).candidate.calibrator

    margins = np.linspace(-4, 1, 50)
    assert ours.pd(margins) == pytest.approx(theirs.calibrator.pd(margins), rel=1e-4)
    assert ours != ground.fit(Change(family)).candidate.calibrator


def test_names_say_what_was_changed():
    change = Change("trees", ("a", "b"), (), {"depth": 2})

    assert change.name == "trees; without a, b; depth 2"
    assert msgspec.structs.replace(change, without=(), lighter=("c",)).name == "trees; half the weight of c; depth 2"
