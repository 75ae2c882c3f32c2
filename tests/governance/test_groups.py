"""Counts of groups add up exactly, refuse to contradict themselves, and give the difference of mean scores worked by hand."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.groups import BILLIONTHS, NOBODY, Tally, standardized_difference


def scored(*scores):
    return Tally(decisions=len(scores), scored=len(scores), scores=sum(scores), squares=sum(score**2 for score in scores))


def test_the_difference_of_scores_is_that_worked_by_hand():
    """590 600 610 620 against 600 610 630 640 650: means 605 and 626, squared deviations 500 + 1,720, so -21 / sqrt(2,220 / 7)."""
    found = standardized_difference(scored(590, 600, 610, 620), scored(600, 610, 630, 640, 650), 0.95)

    assert found == pytest.approx((-1.17921183022412921370, -2.60238357500592425247, 0.24395991455766582507, 0.52725225225225225225),
                                  rel=0, abs=1e-12)


def test_a_thousand_scores_that_differ_by_a_point_lose_nothing():
    """In floating point a sum of squares less a square of sums of such scores is mostly noise."""
    random = np.random.default_rng(1)
    own, other = random.integers(900_000, 900_010, 1000).tolist(), random.integers(900_001, 900_011, 1000).tolist()
    pooled = np.sqrt((np.var(own, ddof=1) + np.var(other, ddof=1)) / 2)

    value, *_ = standardized_difference(scored(*own), scored(*other), 0.95)
    assert value == pytest.approx((np.mean(own) - np.mean(other)) / pooled, rel=1e-9)


@pytest.mark.parametrize(("own", "other"), [(scored(600), scored(500, 700)), (scored(600, 600), scored(600, 600)), (NOBODY, scored(1, 2))])
def test_too_few_or_equal_scores_give_no_difference(own, other):
    assert standardized_difference(own, other, 0.95) is None


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 4), max_size=12), st.randoms())
def test_shards_add_up_to_the_whole_in_any_order(parts, random):
    shards = [Tally(decisions=a + b + c, approved=a, referred=b, good=d, good_approved=min(a, d), scored=1, scores=600, squares=360_000)
              for a, b, c, d in parts]
    whole = sum(shards, NOBODY)
    random.shuffle(shards)

    assert sum(shards[:5], NOBODY) + sum(shards[5:], NOBODY) == whole
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Tally) == whole


@pytest.mark.parametrize("wrong", [
    {"decisions": 10, "approved": 11}, {"decisions": 10, "approved": -1}, {"decisions": 10, "approved": 6, "referred": 5},
    {"good": 3, "good_approved": 4}, {"good": 3, "bad": -1}, {"good": 1, "foreseen": BILLIONTHS + 1},
])
def test_counts_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValueError, match="approved"):
        Tally(**wrong)
