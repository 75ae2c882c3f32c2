"""Verdicts never pass what was not measured."""

from __future__ import annotations

import doctest

import pytest

from governance import limits
from governance.limits import Ceiling, Floor, Verdict, spans, unless_chance, worst


def test_the_examples_hold():
    assert doctest.testmod(limits).failed == 0


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_a_figure_that_is_not_there_is_insufficient_never_ok(nothing):
    assert Ceiling(watch=0.1, alert=0.25).verdict(nothing) is Verdict.INSUFFICIENT
    assert Floor(watch=0.9, alert=0.8).verdict(nothing) is Verdict.INSUFFICIENT


@pytest.mark.parametrize(("value", "verdict"), [(0.0999, "ok"), (0.10, "watch"), (0.2499, "watch"), (0.25, "alert")])
def test_psi_limits_are_inclusive(value, verdict):
    assert Ceiling(watch=0.10, alert=0.25).verdict(value) == verdict


@pytest.mark.parametrize(("value", "verdict"), [(0.90, "ok"), (0.8999, "watch"), (0.80, "watch"), (0.7999, "alert")])
def test_four_fifths_itself_is_not_below_four_fifths(value, verdict):
    assert Floor(watch=0.90, alert=0.80).verdict(value) == verdict


def test_the_worst_of_none_is_insufficient_and_an_alert_beats_everything():
    assert worst([]) is Verdict.INSUFFICIENT
    assert worst([Verdict.INSUFFICIENT, Verdict.OK]) is Verdict.OK
    assert worst([Verdict.WATCH, Verdict.ALERT, Verdict.OK]) is Verdict.ALERT


def test_chance_makes_a_verdict_one_step_milder_and_nothing_sufficient():
    assert [unless_chance(word, explained=True) for word in Verdict] == ["insufficient", "ok", "ok", "watch"]
    assert [unless_chance(word, explained=False) for word in Verdict] == list(Verdict)


def test_spans_join_neighbouring_months_only():
    months = ["2022-11", "2022-12", "2023-01", "2023-02"]
    assert spans(["2022-12", "2023-01"], months) == "2022-12 to 2023-01"
    assert spans(["2022-11", "2023-01", "2023-02"], months) == "2022-11, 2023-01 to 2023-02"
    assert spans([], months) == ""
