"""What a raw text becomes, and which texts become nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import Outcome, Protected, Request, days
from feature_repo.sources import Csv, EventTime
from training import casts


def raw(*values):
    return pa.chunked_array([pa.array(list(values))])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_finite_number_written_as_text_comes_back_to_the_last_bit(numbers):
    cast = casts.number(raw(*(repr(number) for number in numbers)))

    assert cast.whole
    assert cast.values.to_pylist() == numbers


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1,5", "0x10", "1_000", "twelve", "1 2", "--1", "1e", "."])
def test_what_is_not_a_number_is_not_read_as_one(text):
    cast = casts.number(raw("1", text))

    assert cast.failed.to_pylist() == [False, True]
    assert cast.values.to_pylist() == [1.0, None]


def test_codes_for_missing_blanks_and_nan_are_no_value_and_no_failure():
    cast = casts.number(raw(" 7 ", "", "-9", "n/a"), missing=("-9", "n/a"))
    assert cast.whole
    assert cast.values.to_pylist() == [7.0, None, None, None]
    assert casts.number(raw(1.5, float("nan"))).values.to_pylist() == [1.5, None]
    assert casts.number(raw(4, -9), missing=("-9",)).values.to_pylist() == [4.0, None]


GERMAN, ENGLISH, SWISS = Csv(thousands=".", decimal=","), Csv(thousands=","), Csv(thousands="'")


@pytest.mark.parametrize(("reader", "text", "value"), [
    (GERMAN, "1.234,5", 1234.5), (GERMAN, "-1.234.567", -1_234_567), (GERMAN, ",5", 0.5), (GERMAN, "12,", 12),
    (GERMAN, "1234,5e3", 1_234_500),
    (ENGLISH, "1,234.5", 1234.5), (ENGLISH, "12,34,567", 1_234_567), (SWISS, "1'234.50", 1234.5), (Csv(decimal=","), "1234,5", 1234.5),
    (Csv(thousands="\u00a0", decimal=","), "1\u00a0234,5", 1234.5),
])
def test_numbers_are_read_as_their_reader_says_they_are_written(reader, text, value):
    assert casts.number(raw("", text), reader=reader).values.to_pylist() == [None, value]


@pytest.mark.parametrize(("reader", "text"), [
    (GERMAN, "1.5"), (GERMAN, "1.23,4"), (GERMAN, "1,234.5"), (GERMAN, "1.2345"), (GERMAN, "1..234"), (GERMAN, "1,2,3"), (GERMAN, ".5"),
    (ENGLISH, "1,5"), (Csv(decimal=","), "1.5"), (Csv(), "1.234.567"), (Csv(), "1,234"),
])
def test_a_number_written_otherwise_is_none_and_never_ten_times_as_much(reader, text):
    assert not casts.number(raw("1", text), reader=reader).whole


@given(st.floats(min_value=-1e15, max_value=1e15, allow_nan=False), st.sampled_from([GERMAN, ENGLISH, SWISS]))
def test_what_is_written_with_marks_comes_back(number, reader):
    marks = str.maketrans({",": reader.thousands, ".": reader.decimal})

    assert casts.number(raw(f"{number:,.4f}".translate(marks)), reader=reader).values.to_pylist() == [float(f"{number:.4f}")]


@pytest.mark.parametrize("text", ["2020-02-31", "2020-13-01", "20-1-1", "2020-01-01 later", "yesterday"])
def test_a_date_that_is_none_is_not_bent_into_one(text):
    assert not casts.time(raw("2020-02-29", text), EventTime("t")).whole


def test_times_are_utc_with_or_without_a_zone_and_in_any_century():
    zoned = casts.time(raw("2020-01-01 01:00 +0100", None), EventTime("t", format="%Y-%m-%d %H:%M %z"))
    assert zoned.values.to_pylist() == [datetime(2020, 1, 1, tzinfo=UTC), None]
    assert casts.time(raw("2999-12-31"), EventTime("t")).values.to_pylist() == [datetime(2999, 12, 31, tzinfo=UTC)]
    assert casts.time(raw(datetime(2020, 1, 1)), EventTime("t")).values.to_pylist() == [datetime(2020, 1, 1, tzinfo=UTC)]  # noqa: DTZ001


def test_levels_get_their_names_and_an_unseen_one_stays_visible_unless_other_is_declared():
    levels = {"1": "own", "2": "rent"}
    closed, open_ = Request("x", raw="x", levels=levels), Request("x", raw="x", levels=levels, other=True)

    assert casts.level(raw("1", " 2", "3", "", None), closed).to_pylist() == ["own", "rent", "3", None, None]
    assert casts.level(raw("1", " 2", "3", "", None), open_).to_pylist() == ["own", "rent", "other", None, None]
    assert casts.level(raw(1.0, 2.0, None), closed).to_pylist() == ["own", "rent", None]


def test_groups_by_edges_take_the_upper_bound_as_exclusive():
    age = Protected("x", raw="x", edges=((25, "young"), (float("inf"), "old")), reference="old")

    assert casts.group(raw("24.9", "25", "", "unknown"), age).to_pylist() == ["young", "old", None, "unknown"]


def test_groups_by_edges_read_numbers_as_the_file_writes_them():
    age = Protected("x", raw="x", edges=((25, "young"), (float("inf"), "old")), reference="old")

    assert casts.group(raw("24,9", "25,1"), age, Csv(decimal=",")).to_pylist() == ["young", "old"]


def test_a_group_beyond_the_last_bound_or_not_declared_stays_as_it_was_written():
    bounded = Protected("x", raw="x", edges=((25, "young"),), groups={"U": "unstated"}, reference="young")

    assert casts.group(raw("30", "U", "V"), bounded).to_pylist() == ["30", "unstated", "V"]


def test_an_outcome_is_bad_good_or_not_known_and_any_other_text_fails():
    declared = Outcome(raw="o", bad=("lost",), good=("kept",), neither=("open",), rejected=("no", ""), matures_after=days(1))
    cast = casts.outcome(raw("lost", "kept", "open", "no", "", None, "LOST"), declared)

    assert cast.values.to_pylist() == [1.0, 0.0, None, None, None, None, None]
    assert cast.failed.to_pylist() == [False, False, False, False, False, False, True]


def test_an_empty_column_is_cast_without_a_row():
    nothing = pa.chunked_array([], pa.string())

    assert casts.number(nothing).whole
    assert len(casts.time(nothing, EventTime("t")).values) == 0
    assert len(casts.outcome(nothing, Outcome(raw="o", bad=("1",), good=("0",), matures_after=days(1))).values) == 0


@pytest.mark.parametrize(("text", "value"), [
    ("13.56%", 13.56), ("4.2 %", 4.2), ("7", 7.0), ("-1 %", -1.0), ("5 %%", None), ("% 5", None), ("5 pct", None),
])
def test_a_declared_suffix_stands_after_a_number_or_not_at_all(text, value):
    cast = casts.number(pa.chunked_array([[text, "NA"]]), ("NA",), suffix=" %")

    assert cast.values.to_pylist() == [value, None]
    assert cast.failed.to_pylist() == [value is None, False]
