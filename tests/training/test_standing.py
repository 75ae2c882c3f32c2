"""Rejected, open and too young are three things, and the contract's words tell them apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from feature_repo.contract import Applicant, Outcome, Request, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, Early, EventTime, Undated
from training import standing, tables

LOANS = Table("loans", file="loans.csv", time=EventTime("asked", develop_until=date(2010, 12, 31), out_of_time_from=date(2011, 1, 1)),
              columns=(Applicant(raw=ROW), Request("size", raw="size", low=0, reason="The loan is large")))
OUTCOME = Outcome(raw="end", bad=("lost",), good=("kept",), neither=("open",), rejected=("no", ""), matures_after=days(365),
                  within=days(365), bad_on=EventTime("lost_on"), observed_until=datetime(2013, 6, 30, tzinfo=UTC))
PORTFOLIO = Portfolio(name="shop", title="A shop", tables=(LOANS,), outcome=OUTCOME)
ROWS = [("2010-01-05", "lost", "2012-06-01"), ("2010-01-09", "kept", ""), ("2010-02-01", "open", ""), ("2013-05-01", "no", ""),
        ("2010-06-01", "", ""), ("2013-05-01", "", ""), ("2010-06-01", "gone", "")]


def of(portfolio, rows=ROWS):
    raw = pa.table(dict(zip(("asked", "end", "lost_on"), map(list, zip(*rows, strict=True)), strict=True)))
    return standing.of(portfolio, raw, tables.translate(portfolio, portfolio.applications, raw))


def test_an_empty_outcome_is_a_rejection_only_once_the_application_is_old_enough():
    assert of(PORTFOLIO)["standing"].to_pylist() == ["bad", "good", "open", "rejected", "rejected", "nothing", "nothing"]


def test_an_empty_outcome_is_nothing_unless_the_contract_says_rejected():
    silent = replace(PORTFOLIO, outcome=replace(OUTCOME, rejected=()))

    assert of(silent)["standing"].to_pylist() == ["bad", "good", "open", "nothing", "nothing", "nothing", "nothing"]


def test_the_day_is_kept_of_what_went_bad_even_after_the_window():
    assert of(PORTFOLIO)["bad_on"].to_pylist() == [datetime(2012, 6, 1, tzinfo=UTC), *[None] * 6]


def test_without_a_time_axis_every_application_is_old_enough():
    undated = replace(PORTFOLIO, tables=(replace(LOANS, time=Undated()),), outcome=replace(OUTCOME, within=None, bad_on=None))

    assert of(undated)["standing"].to_pylist()[4:6] == ["rejected", "rejected"]


def test_an_early_sign_is_yes_no_or_unknown_and_absent_where_none_is_declared():
    sign = Early(raw="early", yes=("late",), no=("on time",), matures_after=days(90), meaning="late in the first three months")
    early = replace(PORTFOLIO, outcome=replace(OUTCOME, early=sign))
    raw = pa.table({"asked": ["2010-01-05"] * 4, "end": ["kept", "kept", "kept", "kept"], "lost_on": [""] * 4,
                    "early": ["late", "on time", "", "perhaps"]})

    found = standing.of(early, raw, tables.translate(early, LOANS, raw))

    assert found["early"].to_pylist() == [1.0, 0.0, None, None]
    assert "early" not in tables.translate(early, LOANS, raw).column_names
    assert "early" not in of(PORTFOLIO).column_names
    without = raw.drop_columns("early")
    translated = tables.translate(early, LOANS, without)
    assert translated["bad"].null_count == 0
    assert standing.of(early, without, translated)["early"].null_count == 4


@pytest.mark.parametrize("lacking", ["asked", "end", "lost_on"])
def test_a_file_without_a_column_ends_in_no_error_for_validate_says_it(lacking):
    raw = pa.table({name: ["2010-01-05"] for name in ("asked", "end", "lost_on") if name != lacking})

    assert standing.of(PORTFOLIO, raw, tables.translate(PORTFOLIO, LOANS, raw)).num_rows == 1
