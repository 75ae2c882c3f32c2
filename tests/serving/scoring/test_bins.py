"""Frozen bins: every value counted once, missing and special apart, and a shift that one outlier cannot hide."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.scoring.bins import FLOOR, Bins, freeze_levels, freeze_numbers, psi

DRAWN = np.random.default_rng(0).lognormal(size=20_000)
NUMBERS = st.lists(st.one_of(st.floats(width=64), st.integers(-3, 3).map(float)), min_size=0, max_size=60)


@given(NUMBERS, NUMBERS)
def test_every_number_is_counted_once_whatever_it_is(development, later):
    bins = freeze_numbers(np.array(development), 10, (-1.0,))

    assert bins.count(np.array(later)).sum() == len(later)
    assert len(bins.count(np.array(later))) == len(bins.labels) == len(bins.shares)


@given(st.lists(st.sampled_from(["a", "b", "other", "unheard of", None]), min_size=1))
def test_every_level_is_counted_once_and_unknown_ones_are_other(levels):
    counts = dict(zip(("a", "b", "other", "missing"), freeze_levels(np.array(["a", "b"], dtype=object), ("a", "b")).count(
        np.array(levels, dtype=object)), strict=True))

    assert counts == {"a": levels.count("a"), "b": levels.count("b"), "other": levels.count("other") + levels.count("unheard of"),
                      "missing": levels.count(None)}


def test_tenths_of_development_are_near_equal_and_the_reference_against_itself_is_0():
    bins = freeze_numbers(DRAWN, 10)

    assert np.allclose(bins.shares[:-1], 0.1, atol=0.001)
    assert psi(bins.count(DRAWN), bins.shares) == 0


def test_special_codes_and_missing_have_bins_of_their_own():
    values = np.where(np.arange(20_000) % 10 == 0, -1.0, np.where(np.arange(20_000) % 10 == 1, np.nan, DRAWN))
    bins = freeze_numbers(values, 10, (-1.0,))

    assert bins.labels[-2:] == ("special -1", "missing")
    assert bins.shares[-2:] == (0.1, 0.1)


def test_one_outlier_does_not_hide_a_shift():
    bins = freeze_numbers(DRAWN, 10)
    shifted = DRAWN[:2000] * 1.5

    assert psi(bins.count(np.append(shifted, 1e12)), bins.shares) == pytest.approx(psi(bins.count(shifted), bins.shares), rel=0.02)
    assert psi(bins.count(shifted), bins.shares) > 0.1


def test_newly_missing_values_are_a_shift():
    bins = freeze_numbers(DRAWN, 10)

    assert psi(bins.count(np.where(np.arange(1000) < 400, np.nan, DRAWN[:1000])), bins.shares) > 0.25


@pytest.mark.parametrize("spike", [0.0, 0.7, 1e9], ids=["lowest", "inner", "highest"])
def test_a_value_that_most_rows_have_does_not_hide_the_rest(spike):
    values = np.where(np.arange(20_000) % 20 > 0, spike, DRAWN)
    bins = freeze_numbers(values, 10)
    alone = int(bins.count(np.array([spike])).argmax())

    assert bins.shares[alone] == pytest.approx(0.95)
    assert bins.count(DRAWN)[alone] < len(DRAWN) / 100


def test_few_distinct_values_have_a_bin_each_and_a_constant_one_a_bin_and_an_alarm():
    assert freeze_numbers(np.array([0.0] * 99 + [1.0]), 10).shares == (0.99, 0.01, 0.0)
    assert freeze_numbers(np.full(50, np.nan), 10).shares == (0.0, 1.0)
    assert freeze_numbers(np.zeros(50), 10).shares == (1.0, 0.0)


def test_an_empty_bin_counts_as_the_floor_and_nothing_counted_is_no_number():
    assert psi(np.array([10, 0]), (0.5, 0.5)) == pytest.approx(0.5 * np.log(2) + (FLOOR - 0.5) * np.log(FLOOR / 0.5))
    assert np.isnan(psi(np.array([0, 0]), (0.5, 0.5)))


def test_bins_come_back_from_json_and_count_alike():
    for bins in (freeze_numbers(DRAWN, 10, (-1.0,)), freeze_levels(pd.Series(["a", None]), ("a", "b"))):
        assert msgspec.json.decode(msgspec.json.encode(bins), type=Bins) == bins
