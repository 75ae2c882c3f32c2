"""When a breach calls for a challenger, and on which applications: each once, with enough that is new, and the newest left to the test."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from feature_repo.errors import DataError
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.actor import Actor
from governance.events import ReleaseCompared
from governance.observations import ChallengerTrained
from monitoring.retraining import Breach, RetrainParams, development_end, is_better, newest_matured, too_early, unanswered

SELF = Actor("retrain", "process")
CHAMPION, OTHER = "a" * 64, "b" * 64
LOANS = load("consumer_loans")
PARAMS = read("retrain", RetrainParams)
DRIFT, GINI = Breach("2023-11", CHAMPION[:12], "drift"), Breach("2023-11", CHAMPION[:12], "performance")


def trained(until, *breaches, champion=CHAMPION):
    return ChallengerTrained(by=SELF, at="", champion=champion, challenger=OTHER, version="2",
                             breaches=tuple(one.entry for one in breaches), develop_until=until, experiment="e", better=False,
                             request_id="")


def test_a_breach_is_answered_once_and_another_report_or_window_of_the_release_is_another():
    later = Breach("2023-12", CHAMPION[:12], "drift")

    assert unanswered([DRIFT, GINI, later], CHAMPION, PARAMS, []) == (DRIFT, GINI, later)
    assert unanswered([DRIFT, GINI, later], CHAMPION, PARAMS, [trained("2023-10-02", DRIFT)]) == (GINI, later)
    assert unanswered([DRIFT], CHAMPION, PARAMS, [trained("2023-10-02", DRIFT)]) == ()


def test_neither_what_served_before_nor_a_report_that_params_leave_out_calls_for_one():
    assert unanswered([DRIFT], OTHER, PARAMS, []) == ()
    assert unanswered([Breach("2023-11", CHAMPION[:12], "fairness")], CHAMPION, PARAMS, []) == ()


def test_the_newest_days_with_matured_outcomes_are_left_to_the_test():
    newest = newest_matured(LOANS, datetime(2030, 1, 1, tzinfo=UTC))
    until = development_end(LOANS, newest, PARAMS)

    assert newest == (LOANS.outcome.observed_until - LOANS.outcome.matures_after).date()
    test_from = LOANS.applications.time.cut_after(until).out_of_time_from
    assert (newest - test_from).days + 1 == PARAMS.test_days


def test_outcomes_that_business_time_has_not_seen_yet_are_not_counted_on():
    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert newest_matured(LOANS, now) == (now - LOANS.outcome.matures_after).date()


def test_a_portfolio_without_a_time_axis_is_refused_by_name():
    with pytest.raises(DataError, match="german_credit has no cuts in time"):
        development_end(load("german_credit"), date(2024, 1, 1), PARAMS)


@pytest.mark.parametrize(("learnt", "done", "waits"), [
    (date(2022, 6, 30), [], False),
    (None, [], False),
    (date(2023, 9, 15), [], True),
    (date(2022, 6, 30), [trained("2023-09-15")], True),
    (date(2022, 6, 30), [trained("2023-09-15", champion=OTHER)], False),
])
def test_a_challenger_waits_until_enough_is_newer_than_the_champion_and_any_challenger_before(learnt, done, waits):
    until = date(2023, 10, 2)

    assert bool(too_early(until, learnt, CHAMPION, PARAMS, done)) is waits
    assert not too_early(until + timedelta(days=PARAMS.least_days), learnt, CHAMPION, PARAMS, done)


@pytest.mark.parametrize(("interval", "by", "better"), [((0.01, 0.2), 0.0, True), ((0.0, 0.2), 0.0, False), ((-0.1, 0.2), 0.0, False),
                                                        ((0.01, 0.2), 0.02, False), (None, 0.0, False)])
def test_only_what_is_better_beyond_chance_is_asked_for(interval, by, better):
    found = interval and ReleaseCompared(by=SELF, at="", challenger=OTHER, champion=CHAMPION, part="the test", rows=600,
                                         gini_difference=0.1, interval=interval, confidence=0.95)
    assert is_better(found, msgspec.structs.replace(PARAMS, better_by=by)) is better


def test_cuts_move_together_and_none_leaves_the_contracts():
    time = dataclasses.replace(LOANS.applications.time, out_of_time_from=date(2022, 8, 1), out_of_time_until=date(2022, 12, 31))
    moved = time.cut_after(time.develop_until + timedelta(days=100))

    assert time.cut_after(None) == time
    assert {getattr(moved, name) - getattr(time, name) for name in ("develop_until", "out_of_time_from", "out_of_time_until")} == {
        timedelta(days=100)}
