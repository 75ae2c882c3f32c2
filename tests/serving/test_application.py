"""Guarantees of reading an application: one spelling of a person and of zero, levels by name, nothing the contract does not allow."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import OTHER, Request
from serving.application import MOST_FAULTS, Form, column_value, identifier
from serving.problems import Problem, step
from serving.texts import Invalid

NUMBER = Request("amount", raw="a", low=0, high=100, special=(-9,), unit="EUR")
LEVELS = Request("kind", raw="k", levels=("café", "bar"))
OPEN = Request("kind", raw="k", levels=("café",), other=True)


@given(st.floats() | st.integers() | st.booleans() | st.text() | st.none())
def test_a_number_is_finite_in_bounds_or_a_code_and_nothing_else(value):
    allowed = isinstance(value, (int, float)) and not isinstance(value, bool) and (0 <= value <= 100 or value == -9)
    try:
        found = column_value(value, NUMBER)
    except Invalid:
        assert not allowed
    else:
        assert allowed
        assert found == value


def test_zero_has_one_sign():
    assert math.copysign(1, column_value(-0.0, NUMBER)) == 1


def test_a_refusal_says_what_is_allowed_in_the_units_of_the_contract():
    with pytest.raises(Invalid, match="at least 0 and at most 100 EUR"):
        column_value(101, NUMBER)


def test_one_person_and_one_level_have_one_spelling():
    assert identifier("Jose\u0301") == identifier("Jos\u00e9")
    assert column_value("cafe\u0301", LEVELS) == "caf\u00e9"


@pytest.mark.parametrize("level", ["caf\u0435", "caf\u00e9\u200b", "CAF\u00c9", "", " bar", 1, True])
def test_what_only_looks_like_a_level_is_none(level):
    with pytest.raises(Invalid):
        column_value(level, LEVELS)


@pytest.mark.parametrize(("value", "level"), [("caf\u00e9", "caf\u00e9"), ("tea", OTHER), (OTHER, OTHER)])
def test_an_undeclared_level_is_other_where_the_contract_has_it(value, level):
    assert column_value(value, OPEN) == level


@pytest.mark.parametrize("value", ["", "\x00", "a\nb", 7])
def test_other_is_not_for_what_is_no_text(value):
    with pytest.raises(Invalid):
        column_value(value, OPEN)


def test_only_a_nullable_column_may_be_missing():
    assert column_value(None, Request("amount", raw="a", nullable=True)) is None
    with pytest.raises(Invalid, match="must be given"):
        column_value(None, NUMBER)


def test_a_name_that_does_not_look_like_a_field_is_not_repeated():
    assert step("/a", "good_name") == "/a/good_name"
    assert step("/a", "<script>alert(1)</script>") == "/a"


@pytest.mark.parametrize("spoiled", [lambda count: {f"k{i}": 0 for i in range(count)},
                                     lambda count: {"decisions": [{f"k{i}": 0} for i in range(count)]}])
def test_a_refusal_stops_at_enough_faults_and_says_that_there_are_more(harbour, spoiled):
    with pytest.raises(Problem, match=f"more than {MOST_FAULTS} .*{MOST_FAULTS} are named") as refused:
        Form(harbour).many(spoiled(100_000), 100_000)
    assert len(refused.value.errors) == MOST_FAULTS


def test_a_stated_value_is_read_where_the_contract_lets_an_applicant_state_it(harbour):
    form = Form(harbour)
    assert form.said
    with pytest.raises(Problem):
        form.one({"applicant_id": "1", "application": dict.fromkeys(form.said, "not a number")})
