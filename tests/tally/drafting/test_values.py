"""Codes that stand apart are found, amounts that are merely large are not; bounds leave room and stay round."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from feature_repo.sources import Csv
from tally.drafting import values
from tally.drafting.profiles import notation, profile


def column(texts):
    return profile("x", pa.chunked_array([texts]))


@pytest.mark.parametrize(("others", "code"), [(range(300, 850), "-999"), (range(80), "9999"), (range(5_000), "999999"),
                                              (range(60), "-1"),
                                              (range(700), "-999.0"), (range(6), "98"), (range(-15_000, 0), "365243")])
def test_a_code_stands_apart_several_times(others, code):
    found = values.read(column([*map(str, others), *[code] * 5]), Csv())

    assert found.codes == (code,)
    assert found.highest == max(others)


@pytest.mark.parametrize("texts", [["-1", "-1", "-1", "-5", "3"], ["99", "99", "99", "98", "97"], ["999", "1", "2", "3"],
                                   ["100", "100", "100", "30", "10"],
                                   [*map(str, range(0, 12_000, 7)), *["9999"] * 4]])
def test_a_value_among_others_is_no_code(texts):
    assert values.read(column(texts), Csv()).codes == ()


def test_texts_that_mean_missing_and_stray_ones_are_kept_apart():
    found = values.read(column(["1", "2", "?", "NA", "lost"]), Csv())

    assert set(found.missing) == {"?", "NA"}
    assert found.others == ("lost",)
    assert values.read(column(["a", "b"]), Csv()) is None


@pytest.mark.parametrize(("texts", "low", "high"), [
    (["0", "72300"], 0, 100_000), (["-30", "70"], -50, 100), (["0.1", "0.9"], 0, 1), (["1990", "2012"], 1990, 2100), (["1", "4"], 0, 5),
    (["-5", "0"], -10, 0)])
def test_bounds_hold_what_was_seen_with_room(texts, low, high):
    found = values.read(column(texts), Csv())

    assert values.bounds(found, "amount") == (low, high)


@pytest.mark.parametrize(("texts", "thousands", "decimal"), [
    (["1.234,50", "12,00"], ".", ","), (["1,234.50", "12.00"], ",", "."), (["1,5", "2,25"], None, ","), (["1.5", "2.250"], None, "."),
    (["12", "13"], None, ".")])
def test_numbers_are_read_as_most_columns_are_written(texts, thousands, decimal):
    found = notation(Csv(separator=";"), [column(texts)])

    assert (found.thousands, found.decimal) == (thousands, decimal)
    assert np.isfinite(values.read(column(texts), found).of_texts).all()


def test_two_codes_of_one_column_are_both_found():
    found = values.read(column([*map(str, range(6)), *["96"] * 4, *["98"] * 4]), Csv())

    assert set(found.codes) == {"96", "98"}
    assert found.highest == 5
