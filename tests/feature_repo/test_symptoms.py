"""What a broken promise looks like: counts and headers, never a value."""

from __future__ import annotations

import pandas as pd
import pytest

from feature_repo import symptoms
from feature_repo.contract import UNDATED_BAD


@pytest.mark.parametrize(("rule", "values", "expected", "words"), [
    ("type", [1.0, "much", "much", "more", None], {}, "2 distinct texts"),
    ("type", [1.0, UNDATED_BAD, UNDATED_BAD], {}, "2 bad rows without a day that can be read and is not before the application"),
    ("level", ["a", "x", "x", None], {"value_set": ["a"]}, "1 distinct text"),
    ("range", [-1.0, 5.0, 99.0, 98.0, None], {"min_value": 0, "max_value": 9}, "1 below and 2 above"),
    ("range", [-1.0, 5.0], {"min_value": 0, "max_value": 9}, "1 below"),
    ("one_class", [1.0, 1.0, None], {}, "2 bad, 0 good, 1 unknown"),
    ("not_null", [None], {}, ""),
])
def test_each_rule_says_what_its_column_looks_like(rule, values, expected, words):
    assert symptoms.describe(rule, pd.DataFrame({"x": values}), "x", expected) == words


def test_a_missing_header_is_told_beside_the_one_that_looks_like_it():
    assert symptoms.nearest("net_income", ["Net_Incom", "zip"]) == 'raw="net_income", the file has "Net_Incom"'
    assert symptoms.nearest("net_income", ["zip"]) == 'raw="net_income"'
    assert symptoms.nearest("net_income", ["net_incme (raw)"]) == 'raw="net_income", the file has "net_incme (raw)"'
