"""Overrides are counted by side, told with intervals above the minimum sample alone, by group, and beside how the loans turned out."""

from __future__ import annotations

import pandas as pd
import pytest

from monitoring.intervals import difference, share
from monitoring.overrides import BY_OVERRIDE, BY_SERVICE, ON_REFERRAL, assess
from monitoring.params import OverrideParams

PARAMS = OverrideParams(minimum=30, confidence=0.95)
ROWS = [  # outcome, override, code, bad, group, how many
    ("approve", None, None, 0.0, "a", 180), ("approve", None, None, 1.0, "b", 20), ("approve", "decline", "wrong-data", None, "b", 10),
    ("decline", None, None, None, "a", 60), ("decline", "approve", "documents", 1.0, "a", 12),
    ("decline", "approve", "other", 0.0, "b", 28),
    ("refer", "approve", "documents", 0.0, "a", 20), ("refer", "decline", "other", None, "b", 15), ("refer", None, None, None, None, 5),
    ("approve", "approve", "other", None, None, 0),
]


@pytest.fixture
def frame():
    rows = [row[:5] for row in ROWS for _ in range(row[5])]
    return pd.DataFrame(rows, columns=["outcome", "override", "override_code", "bad", "group"])


def test_sides_and_referrals_are_told_apart(frame):
    found = assess(frame, PARAMS)
    assert (found.low_side.hits, found.low_side.of) == (40, 100)
    assert (found.high_side.hits, found.high_side.of) == (10, 210)
    assert (found.rate.hits, found.rate.of) == (50, 310)
    assert (found.referred.hits, found.referred.of) == (35, 40)
    assert found.low_side.share == share((40, 100), 0.95)
    assert found.codes == {"documents": 32, "other": 43, "wrong-data": 10}


def test_loans_that_people_approved_are_held_against_those_of_the_service(frame):
    found = {one.way: one for one in assess(frame, PARAMS).approved}
    assert (found[BY_SERVICE].bad, found[BY_SERVICE].matured, found[BY_SERVICE].against_service) == (20, 200, None)
    assert found[BY_OVERRIDE].bad_rate == share((12, 40), 0.95)
    assert found[BY_OVERRIDE].against_service == difference((12, 40), (20, 200), 0.95)
    assert (found[ON_REFERRAL].matured, found[ON_REFERRAL].bad_rate, found[ON_REFERRAL].against_service) == (20, None, None)


def test_groups_are_told_coarsely_and_a_side_below_the_minimum_gets_no_share(frame):
    found = {one.group: one for one in assess(frame, PARAMS, {"group": ("a", "b", "c")}).groups}
    assert found["a"].size == "100 or more"
    assert found["a"].low_side.value == pytest.approx(12 / 72, abs=0.005)
    assert (found["b"].size, found["b"].low_side) == ("30 or more", None)
    assert (found["c"].size, found["c"].note) == ("", "fewer than 30"), "that nobody is of it must read as that few are"
    assert assess(frame.assign(group=None), PARAMS, {"group": ("a", "b", "c")}).groups == ()


def test_a_small_group_is_withheld_and_the_one_that_would_tell_of_it_too(frame):
    group = frame["group"].fillna("a").where(frame.index != 0, "c")
    found = {one.group: one for one in assess(frame.assign(group=group), PARAMS, {"group": ("a", "b", "c")}).groups}
    assert (found["c"].size, found["c"].low_side, found["c"].note) == ("", None, "fewer than 30")
    assert (found["b"].size, found["b"].high_side) == ("", None)
    assert found["a"].size == "100 or more"


def test_no_override_and_no_decision_are_no_error(frame):
    none = assess(frame.assign(override=None, override_code=None), PARAMS, {"group": ("a", "b", "c")})
    assert (none.rate.hits, none.codes) == (0, {})
    assert assess(frame.head(0), PARAMS).rate.share is None
