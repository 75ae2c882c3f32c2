"""Derived values and rules: nothing follows from a missing value."""

from __future__ import annotations

import numpy as np
import pytest

from feature_repo.contract import Action, Rule
from feature_repo.derive import derive, holds


@pytest.mark.parametrize("when", [lambda months: months != 0, lambda months: ~(months > 3), lambda months: np.maximum(months, 0) >= 0])
def test_no_rule_holds_for_a_missing_value_however_it_is_written(when):
    rule = Rule("late", when=when, action=Action.DECLINE, reason="Late")

    assert holds(rule, {"months": np.array([np.nan, 1.0])}).tolist() == [False, True]
    assert not holds(rule, {"months": np.float64(np.nan)})
    assert holds(rule, {"months": np.float64(1)})


def test_a_rule_of_two_columns_needs_both():
    rule = Rule("late", when=lambda paid, due: paid != due, action=Action.DECLINE, reason="Late")
    values = {"paid": np.array([1.0, np.nan, 1.0, 1.0]), "due": np.array([2.0, 2.0, np.nan, 1.0])}

    assert holds(rule, values).tolist() == [True, False, False, False]


def test_a_result_that_is_not_finite_is_no_value(mill):
    values = {column.name: np.zeros(1) for column in mill.raw_inputs}

    assert np.isnan(derive(mill, {**values, "sacks": np.ones(1)})["sacks_per_stone"][0])
