"""Counts of shards, hours and workers are, added up, those of one pass, bin for bin; and counts of other bins are refused."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import Request
from feature_repo.errors import DataError
from feature_repo.portfolios import load
from serving.scoring import counter
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers
from serving.scoring.counts import NEGATIVE, ColumnCounts, Counts, merge, merged, middle
from serving.scoring.increments import Increments
from serving.scoring.kernel import Levels

TEXTS = st.sampled_from(["a", "b", "other", "never seen", None])


@cache
def frozen() -> dict[str, Bins]:
    random = np.random.default_rng(1)
    numbers = random.lognormal(1, 1, 2_000)
    numbers[::7], numbers[::11] = np.nan, -1
    return {"number": freeze_numbers(numbers, 10, (-1.0,)), "level": freeze_levels(np.array(["a", "b"] * 50, dtype=object), ("a", "b"))}


NUMBERS = st.one_of(st.floats(), st.sampled_from([np.nan, -1.0, 0.0, -0.0, 1e300, *frozen()["number"].edges]))


def counted(rows: list[tuple[float, str | None]]) -> Counts:
    numbers, levels = np.array([each for each, _ in rows]), np.array([each for _, each in rows], dtype=object)
    return counter.count({"number": numbers, "level": levels}, frozen(), load("card_default"))


@given(st.lists(st.tuples(NUMBERS, TEXTS), max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_counts_of_shards_in_any_order_add_up_to_those_of_one_pass(rows, cuts):
    bounds = [0, *sorted(cuts), len(rows)]
    shards = [counted(rows[start:stop]) for start, stop in pairwise(bounds)]
    assert merged(shards) == merged(reversed(shards)) == counted(rows)


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.lists(TEXTS, min_size=1, max_size=40))
def test_every_value_is_counted_in_the_bin_the_frozen_bins_say(numbers, levels):
    found = counted(list(zip(numbers, levels, strict=False)))
    rows = min(len(numbers), len(levels))
    for name, values in (("number", np.array(numbers[:rows])), ("level", np.array(levels[:rows], dtype=object))):
        assert found.columns[name].bins == tuple(frozen()[name].count(values).tolist())
    assert found.rows == rows
    assert found.columns["level"].unseen == levels[:rows].count("never seen")


@given(st.lists(st.tuples(NUMBERS, TEXTS), max_size=60), st.integers(0, 60))
def test_decisions_counted_while_they_are_made_are_counted_as_a_window_is(rows, cut):
    """NaN is how a window has what a decision has as None."""
    into = Increments(frozen(), load("card_default"))
    for some in (rows[:cut], rows[cut:]):
        into.add([{"number": None if number != number else number, "level": level} for number, level in some])  # noqa: PLR0124
    assert into.found() == counted(rows)


@pytest.mark.parametrize("wrong", [{"level": "a"}, {"level": "a", "number": "many"}, {"number": 1.0}])
def test_decisions_that_cannot_be_counted_are_counted_in_no_column(wrong):
    """Or else columns would be of different totals."""
    into = Increments(frozen(), load("card_default"))
    with pytest.raises((KeyError, ValueError)):
        into.add([{"level": "a", "number": 1.0}, wrong])
    assert into.found() == Increments(frozen(), load("card_default")).found()


def test_usual_ranges_codes_and_columns_of_other_widths_are_kept_apart():
    """Real numbers of every kind: columns without a bin, with a code, with a usual range, and many edges beside few."""
    column = next(each for each in load("consumer_loans").raw_inputs if each.usual and not each.is_level)
    low, high = column.usual
    values = np.array([low - 1, low, high, high + 1, -1.0, 0.0, np.nan, 1e300])
    bins = {column.name: freeze_numbers(np.linspace(low, high, 999), 10, (-1.0,)), "pd": freeze_numbers(np.array([0.5]), 10),
            "score": freeze_numbers(np.arange(90.0), 60)}
    into = Increments(bins, load("consumer_loans"))
    into.add([dict.fromkeys(bins, None if value != value else value) for value in values.tolist()])  # noqa: PLR0124
    assert into.found() == counter.count(dict.fromkeys(bins, values), bins, load("consumer_loans"))
    assert into.found().columns[column.name].unusual == 4


def test_levels_told_by_place_are_counted_as_texts_are():
    texts = np.array(["b", "x", None, "b"], dtype=object)
    by_place = counter.Column.of(frozen()["level"], None)
    by_place.add(Levels(np.array([1, 0, -1, 1]), ("x", "b")))
    by_text = counter.Column.of(frozen()["level"], None)
    by_text.add(texts)
    assert by_place.found() == by_text.found()


def test_values_outside_the_usual_range_are_counted_and_no_code_or_missing_value():
    column = Request("x", raw="x", low=-1, high=1e9, usual=(10, 20), special=(-1.0,))
    into = counter.Column.of(Bins(shares=(1.0, 0.0, 0.0), rows=9, specials=(-1.0,)), column)
    into.add(np.array([9.9, 10, 20, 20.1, -1.0, np.nan]))
    assert into.found().unusual == 2
    into = counter.Column.of(Bins(shares=(1.0, 0.0), rows=9), None)
    into.add(np.array([-1e12, 1e12]))
    assert into.found().unusual == 0


@given(st.floats(min_value=1e-6, max_value=1e11), st.booleans())
def test_a_size_tells_a_number_to_a_quarter_of_its_octave_and_its_sign(number, negative):
    value = -number if negative else number
    into = counter.Column.of(Bins(shares=(1.0, 0.0), rows=9), None)
    into.add(np.array([value]))
    (size,) = into.found().sizes
    assert middle(size) == pytest.approx(value, rel=0.125)
    assert (size >= NEGATIVE) is negative


def test_counts_survive_a_file_and_hold_no_value():
    found = counted([(1234.5678, "a"), (np.nan, None)])
    text = msgspec.json.encode(found)
    assert msgspec.json.decode(text, type=Counts) == found
    assert b"1234" not in text


def test_counts_of_other_bins_are_refused_and_nothing_adds_to_any():
    one, other = Counts({"x": ColumnCounts((1, 2))}), Counts({"x": ColumnCounts((1, 2, 3))})
    assert merge(Counts({}), one) == merge(one, Counts({})) == one
    for wrong in (other, Counts({"y": ColumnCounts((1, 2))})):
        with pytest.raises(DataError, match="different bins"):
            merge(one, wrong)
