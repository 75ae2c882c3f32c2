"""What is withheld cannot be had by subtraction, and what is told coarsely is no count."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from monitoring import disclosure
from monitoring.disclosure import FOR_ANOTHER, UNKNOWN, coarse, size, withheld
from monitoring.intervals import Estimate

COUNTS = st.dictionaries(st.sampled_from([UNKNOWN, *"abcdef"]), st.integers(1, 200), min_size=1)


def test_the_examples_hold():
    assert doctest.testmod(disclosure).failed == 0


@given(COUNTS, st.integers(10, 60))
def test_what_is_withheld_is_of_two_at_least_and_never_of_few_people_unless_all_is(counts, least):
    hidden = withheld(counts, least)
    small = [name for name, of in counts.items() if name != UNKNOWN and of < least]

    assert set(small) <= set(hidden)
    assert bool(hidden) == bool(small)
    if hidden and set(hidden) != set(counts):
        assert len(hidden) >= 2
        assert sum(counts[name] for name in hidden) >= least


def test_no_more_is_withheld_than_must_be():
    assert withheld({"a": 500, "b": 20, "c": 15, "d": 90}, 30) == {"b": "fewer than 30", "c": "fewer than 30"}
    assert withheld({"a": 500, "b": 12, "c": 15, "d": 90}, 30) == {"b": "fewer than 30", "c": "fewer than 30", "d": FOR_ANOTHER}
    assert withheld({"a": 500, "b": 20, UNKNOWN: 50}, 30) == {"b": "fewer than 30", UNKNOWN: FOR_ANOTHER}
    assert withheld({"a": 500, "b": 20}, 30) == {"b": "fewer than 30", "a": FOR_ANOTHER}
    assert withheld({"a": 500, "b": 0, UNKNOWN: 3}, 30) == {"b": "fewer than 30"}


def test_where_there_is_nobody_nothing_is_withheld():
    assert withheld({"a": 0, "b": 0}, 30) == {}


def test_one_person_s_group_reads_like_all_the_groups_nobody_is_of():
    assert withheld({"a": 0, "b": 1, "c": 0}, 30) == dict.fromkeys("abc", "fewer than 30")


def test_a_size_is_a_step_and_an_estimate_of_two_digits():
    assert [size(of) for of in (9, 10, 99, 100, 29_999)] == ["fewer than 10", "10 or more", "30 or more", "100 or more", "10,000 or more"]
    assert coarse(Estimate(0.12345, None, 0.98765)) == Estimate(0.12, None, 0.99)
    assert coarse(None) is None
