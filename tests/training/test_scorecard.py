"""The scorecard keeps the contract's directions, gives missing and special values bins of their own, and says nothing it cannot know."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from training.encoding import Sample
from training.measures import auc_with_variance
from training.params import ScorecardParams
from training.scorecard import bin_input, fit_scorecard, weigh

PARAMS = ScorecardParams(most_bins=6, smallest_bin=0.05, smoothing=20, ridge=10)


@pytest.fixture(scope="module")
def sample(mill, borrow):
    from training.encoding import fit_encoding
    from training.encoding import sample as sampled
    from training.params import EncodingParams

    frame = borrow(mill, 4000, unknown=0)
    return sampled(mill, fit_encoding(mill, frame, EncodingParams(20, 50, 200)), frame)


@pytest.fixture(scope="module")
def card(mill, sample):
    return fit_scorecard(mill, sample, PARAMS)


def test_bins_run_in_the_contracts_direction_and_there_are_at_most_so_many(mill, card):
    for j, column in enumerate(mill.inputs):
        points = card.points[card.starts[j] + j : card.starts[j + 1] + j + 1]

        assert len(points) <= PARAMS.most_bins
        assert (int(getattr(column, "risk", 0)) * np.diff(points) >= 0).all()


def test_it_separates(card, sample):
    assert auc_with_variance(sample.bad, card.margins(sample.rows))[0] > 0.65


def test_missing_and_special_values_are_binned_apart():
    random = np.random.default_rng(0)
    values = random.normal(size=5000)
    values[:500], values[500:1000] = np.nan, -9.0
    bad = (random.random(5000) < np.where(np.isnan(values), 0.5, np.where(values == -9, 0.1, 0.25))).astype(float)
    found = bin_input(values, bad, 0, (-9.0, -8.0), PARAMS)

    assert found.missing == pytest.approx(np.log(0.5 / 0.5) - np.log(bad.mean() / (1 - bad.mean())), abs=0.25)
    assert found.codes[0] < -0.5
    assert found.codes[1] == pytest.approx(0, abs=1e-12), "a code never seen has the average"
    assert found.edges.min() > -9


@pytest.mark.parametrize("value", [np.nan, 3.0, -9.0], ids=["all missing", "constant", "all special"])
def test_an_input_without_variation_has_no_weight(value):
    bad = np.tile([0.0, 0.0, 0.0, 1.0], 250)
    found = bin_input(np.full(1000, value), bad, 1, (-9.0,), PARAMS)

    assert found.edges.tolist() == []
    assert [*found.intervals, found.missing, *found.codes] == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_whole_card_survives_inputs_without_variation(mill, sample):
    rows = sample.rows.copy()
    rows[:, 0], rows[:, 1] = np.nan, 7.0
    margins = fit_scorecard(mill, Sample(rows, sample.bad), PARAMS).margins(rows)

    assert np.isfinite(margins).all()


def test_weights_are_never_negative_even_where_inputs_oppose_each_other():
    random = np.random.default_rng(1)
    first = random.normal(size=4000)
    second = first + 0.3 * random.normal(size=4000)
    bad = (random.random(4000) < 1 / (1 + np.exp(-(2 * first - 1.5 * second)))).astype(float)

    weights, _ = weigh(np.column_stack([first, second]), bad, 1.0)

    assert weights[1] == 0
    assert weights[0] > 0


def test_without_a_bound_in_the_way_it_is_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(2)
    evidence = random.normal(size=(3000, 3))
    bad = (random.random(3000) < 1 / (1 + np.exp(-(evidence @ [0.5, 1.0, 0.2] - 1)))).astype(float)
    theirs = LogisticRegression(C=1 / 10, tol=1e-10).fit(evidence, bad)

    weights, intercept = weigh(evidence, bad, 10.0)

    assert weights == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_the_same_data_give_the_same_bytes(mill, sample, card):
    again = fit_scorecard(mill, sample, PARAMS)

    assert all(getattr(again, item.name).tobytes() == getattr(card, item.name).tobytes() for item in dataclasses.fields(card))


def test_inferred_outcomes_bin_as_the_bad_and_good_rows_they_stand_for():
    random = np.random.default_rng(0)
    values = np.repeat(random.normal(size=500), 4)
    share = np.repeat(random.integers(0, 5, 500) / 4 * (values[::4] > 0), 4)
    whole = (np.tile(np.arange(4), 500) < share * 4).astype(float)

    inferred, dealt = bin_input(values, share, 1, (), PARAMS), bin_input(values, whole, 1, (), PARAMS)

    assert inferred.edges.tolist() == dealt.edges.tolist()
    assert inferred.intervals.tolist() == pytest.approx(dealt.intervals.tolist())
