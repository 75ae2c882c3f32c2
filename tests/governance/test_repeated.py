"""Intervals that hold at every look: their closed form, and how often they are wrong over 24 looks where a plain one is not right."""

from __future__ import annotations

import numpy as np
import pytest

from governance.disparities import AdverseImpactRatio
from governance.groups import Tally
from governance.limits import Floor
from governance.repeated import gap, lasting

FOUR_FIFTHS = AdverseImpactRatio(True, 30, 0.95, "house", Floor(0.9, 0.8))  # noqa: FBT003 - by position, as the fields are
LOOKS, ROUNDS = 24, 400


def test_the_reach_is_robbins_closed_form():
    """Variance 0.01 = prior squared: sqrt(0.01 x 2 x ln(2 / 0.05 squared)), which is sqrt(0.02 ln 800)."""
    assert lasting(0.0, 0.01, 0.1, 0.95) == pytest.approx((-0.36563948713638485510, 0.36563948713638485510), rel=0, abs=1e-12)


def test_the_bounds_of_a_ratio_are_those_worked_by_hand():
    """48 of 100 against 80 of 100: the difference of 49 / 102 and 81 / 102, over 0.80; the prior is a fifth of 128 / 200."""
    figure = FOUR_FIFTHS.figure(approvals(48, 100), approvals(80, 100), 0.95)
    assert figure.lasting == pytest.approx((0.34707940591098275614, 0.86860686859882116543), rel=0, abs=1e-12)


def test_the_bounds_of_a_difference_are_those_worked_by_hand():
    """45 of 60 against 54 of 60, a hit and a miss added: 46 / 62 - 55 / 62."""
    found = gap((45, 60), (54, 60))
    assert found == pytest.approx((-0.14516129032258064516, 0.00487353563156658051), rel=0, abs=1e-12)
    assert lasting(*found, 0.1, 0.95) == pytest.approx((-0.37213696580065174791, 0.08181438515549045759), rel=0, abs=1e-12)


def looks(rate, monthly, other_monthly, seed=0, disadvantage=1.0):
    """Approvals of a group and its reference group, month after month added up: (rounds, months)."""
    random = np.random.default_rng(seed)
    own = np.cumsum(random.binomial(monthly, rate * disadvantage, (ROUNDS, LOOKS)), axis=1)
    other = np.cumsum(random.binomial(other_monthly, rate, (ROUNDS, LOOKS)), axis=1)
    return own, other


def approvals(hits, of):
    return Tally(decisions=of, approved=int(hits))


def judged(own, other, monthly, other_monthly):
    """Per round: whether any look's plain interval excludes 1, and any look's lasting one."""
    plain, sure = [], []
    for rows in zip(own, other, strict=True):
        figures = [FOUR_FIFTHS.figure(approvals(a, monthly * look), approvals(b, other_monthly * look), 0.95)
                   for look, (a, b) in enumerate(zip(*rows, strict=True), 1)
                   if min(monthly, other_monthly) * look >= FOUR_FIFTHS.minimum and a and b]
        plain.append(any(not each.low <= 1 <= each.high for each in figures))
        sure.append(any(not each.lasting[0] <= 1 <= each.lasting[1] for each in figures))
    return np.mean(plain), np.mean(sure)


@pytest.mark.parametrize(("rate", "monthly", "other_monthly"), [(0.5, 30, 30), (0.05, 60, 300), (0.98, 30, 300)])
def test_over_24_monthly_looks_groups_that_are_alike_are_taken_apart_in_at_most_one_window_in_twenty(rate, monthly, other_monthly):
    plain, sure = judged(*looks(rate, monthly, other_monthly), monthly, other_monthly)

    assert sure <= 0.05
    assert plain > 0.15, "the uncorrected interval should be wrong far more often, or the correction has nothing to correct"


def test_what_is_there_is_still_found():
    """A ratio of 0.7 at 50% approved, 60 decisions a month: in nine windows of ten within two years."""
    _, sure = judged(*looks(0.5, 60, 60, disadvantage=0.7), 60, 60)
    assert sure >= 0.9
