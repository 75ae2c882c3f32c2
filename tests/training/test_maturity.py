"""What the maturity rule and the outcome window do, shown before they are believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from feature_repo.contract import Applicant, Outcome, Request, Table, days
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from feature_repo.sources import ROW, EventTime
from training import maturity

LOANS = Table("loans", file="loans.csv", columns=(Applicant(raw=ROW), Request("size", raw="size", low=0, reason="The loan is large")),
              time=EventTime("asked", develop_until=date(2010, 12, 31), out_of_time_from=date(2011, 1, 1),
                             out_of_time_until=date(2011, 12, 31)))
OUTCOME = Outcome(raw="end", bad=("lost",), good=("kept",), neither=("open",), matures_after=days(365), within=days(365),
                  bad_on=EventTime("lost_on"), observed_until=datetime(2013, 6, 30, tzinfo=UTC))
PORTFOLIO = Portfolio(name="shop", title="A shop", tables=(LOANS,), outcome=OUTCOME)
ROWS = [("2010-01-05", "lost", "2010-06-01"), ("2010-01-09", "lost", "2012-06-01"), ("2010-02-01", "kept", ""),
        ("2011-05-01", "lost", "2011-06-01"),
        ("2011-06-01", "open", ""), ("2012-12-01", "lost", "2013-01-01"), ("2012-12-02", "kept", "")]


def raw(rows):
    return pa.table(dict(zip(("asked", "end", "lost_on"), map(list, zip(*rows, strict=True)), strict=True)))


def test_a_vintage_shows_what_went_bad_ever_and_in_time_and_what_counts():
    shown = maturity.table(PORTFOLIO, raw(ROWS)).to_dict("records")

    names = ("vintage", "loans", "recorded", "ever", "within", "mature")
    assert [tuple(row[name] for name in names) for row in shown] == [
        ("2010-01", 2, 2, 2, 1, 2), ("2010-02", 1, 1, 0, 0, 1), ("2011-05", 1, 1, 1, 1, 1), ("2011-06", 1, 0, 0, 0, 1),
        ("2012-12", 2, 2, 1, 1, 0)]


def test_a_long_history_is_shown_by_year():
    rows = [(f"{2005 + n // 12}-{n % 12 + 1:02}-01", "kept", "") for n in range(40)]

    assert maturity.table(PORTFOLIO, raw(rows[:36]))["vintage"].str.len().unique().tolist() == [7]
    assert maturity.table(PORTFOLIO, raw(rows))["vintage"].tolist() == ["2005", "2006", "2007", "2008"]


def test_periods_show_bad_rates_without_and_with_the_rules():
    shown = maturity.totals(PORTFOLIO, raw(ROWS)).set_index("period")

    assert shown.loc["development", ["without", "with"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert shown.loc["out-of-time", ["without", "with"]].tolist() == [1, 1]
    assert shown.loc["later", "without"] == 0.5
    assert shown["with"].isna().tolist() == [False, False, True]
    assert shown["mature"].tolist() == [3, 2, 0]


def test_without_a_window_bad_within_it_is_bad_ever():
    plain = replace(PORTFOLIO, outcome=replace(OUTCOME, within=None, bad_on=None))
    shown = maturity.table(plain, raw(ROWS))

    assert shown["within"].tolist() == shown["ever"].tolist()


@pytest.mark.parametrize(("change", "said"), [
    (lambda rows: [("soon", "kept", ""), *rows], "cannot be read"), (lambda rows: [("2010-01-01", "gone", ""), *rows], "cannot be read"),
    (lambda rows: [("2010-01-01", "lost", ""), *rows], "cannot be read"),
])
def test_a_file_that_breaks_its_promises_shows_nothing(change, said):
    with pytest.raises(DataError, match=said):
        maturity.table(PORTFOLIO, raw(change(ROWS)))


def test_a_missing_column_and_a_portfolio_without_time_are_said_in_words():
    with pytest.raises(DataError, match=r"\['lost_on'\] are not in the file"):
        maturity.table(PORTFOLIO, raw(ROWS).drop_columns(["lost_on"]))
    with pytest.raises(DataError, match="no time axis"):
        maturity.table(load("card_default"), raw(ROWS))
