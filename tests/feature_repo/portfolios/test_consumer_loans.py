"""The contract of the simulated portfolio: complete in words, true in its directions, blind to the truth."""

from __future__ import annotations

import numpy as np
import pytest

from feature_repo.contract import Ignored, Protected, Request, Risk, Stored
from feature_repo.derive import derive
from feature_repo.interface import describe
from feature_repo.portfolios import load, names
from feature_repo.portfolios.consumer_loans_truth_simulator import true_log_odds
from feature_repo.portfolios.consumer_loans_vintage_simulator import live, plan

PORTFOLIO = load("consumer_loans")
NUMBERS = [column for column in PORTFOLIO.raw_inputs if not column.is_level]
DIRECTED = [column for column in PORTFOLIO.inputs if column.risk is not Risk.NONE]
# What an applicant may not be told: Regulation B, 12 CFR 1002.9(b)(2).
NOT_A_REASON = ("internal", "polic", "score", "standard", "qualify", "model")


@pytest.fixture(scope="module")
def columns():
    """What is true of a few thousand applicants."""
    chunks = plan(150_000)
    return live(chunks[0, 0], chunks, seed=1).columns


def test_it_is_a_portfolio_and_its_simulators_are_not():
    assert "consumer_loans" in names()
    assert not [name for name in names() if "simulator" in name]
    assert describe(PORTFOLIO)["dated"]


@pytest.mark.parametrize("spec", [*PORTFOLIO.inputs, *PORTFOLIO.rules], ids=lambda spec: getattr(spec, "name", None) or spec.code)
def test_every_input_and_rule_has_a_specific_reason_an_applicant_may_be_told(spec):
    assert len(spec.reason) > 20
    assert not [word for word in NOT_A_REASON if word in spec.reason.lower()]


def test_reasons_are_distinct_so_that_each_input_can_be_named():
    reasons = [spec.reason for spec in (*PORTFOLIO.inputs, *PORTFOLIO.rules)]

    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("column", NUMBERS, ids=lambda column: column.name)
def test_every_number_has_a_unit_hard_bounds_and_a_usual_range_inside_them(column):
    assert column.unit
    assert column.low <= column.usual[0] < column.usual[1] <= column.high
    assert all(column.low <= code <= column.high for code in column.special)


@pytest.mark.parametrize("column", PORTFOLIO.stored, ids=lambda column: column.name)
def test_every_stored_column_says_how_old_it_may_be(column):
    assert column.fresh_for.days > 31, "a month-end file that arrives on time must never count as stale"
    assert column.when_stale


def test_what_is_known_only_after_the_decision_is_ignored_for_a_stated_cause():
    ignored = PORTFOLIO.applications.select(Ignored)

    assert len([column for column in ignored if "after" in column.because]) >= 3
    assert all(column.because for table in PORTFOLIO.tables for column in table.select(Ignored))


def test_protected_attributes_are_no_inputs():
    assert len(PORTFOLIO.protected) == 3
    assert not {column.raw for column in PORTFOLIO.protected} & {column.raw for column in PORTFOLIO.raw_inputs}
    assert not [column for column in PORTFOLIO.protected if isinstance(column, Request | Stored)]
    assert all(column.reference in column.group_names for column in PORTFOLIO.applications.select(Protected))


@pytest.mark.parametrize("column", DIRECTED, ids=lambda column: column.name)
def test_a_declared_direction_is_the_truth_with_the_derived_columns_held(column, columns):
    moved = {**columns, column.name: raised(column, columns[column.name])}

    change = column.risk * (true_log_odds(moved, np.zeros(1)) - true_log_odds(columns, np.zeros(1)))

    assert (change >= -1e-12).all()


@pytest.mark.parametrize("column", [column for column in DIRECTED if column in NUMBERS], ids=lambda column: column.name)
def test_a_declared_direction_is_the_truth_with_the_derived_columns_recomputed(column, columns):
    raw = {name: columns[name] for name in (spec.name for spec in PORTFOLIO.raw_inputs)}
    moved = derive(PORTFOLIO, {**raw, column.name: raised(column, raw[column.name])})

    change = column.risk * (true_log_odds(moved, np.zeros(1)) - true_log_odds(columns, np.zeros(1)))

    assert (change >= -1e-12).all()
    assert column.name in noise(columns) or np.mean(change[~np.isnan(columns[column.name])] > 0) > 0.8


def test_one_number_at_most_is_noise_to_the_truth(columns):
    assert len(noise(columns)) <= 1


def noise(columns):
    """Numbers the truth does not look at; a model may still find them of use, and then only in the declared direction."""
    base = true_log_odds(columns, np.zeros(1))
    alone = {column.name: true_log_odds({**columns, column.name: raised(column, columns[column.name])}, np.zeros(1)) for column in NUMBERS}
    used = {name for derived in PORTFOLIO.derived_columns for name in derived.arguments}
    return {name for name, moved in alone.items() if name not in used and (moved == base).all()}


@pytest.mark.parametrize("column", PORTFOLIO.derived_columns, ids=lambda column: column.name)
def test_every_derived_column_matters_to_the_truth(column, columns):
    moved = {**columns, column.name: raised(column, columns[column.name])}

    assert np.nanmean(np.abs(true_log_odds(moved, np.zeros(1)) - true_log_odds(columns, np.zeros(1)))) > 0


def raised(column, values):
    """Higher by a tenth of the column's own spread, at least by one where it counts things."""
    whole = bool(np.all(values[~np.isnan(values)] == np.round(values[~np.isnan(values)])))
    return values + max(0.1 * np.nanstd(values), float(whole))


@pytest.mark.parametrize("rule", PORTFOLIO.rules, ids=lambda rule: rule.code)
def test_a_rule_knocks_out_some_and_not_many(rule, columns):
    share = np.mean(np.asarray(rule.when(*(columns[name] for name in rule.arguments))))

    assert 0.001 < share < 0.05
