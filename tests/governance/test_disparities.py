"""Each measure of a pack on 2x2 tables worked by hand, and what chance makes of it once and at every look."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from governance.disparities import (
    AdverseImpactRatio,
    CalibrationByGroup,
    EqualOpportunityDifference,
    Looks,
    StandardizedMeanDifference,
)
from governance.groups import BILLIONTHS, NOBODY, Tally
from governance.limits import Ceiling, Floor, Verdict
from governance.ratios import difference_interval

HELD = {"blocks": True, "minimum": 30, "confidence": 0.95, "source": "house"}
RATIO = AdverseImpactRatio(**HELD, limits=Floor(0.9, 0.8))
OPPORTUNITY = EqualOpportunityDifference(**HELD, limits=Ceiling(0.05, 0.10))
SCORES = StandardizedMeanDifference(**HELD, limits=Ceiling(0.2, 0.3))
CALIBRATION = CalibrationByGroup(**HELD, limits=Ceiling(0.10, 0.25))
DIFFERENCES = [  # Wilson's limits of both shares, combined as Newcombe (1998) does, worked with fifty digits
    ((56, 70), (48, 80), 0.95, (0.2, 0.05243147240236487790, 0.33387265403690597643)),
    ((45, 60), (54, 60), 0.95, (-0.15, -0.28345164273984112240, -0.01285621748623029740)),
    ((9, 10), (3, 10), 0.90, (0.6, 0.24211240088494457276, 0.78962350737212869349)),
]


def decided(approved, of):
    return Tally(decisions=of, approved=approved)


def repaid(approved, of):
    return Tally(decisions=of, approved=approved, good=of, good_approved=approved)


def scored(of, mean, spread):
    """Half of them `spread` above the mean, half as far below."""
    squares = of // 2 * ((mean + spread) ** 2 + (mean - spread) ** 2)
    return Tally(decisions=of, scored=of, scores=of * mean, squares=squares)


def matured(bad, of, pd_):
    return Tally(decisions=of, good=of - bad, bad=bad, foreseen=round(of * pd_ * BILLIONTHS))


@pytest.mark.parametrize(("own", "other", "level", "worked"), DIFFERENCES)
def test_the_difference_of_shares_is_that_worked_by_hand(own, other, level, worked):
    assert difference_interval(own, other, level) == pytest.approx(worked, rel=0, abs=1e-12)
    low, high = confint_proportions_2indep(*own, *other, compare="diff", method="newcomb", alpha=1 - level)
    assert difference_interval(own, other, level)[1:] == pytest.approx((low, high), abs=1e-12)


def test_a_ratio_has_its_interval_and_its_exact_test():
    figure = RATIO.figure(decided(48, 100), decided(80, 100), 0.95)

    assert (figure.value, figure.low, figure.high) == pytest.approx((0.6, 0.478479088814470398, 0.752383977515033054), rel=0, abs=1e-12)
    assert figure.p == pytest.approx(3.824534243726148e-06, rel=1e-9)
    assert figure.lasting[0] < figure.low
    assert figure.lasting[1] > figure.high


@pytest.mark.parametrize(("own", "other"), [(NOBODY, decided(8, 10)), (decided(8, 10), decided(0, 10))])
def test_nothing_to_divide_by_is_no_figure(own, other):
    assert RATIO.figure(own, other, 0.95) is None


def test_nobody_approved_where_hardly_anybody_is_may_be_chance():
    """0 of 30 against 2 of 100: the ratio is 0 and has no interval; the exact test says how little that tells."""
    rare, common = (RATIO.figure(decided(0, 30), decided(hits, 100), 0.95) for hits in (2, 80))

    assert RATIO.judge(rare, Looks.ONCE, 0.95) is Verdict.WATCH
    assert RATIO.judge(common, Looks.ONCE, 0.95) is Verdict.ALERT


def test_what_one_look_bears_out_every_look_may_not():
    """62 of 100 against 80 of 100: 0.775, and 0.64 to 0.93 for one look."""
    figure = RATIO.figure(decided(62, 100), decided(80, 100), 0.95)

    assert (RATIO.judge(figure, Looks.ONCE, 0.95), RATIO.judge(figure, Looks.EVER, 0.95)) == (Verdict.ALERT, Verdict.WATCH)


@pytest.mark.parametrize(("own", "other", "value", "verdict"), [
    (repaid(540, 900), repaid(700, 1000), -0.1, Verdict.ALERT),
    (repaid(630, 1000), repaid(700, 1000), -0.07, Verdict.WATCH),
    (repaid(7, 10), repaid(8, 10), -0.1, Verdict.WATCH),       # which chance explains
    (repaid(800, 1000), repaid(700, 1000), 0.1, Verdict.OK),   # no disadvantage
])
def test_equal_opportunity_is_judged_by_how_many_fewer_good_payers_are_approved(own, other, value, verdict):
    figure = OPPORTUNITY.figure(own, other, 0.95)

    assert figure.value == pytest.approx(value, abs=1e-12)
    assert OPPORTUNITY.judge(figure, Looks.ONCE, 0.95) is verdict
    assert OPPORTUNITY.smaller(own, other) == own.good


@pytest.mark.parametrize(("mean", "value", "verdict"), [(585, -0.5, Verdict.ALERT), (593, -7 / 30, Verdict.WATCH), (600, 0.0, Verdict.OK),
                                                        (660, 2.0, Verdict.OK)])
def test_scores_are_judged_in_pooled_standard_deviations(mean, value, verdict):
    """1,000 at 30 points around each mean: the pooled deviation is 30 times the root of 2,000 / 1,998."""
    figure = SCORES.figure(scored(1000, mean, 30), scored(1000, 600, 30), 0.95)

    assert figure.value == pytest.approx(value * (1998 / 2000) ** 0.5, rel=0, abs=1e-12)
    assert SCORES.judge(figure, Looks.EVER, 0.95) is verdict


@pytest.mark.parametrize(("bad", "value", "verdict"), [
    (100, 0.0, Verdict.OK), (140, -0.4, Verdict.OK), (85, 0.15, Verdict.OK), (60, 0.4, Verdict.ALERT),
])
def test_calibration_is_judged_by_how_far_bad_outcomes_fall_short(bad, value, verdict):
    """1,000 outcomes of a mean PD of 10%: 100 are foreseen. 85 is chance; more than are foreseen is no disadvantage of the group."""
    figure = CALIBRATION.figure(matured(bad, 1000, 0.1), NOBODY, 0.95)

    assert figure.value == pytest.approx(value, rel=0, abs=1e-12)
    assert CALIBRATION.judge(figure, Looks.EVER, 0.95) is verdict


@pytest.mark.parametrize("own", [NOBODY, matured(0, 10, 0.0), matured(10, 10, 1.0)])
def test_without_outcomes_or_anything_foreseen_there_is_no_calibration(own):
    assert CALIBRATION.figure(own, NOBODY, 0.95) is None
