"""Faults of data are named for what they are, and neither chance nor a shift of applicants is one."""

from __future__ import annotations

import numpy as np
import pytest

from feature_repo.contract import Request
from governance.limits import Verdict
from monitoring import quality
from monitoring.quality import Kind
from serving.scoring import counter
from serving.scoring.bins import freeze_levels, freeze_numbers

COLUMN = Request("x", raw="x", low=-1, high=1e9, usual=(100, 20_000), special=(-1.0,))
ROWS = 800


def incomes(rows=ROWS, seed=1):
    return np.random.default_rng(seed).lognormal(8, 0.6, rows)


def with_codes(values, *, missing=0.0, coded=0.0, seed=5):
    at = np.random.default_rng(seed).random(len(values))
    return np.where(at < missing, np.nan, np.where(at > 1 - coded, -1.0, values))


@pytest.fixture(scope="module")
def development():
    return freeze_numbers(with_codes(incomes(50_000, 9), missing=0.02, coded=0.1), 10, (-1.0,), COLUMN.usual)


@pytest.fixture
def find(drift_params):
    def found(values, bins, column=COLUMN):
        into = counter.Column.of(bins, column)
        into.add(values)
        return {fault.kind: fault for fault in quality.faults(into.found(), quality.Against(column, bins, drift_params.quality, 0.001))}
    return found


def test_no_fault_is_found_in_data_like_developments(find, development):
    assert all(find(with_codes(incomes(seed=seed), missing=0.02, coded=0.1, seed=seed), development) == {} for seed in range(60))


def test_a_jump_of_missing_values_or_of_a_code_is_a_fault_of_either_sign(find, development):
    more = find(with_codes(incomes(), missing=0.4, coded=0.1), development)
    assert (more[Kind.MISSING].verdict, more.keys()) == (Verdict.ALERT, {Kind.MISSING})
    assert more[Kind.MISSING].share == pytest.approx(0.4, abs=0.05)
    none = find(with_codes(incomes(), missing=0.02), development)
    assert (none[Kind.CODE].which, none[Kind.CODE].share, none[Kind.CODE].verdict) == ("special -1", 0.0, Verdict.WATCH)


@pytest.mark.parametrize("factor", [52 / 12, 12, 100, 1_000, 1 / 12, 1 / 100])
def test_a_column_in_another_unit_is_named_with_its_factor(find, development, factor):
    found = find(with_codes(incomes() * factor, missing=0.02, coded=0.1), development)
    assert found[Kind.UNIT].factor == pytest.approx(factor)
    assert found[Kind.UNIT].verdict is Verdict.ALERT


def test_a_few_values_in_another_unit_are_named_too(find, development):
    values = with_codes(incomes(), missing=0.02, coded=0.1)
    values[:20] = incomes(20, 3) * 12
    found = find(values, development)
    assert found[Kind.UNIT].factor == 12
    assert found[Kind.UNIT].share < 20 / ROWS + 0.01


def test_a_real_shift_is_no_unit(find, development):
    assert Kind.UNIT not in find(with_codes(incomes() * 2, missing=0.02, coded=0.1), development)


def test_outliers_are_outside_the_usual_range_and_no_unit(find, development):
    values = with_codes(incomes(), missing=0.02, coded=0.1)
    values[:9] = 1e8
    found = find(values, development)
    assert found.keys() == {Kind.RANGE}
    assert found[Kind.RANGE].verdict is Verdict.ALERT


def test_one_value_left_is_a_fault_unless_development_was_so_too(find, development):
    assert find(np.full(ROWS, 3_000.0), development)[Kind.CONSTANT].verdict is Verdict.ALERT
    assert find(np.full(ROWS, 3_000.0), freeze_numbers(np.full(900, 3_000.0), 10)) == {}


def levels(*names, rows=ROWS, seed=2):
    return np.random.default_rng(seed).choice(np.array(names, dtype=object), rows)


def test_levels_that_begin_and_end_are_faults_and_a_rare_one_that_nobody_has_is_not(find):
    column = Request("l", raw="l", levels=("a", "b", "c", "rare"), other=True)
    before = np.concatenate([levels("a", "b", "c", rows=20_000), np.array(["rare"] * 20, dtype=object)])
    bins = freeze_levels(before, ("a", "b", "c", "rare"))
    found = find(levels("a", "b", "new", "other"), bins, column)
    assert found[Kind.NEW].share == pytest.approx(0.5, abs=0.06)
    assert (found[Kind.NEW].verdict, found[Kind.ENDED].which) == (Verdict.ALERT, "c")
    assert find(levels("a", "b", "c"), bins, column) == {}


def test_one_new_level_in_few_rows_is_chance_where_development_was_small(find):
    column = Request("l", raw="l", levels=("a", "b"), other=True)
    small = freeze_levels(levels("a", "b", rows=600), ("a", "b"))
    window = levels("a", "b")
    window[0] = "new"
    assert find(window, small, column) == {}


def test_a_share_that_chance_moves_by_five_points_is_no_fault(find):
    """Half of the values are a code: of 500 some windows have 45%, by chance alone."""
    bins = freeze_numbers(with_codes(incomes(50_000, 9), coded=0.5), 10, (-1.0,), COLUMN.usual)
    windows = [with_codes(incomes(500, seed), coded=0.5, seed=seed) for seed in range(80)]
    shares = [float(np.mean(values == -1)) for values in windows]
    assert max(abs(share - 0.5) for share in shares) > 0.05
    assert all(find(values, bins) == {} for values in windows)
