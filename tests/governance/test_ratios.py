"""The adverse impact ratio and its interval, against 2x2 tables worked by hand with fifty digits."""

from __future__ import annotations

import pytest

from governance.ratios import ratio_interval

WORKED = [
    ((48, 100), (80, 100), 0.95, (0.6, 0.478479088814470398, 0.752383977515033054)),
    ((30, 50), (45, 60), 0.95, (0.8, 0.611087675099889006, 1.047312891550929995)),
    ((12, 40), (300, 500), 0.90, (0.5, 0.334562473701857738, 0.747244594511173997)),
    ((35, 35), (70, 80), 0.95, (1.142857142857142857, 1.052015446920357421, 1.241543033235016297)),
]


@pytest.mark.parametrize(("group", "reference", "level", "worked"), WORKED)
def test_ratio_and_bounds_are_those_worked_by_hand(group, reference, level, worked):
    assert ratio_interval(group, reference, level) == pytest.approx(worked, rel=0, abs=1e-12)


def test_nobody_approved_is_a_ratio_of_nothing_without_bounds():
    assert ratio_interval((0, 40), (30, 40)) == (0.0, None, None)
