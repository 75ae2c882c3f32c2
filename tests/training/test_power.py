"""A column that knows the outcome shows, however it hides it; one that knows nothing does not, however many values it has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training import power

SIZE = 6_000

ROWS = st.lists(st.tuples(st.one_of(st.none(), st.integers(-3, 3)), st.booleans()), min_size=2)


@given(ROWS.filter(lambda rows: len({bad for _, bad in rows}) == 2))
def test_the_auc_is_the_best_of_both_directions_and_both_ends_for_what_is_missing(rows):
    values = np.array([np.nan if value is None else value for value, _ in rows], dtype=np.float64)
    bad = np.array([bad for _, bad in rows], dtype=np.float64)
    orders = [np.nan_to_num(sign * values, nan=end) for sign in (1, -1) for end in (-9, 9)]

    assert power.auc(values, bad) == pytest.approx(max(roc_auc_score(bad, order) for order in orders))


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def bad(rng):
    return (rng.uniform(size=SIZE) < 0.2).astype(np.float64)


@pytest.mark.parametrize("levels", [2, 50, 500, SIZE])
def test_levels_of_noise_rank_nothing_however_many_there_are(rng, bad, levels):
    assert power.of_level(pd.Series(rng.integers(0, levels, SIZE).astype(str)), bad) < 0.54


def test_five_thousand_levels_of_which_each_has_its_outcome_are_found_where_they_come_back(rng):
    level = rng.integers(0, 5_000, 60_000)
    bad = (level % 5 == 0).astype(np.float64)

    assert power.of_level(pd.Series(level.astype(str)), bad) > 0.97


def test_numbers_of_noise_rank_nothing(rng, bad):
    for values in (rng.normal(size=SIZE), rng.integers(0, 900, SIZE) * 1.0, np.where(rng.uniform(size=SIZE) < 0.7, np.nan, 1.0)):
        assert power.of_number(values, bad) < 0.54


@pytest.mark.parametrize("values", [
    lambda noise, bad: np.where(bad == 1, np.clip(noise, -0.3, 0.3), noise),
    lambda noise, bad: np.where(bad == 1, np.round(noise), noise),
], ids=["bad in the middle", "bad on whole numbers"])
def test_what_rises_and_falls_with_the_outcome_is_found_though_no_order_shows_it(rng, bad, values):
    number = values(rng.normal(size=SIZE), bad)

    assert power.auc(number, bad) < 0.56
    assert power.of_number(number, bad) > 0.9


def test_a_code_and_a_missing_value_that_mean_bad_are_found_among_values_that_mean_nothing(rng, bad):
    noise = rng.normal(size=SIZE)
    either = np.where(np.arange(SIZE) % 2 == 0, np.nan, 0.125)

    assert power.of_number(np.where(bad == 1, either, noise), bad) > 0.99
    rare = np.where((bad == 1) & (np.arange(SIZE) % 40 == 0), 0.125, noise)
    assert power.bins(rare, special=(0.125,))[rare == 0.125].min() >= power.BINS


def test_equal_seeds_give_equal_figures(rng, bad):
    number = rng.normal(size=SIZE) + 0.3 * bad * rng.normal(size=SIZE) ** 2

    assert power.of_number(number, bad, seed=3) == power.of_number(number, bad, seed=3)


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize(("rows", "side", "expected"), [(60, 1.0, "60 rows, all of them bad"), (60, 0.0, "60 rows, all of them good"),
                                                        (40, 1.0, "")])
def test_a_column_is_one_sided_where_enough_rows_are_filled_or_missing_for_one_outcome_alone(filled, rows, side, expected):
    bad = np.arange(400) % 2 * 1.0
    bad[:rows] = side
    there = (np.arange(400) < rows) == filled

    assert power.one_sided(there, bad, least=50) == (f"{'filled' if filled else 'missing'} in {expected}" if expected else "")


@pytest.mark.parametrize("there", [np.ones(400, dtype=bool), np.zeros(400, dtype=bool)])
def test_a_column_that_is_always_or_never_filled_is_not_one_sided(there):
    assert power.one_sided(there, np.arange(400) % 2 * 1.0, least=50) == ""


def test_what_chance_explains_is_not_one_sided():
    """Of 200 outcomes 5 are bad: sixty good rows in a row are no evidence."""
    bad = np.zeros(200)
    bad[-5:] = 1

    assert power.one_sided(np.arange(200) < 60, bad, least=50) == ""
