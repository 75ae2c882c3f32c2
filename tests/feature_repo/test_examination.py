"""Data against the contract's suites: each promise is held, said once, at its severity, and without a value."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from invented import brought

from feature_repo import examination, expectations
from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.examination import Subject
from feature_repo.portfolios import load
from feature_repo.sources import Undated

NOW = datetime(2021, 7, 1, tzinfo=UTC)
CANARY, CANARY_NUMBER = "Jane-Canary-1971", 4711.0815


@pytest.fixture(scope="module")
def orchard():
    with brought():
        return load("orchard")


@pytest.fixture
def plots(orchard):
    """A good table of applications, as validation gets it."""
    acres, fruit, soil, slope = orchard.requests
    n = 40
    return pd.DataFrame({
        APPLICATION_ID: [f"p{i}" for i in range(n)], APPLICANT_ID: [f"g{i}" for i in range(n)],
        EVENT_TIME: np.full(n, np.datetime64("2020-02-03", "us")),
        acres.name: [np.nan, *np.linspace(20, 400, n - 1)], fruit.name: pd.Categorical(["apple", "pear"] * (n // 2)),
        soil.name: pd.Categorical(["clay", None, "other", None] * (n // 4)), slope.name: np.arange(n) * 1.0,
        BAD: [0.0, 1.0, np.nan, 0.0] * (n // 4),
    })


def examine(orchard, frame, table=0):
    return examination.examine([Subject("plots", frame, expectations.of_table(orchard, orchard.tables[table]))], NOW)


def found(verdict):
    return [(broken.column, broken.rule, broken.count, broken.of) for broken in verdict.failures]


def spoil(frame, name, value, rows=1):
    spoilt = frame[name].astype(object)
    spoilt.iloc[:rows] = value
    return frame.assign(**{name: spoilt if isinstance(value, str) else spoilt.astype(frame[name].dtype, errors="ignore")})


def test_data_that_keeps_every_promise_passes(orchard, plots):
    verdict, docs = examine(orchard, plots)

    assert (verdict.success, verdict.failures, verdict.warnings) == (True, (), ())
    assert verdict.rows == {"plots": 40}
    assert verdict.checks == len(expectations.of_table(orchard, orchard.applications).expectations)
    assert all(column.name in docs for column in orchard.requests)


FAULTS = {
    "a key that is missing": (lambda _: APPLICANT_ID, None, 3, "not_null"),
    "a future date": (lambda _: EVENT_TIME, np.datetime64("2999-01-01", "us"), 2, "future"),
    "a text for a time": (lambda _: EVENT_TIME, CANARY, 1, "type"),
    "a text for a number": (lambda o: o.requests[0].name, CANARY, 2, "type"),
    "a negative amount": (lambda o: o.requests[0].name, -5.0, 2, "range"),
    "an infinite amount": (lambda o: o.requests[0].name, np.inf, 1, "range"),
    "another unit": (lambda o: o.requests[0].name, 4_000.0, 40, "usual_median"),
    "an unknown outcome": (lambda _: BAD, CANARY, 4, "type"),
    "one class": (lambda _: BAD, 0.0, 40, "one_class"),
    "a level that is missing": (lambda o: o.requests[1].name, None, 5, "not_null"),
    "an input that is never there": (lambda o: o.requests[0].name, np.nan, 40, "all_missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_named_by_column_rule_and_count(orchard, plots, fault):
    column, value, rows, rule = FAULTS[fault]
    verdict, _ = examine(orchard, spoil(plots, column(orchard), value, rows))

    assert not verdict.success
    assert (column(orchard), rule, rows, 40) in found(verdict)
    assert {broken.rule for broken in verdict.failures} == {rule}, "a fault is said once"


def test_an_unseen_level_is_counted_unless_other_takes_it(orchard, plots):
    fruit = orchard.requests[1].name
    seen = plots[fruit].astype(object)
    seen.iloc[:3] = CANARY

    assert found(examine(orchard, plots.assign(**{fruit: pd.Categorical(seen)}))[0]) == [(fruit, "level", 3, 40)]


def test_missing_and_undeclared_columns_are_named_one_by_one(orchard, plots):
    first = orchard.requests[0].name
    verdict, _ = examine(orchard, plots.drop(columns=first).assign(surprise=1))

    assert found(verdict) == [(first, "missing_column", 40, 40), ("surprise", "undeclared_column", 40, 40)]


def test_an_application_is_there_once_and_a_stored_row_once_per_applicant_and_time(orchard, plots):
    twice = pd.concat([plots, plots.iloc[:2]], ignore_index=True)
    assert found(examine(orchard, twice)[0]) == [(APPLICATION_ID, "unique", 4, 42)]

    (stored,) = orchard.stored
    times = np.array(["2020-01-01"] * 3, "datetime64[us]")
    rows = pd.DataFrame({APPLICANT_ID: ["a", "a", "b"], EVENT_TIME: times, stored.name: [1.0, 2, 3]})
    assert found(examine(orchard, rows, table=1)[0]) == [(f"{APPLICANT_ID}+{EVENT_TIME}", "unique", 2, 3)]


def test_a_table_of_no_rows_stops(orchard, plots):
    assert ("", "row_count") in [(broken.column, broken.rule) for broken in examine(orchard, plots.iloc[:0])[0].failures]


def test_a_column_of_severity_warn_warns_and_so_do_unusual_single_values(orchard, plots):
    acres, *_, slope = (column.name for column in orchard.requests)
    verdict, _ = examine(orchard, spoil(spoil(plots, slope, 91.0, 3), acres, 4_000.0, 2))

    assert verdict.success
    assert [(broken.column, broken.rule, broken.count) for broken in verdict.warnings] == [(acres, "usual", 2), (slope, "range", 3)]


def test_special_codes_are_neither_unusual_nor_do_they_move_the_median(orchard, plots):
    acres = orchard.requests[0]
    verdict, _ = examine(orchard, spoil(plots, acres.name, float(acres.special[0]), 30))

    assert verdict.success
    assert verdict.warnings == ()


def test_a_protected_value_outside_the_declared_groups_stops(orchard):
    age, village = (column.name for column in orchard.protected)
    vault = pd.DataFrame({APPLICATION_ID: ["1", "2"], age: pd.Categorical(["young", None]), village: pd.Categorical(["north", CANARY])})
    verdict, docs = examination.examine([Subject("vault", vault, expectations.of_vault(orchard))], NOW)

    assert found(verdict) == [(village, "group", 1, 2)]
    assert CANARY not in docs


LIMITS = {"doubtful": 0.75, "leaking": 0.8, "copying": 0.97}


def of_leakage(inputs, aucs):
    suite = expectations.of_leakage(inputs, **LIMITS)
    counts = dict.fromkeys([column.name for column in inputs], (70, 70))
    return Subject("leakage", pd.DataFrame([aucs]), suite, counts, {name: f"AUC {auc}" for name, auc in aucs.items()})


def test_measures_stand_in_the_same_report_and_the_first_rule_that_a_column_breaks_says_it(orchard):
    inputs = [column.name for column in orchard.raw_inputs]
    leakage = of_leakage(orchard.raw_inputs, dict(zip(inputs, (0.98, 0.85, 0.77, 0.6), strict=False)))
    suite = expectations.of_coverage(["harvests"], least=0.5)
    coverage = Subject("coverage", pd.DataFrame([{"harvests": 0.3}]), suite, {"harvests": (55, 90)})
    verdict, docs = examination.examine([leakage, coverage], NOW)

    stops = [(broken.column, broken.rule) for broken in verdict.failures]
    assert stops == [(inputs[0], "copy"), (inputs[1], "leakage"), ("harvests", "coverage")]
    assert found(verdict)[2] == ("harvests", "coverage", 55, 90)
    assert [(broken.column, broken.rule) for broken in verdict.warnings] == [(inputs[2], "doubtful")]
    assert "0.98" in docs
    assert verdict.rows == {}


def test_how_a_value_is_known_before_the_decision_turns_a_stop_into_a_warning_but_never_for_a_copy(orchard):
    first, second, third, *_ = (replace(column, known_before="from the register, the day before") for column in orchard.requests)
    silent = replace(first, name="silent", known_before=" ")
    aucs = {first.name: 0.85, second.name: 0.98, third.name: 0.5, "silent": 0.85}
    verdict, _ = examination.examine([of_leakage([first, second, third, silent], aucs)], NOW)

    assert [(broken.column, broken.rule) for broken in verdict.failures] == [(second.name, "copy"), ("silent", "leakage")]
    (warned,) = verdict.warnings
    assert (warned.column, warned.rule, warned.seen) == (first.name, "leakage", "AUC 0.85")
    assert "known_before is declared" in warned.allowed


@pytest.mark.parametrize("reason", ["", "known from the register"])
def test_a_column_filled_for_one_outcome_alone_stops_unless_it_is_said_how_it_is_known(orchard, reason):
    column = replace(orchard.requests[0], known_before=reason)
    words = "filled in 60 rows, all of them bad"
    frame, suite = pd.DataFrame([{column.name: 1.0}]), expectations.of_sides([column])
    verdict, docs = examination.examine([Subject("sides", frame, suite, {column.name: (70, 70)}, {column.name: words})], NOW)

    assert verdict.success == bool(reason)
    assert [broken.seen for broken in (*verdict.failures, *verdict.warnings)] == [words]
    assert words in docs


def test_too_few_outcomes_to_measure_leakage_is_said_and_stops_nothing(orchard):
    suite = expectations.of_leakage(orchard.raw_inputs, **LIMITS)
    verdict, _ = examination.examine([Subject("leakage", pd.DataFrame([]), suite, {"": (3, 3)}, {"": "3 known"})], NOW)

    assert verdict.success
    assert [(broken.rule, broken.seen) for broken in verdict.warnings] == [("too_few_outcomes", "3 known")]


def test_a_column_of_one_value_warns_and_one_without_any_is_said_to_have_none(orchard, plots):
    acres, _, soil, slope = (column.name for column in orchard.requests)
    verdict, _ = examine(orchard, plots.assign(**{slope: 3.0, acres: np.nan, soil: pd.Categorical(["clay", None] * 20)}))

    assert [(broken.column, broken.rule) for broken in verdict.warnings] == [(soil, "constant"), (slope, "constant")]
    assert found(verdict) == [(acres, "all_missing", 40, 40)]


def test_one_row_is_not_said_to_vary_too_little(orchard, plots):
    verdict, _ = examine(orchard, plots.iloc[2:3])

    assert {broken.rule for broken in verdict.failures} == {"one_class"}
    assert verdict.warnings == ()


def test_no_raw_value_is_in_the_verdict_or_the_docs(orchard, plots):
    acres, fruit, _, slope = (column.name for column in orchard.requests)
    levels = plots[fruit].astype(object)
    levels.iloc[:5] = CANARY
    planted = plots.assign(**{
        APPLICATION_ID: [CANARY] * 40, APPLICANT_ID: [CANARY] * 39 + [None], fruit: pd.Categorical(levels), slope: [CANARY_NUMBER] * 40,
        acres: [CANARY, *[CANARY_NUMBER] * 39], EVENT_TIME: [CANARY] * 40, BAD: [CANARY_NUMBER] * 40,
    })
    future = np.full(40, np.datetime64("2031-12-13", "us"))
    also = plots.assign(**{slope: [CANARY_NUMBER] * 40, acres: [CANARY_NUMBER] * 40, EVENT_TIME: future})
    for frame in (planted, also):
        verdict, docs = examine(orchard, frame)
        written = docs + json.dumps([str(broken) for broken in (*verdict.failures, *verdict.warnings)])
        assert not verdict.success
        for canary in (CANARY, "4711", "0815", "4,711", "2031"):
            assert canary not in written


def test_docs_are_one_page_that_fetches_nothing_and_hold_no_clock(orchard, plots):
    _, docs = examine(orchard, plots)

    for elsewhere in ("http://", "https://", "src=", "url(", 'href="..'):
        assert elsewhere not in docs
    suite = expectations.of_table(orchard, orchard.applications)
    assert examination.examine([Subject("plots", plots, suite)], datetime(2030, 1, 1, tzinfo=UTC))[1] == docs


@pytest.fixture
def unobserved(harbour):
    """Applications without a time axis beside dated tables, and no day of observation: the clock bounds those."""
    undated = replace(harbour.applications, time=Undated())
    return replace(harbour, tables=(undated, *harbour.tables[1:]), outcome=replace(harbour.outcome, observed_until=None))


def test_the_suite_digest_follows_the_contract_and_not_the_clock_or_the_data(unobserved, plots):
    suite, other = expectations.of_table(unobserved, unobserved.tables[1]), expectations.of_table(unobserved, unobserved.tables[2])
    first = examination.examine([Subject("surveys", plots, suite)], NOW)[0]
    second = examination.examine([Subject("surveys", plots.iloc[:9], suite)], datetime(2030, 1, 1, tzinfo=UTC))[0]

    assert first.suite == second.suite
    assert first.suite != examination.examine([Subject("surveys", plots, other)], NOW)[0].suite


def test_without_a_day_of_observation_the_future_begins_now(unobserved, plots):
    suite = expectations.of_table(unobserved, unobserved.tables[1])
    rules = [{broken.rule for broken in examination.examine([Subject("surveys", plots, suite)], now)[0].failures}
             for now in (NOW, datetime(2020, 1, 1, tzinfo=UTC))]

    assert [("future" in found) for found in rules] == [False, True]
