"""The trees that serve are XGBoost's own: the same margins to the last bit, the same contributions, and no more depth than is exact."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost

from feature_repo.errors import ReleaseError
from serving.scoring.trees import BLOCK, DEEPEST, FEW
from training.models import export


def rows_of(seed, n, inputs):
    random = np.random.default_rng(seed)
    rows = np.round(random.normal(size=(n, inputs)), 1) * 10.0 ** random.integers(-6, 9, inputs)
    rows[random.random(rows.shape) < 0.15] = np.nan
    return rows


@pytest.fixture(scope="module", params=[1, 3, DEEPEST])
def boosted(request):
    rows = rows_of(1, 4000, 7)
    bad = (np.nan_to_num(rows[:, 0] / np.nanstd(rows[:, 0])) + np.random.default_rng(2).normal(size=4000) > 1).astype(float)
    settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": request.param, "seed": 3, "nthread": 1, "eta": 0.3,
                "base_score": float(bad.mean()), "monotone_constraints": (1, 0, -1, 0, 0, 0, 0)}
    return xgboost.train(settings, xgboost.DMatrix(rows, label=bad), 40)


@pytest.fixture(scope="module")
def others():
    return np.vstack([rows_of(5, 20_000, 7), np.full((1, 7), np.nan), np.full((1, 7), 1e30), np.full((1, 7), -1e30)])


def test_margins_are_bit_equal_to_xgboost_on_rows_it_never_saw(boosted, others):
    theirs = boosted.predict(xgboost.DMatrix(others), output_margin=True)

    assert export(boosted).margins(others).astype(np.float32).tobytes() == theirs.tobytes()


def test_a_million_margins_are_bit_equal_to_xgboosts(boosted):
    trees = export(boosted)
    for seed in range(20):
        rows = rows_of(100 + seed, 50_000, 7)

        assert trees.margins(rows).astype(np.float32).tobytes() == boosted.inplace_predict(rows, predict_type="margin").tobytes()


def test_values_exactly_at_a_threshold_take_xgboosts_branch_whichever_way_they_are_walked(boosted):
    trees = export(boosted)
    splits = trees.left >= 0
    rows = np.zeros((int(splits.sum()), 7))
    rows[np.arange(len(rows)), trees.feature[splits]] = trees.threshold[splits]
    theirs = boosted.predict(xgboost.DMatrix(rows), output_margin=True).astype(float)

    assert np.array_equal(trees.margins(rows), theirs)
    assert [trees.margins(row[None])[0] for row in rows] == theirs.tolist()


def test_contributions_equal_xgboosts_and_add_up_to_the_margin(boosted, others):
    trees, some = export(boosted), others[:500]
    theirs = boosted.predict(xgboost.DMatrix(some), pred_contribs=True)

    ours = trees.contributions(some)

    assert np.abs(ours - theirs[:, :-1]).max() < 1e-5
    assert np.abs(ours.sum(axis=1) + theirs[:, -1] - trees.margins(some)).max() < 1e-5


def test_a_value_beyond_float32_counts_as_the_largest_and_still_adds_up(boosted):
    trees = export(boosted)
    beyond, largest = np.full((1, 7), 1e300), np.full((1, 7), np.finfo(np.float32).max)

    assert trees.margins(beyond) == trees.margins(largest)
    assert np.array_equal(trees.contributions(beyond), trees.contributions(largest))
    assert trees.contributions(largest).any()


def test_one_row_and_many_have_the_same_bits(boosted, others):
    trees = export(boosted)

    assert [trees.margins(row[None])[0] for row in others[:200]] == trees.margins(others[:200]).tolist()
    assert np.array_equal(np.vstack([trees.contributions(row[None]) for row in others[:50]]), trees.contributions(others[:50]))


@pytest.mark.parametrize("rows", [0, 1, FEW - 1, FEW, BLOCK // 2 + 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_margins_are_the_same_to_the_last_bit_whichever_way_the_trees_are_walked(boosted, others, rows):
    trees = export(boosted)

    assert trees.margins(others[:rows]).tolist() == [trees.margins(row[None])[0] for row in others[:rows]]


def test_trees_too_deep_for_the_quick_ways_are_walked_node_by_node(deep):
    booster, rows = deep
    theirs = booster.predict(xgboost.DMatrix(rows), output_margin=True).astype(float)

    assert np.array_equal(export(booster).margins(rows), theirs)
    assert export(booster).margins(rows[:1])[0] == theirs[0]


@pytest.mark.parametrize("rows", [0, 1, FEW - 1, FEW, BLOCK // 2 + 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_contributions_are_the_same_to_the_last_bit_whichever_way_they_are_added_up(boosted, others, rows):
    trees = export(boosted)
    one_by_one = [trees.contributions(others[i : i + 1]) for i in range(rows)]

    assert trees.contributions(others[:rows]).tobytes() == b"".join(row.tobytes() for row in one_by_one)


@pytest.fixture(scope="module")
def deep():
    rows = np.random.default_rng(0).normal(size=(3000, 8))
    bad = np.prod(np.sign(rows), axis=1) > 0
    settings = {"objective": "binary:logistic", "max_depth": DEEPEST + 2, "base_score": 0.4}
    return xgboost.train(settings, xgboost.DMatrix(rows, label=bad), 2), rows


def test_more_inputs_on_a_path_than_reasons_are_exact_for_are_refused(deep):
    booster, rows = deep
    with pytest.raises(ReleaseError, match="smaller depth"):
        export(booster).contributions(rows[:1])


@pytest.mark.parametrize("seed", range(8))
def test_random_models_have_xgboosts_contributions_and_the_same_four_largest(seed):
    random = np.random.default_rng(seed)
    rows, inputs = rows_of(seed, 3000, 9), 9
    bad = (random.normal(size=3000) + np.nan_to_num(rows / np.nanstd(rows, axis=0)) @ random.normal(size=inputs) > 0.5).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": int(random.integers(1, DEEPEST + 1)), "eta": 0.2, "seed": seed, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(rows, label=bad), int(random.integers(5, 60)))
    some = rows_of(seed + 50, 300, 9)
    theirs = booster.predict(xgboost.DMatrix(some), pred_contribs=True)[:, :-1].astype(float)

    ours = export(booster).contributions(some)

    assert np.abs(ours - theirs).max() < 1e-5
    for mine, other in zip(ours, theirs, strict=True):
        order = np.argsort(-other, kind="stable")
        if np.diff(-other[order][:5]).min() > 2e-5:  # nearer ones are one for their float32
            assert np.argsort(-mine, kind="stable")[:4].tolist() == order[:4].tolist()


def test_a_tree_that_never_splits_contributes_nothing():
    rows = np.ones((50, 2))
    flat = xgboost.train({"objective": "binary:logistic", "base_score": 0.3}, xgboost.DMatrix(rows, label=np.tile([0, 1], 25)), 3)
    trees = export(flat)

    assert np.array_equal(trees.margins(rows), flat.predict(xgboost.DMatrix(rows), output_margin=True).astype(float))
    assert not trees.contributions(rows).any()
