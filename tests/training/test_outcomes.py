"""Bad is what went bad within the window, counted once the window is over; what cannot be told stays visible to validate."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from feature_repo.contract import BAD, EVENT_TIME, UNDATED_BAD, Applicant, Outcome, Request, Table, days
from feature_repo.examination import Subject, examine
from feature_repo.expectations import of_table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, EventTime
from training import evidence, outcomes, tables

LOANS = Table("loans", file="loans.csv", time=EventTime("asked", develop_until=date(2011, 12, 31), out_of_time_from=date(2012, 1, 1)),
              columns=(Applicant(raw=ROW), Request("size", raw="size", low=0, reason="The loan you asked for is large")))
OUTCOME = Outcome(raw="end", bad=("lost",), good=("kept",), neither=("open",), matures_after=days(365), within=days(360),
                  bad_on=EventTime("lost_on", format="%d.%m.%Y"), observed_until=datetime(2014, 1, 31, tzinfo=UTC))
PORTFOLIO = Portfolio(name="shop", title="A shop", tables=(LOANS,), outcome=OUTCOME)
ASKED = "2010-01-01"


def translate(*rows):
    asked, end, lost_on = (list(column) for column in zip(*rows, strict=True))
    return tables.translate(PORTFOLIO, LOANS, pa.table({"asked": asked, "end": end, "lost_on": lost_on, "size": ["1"] * len(rows)}))


@pytest.mark.parametrize(("row", "bad"), [
    ((ASKED, "lost", "01.01.2010"), 1), ((ASKED, "lost", "27.12.2010"), 1), ((ASKED, "lost", "28.12.2010"), 0),
    ((ASKED, "kept", ""), 0), ((ASKED, "kept", "05.05.2010"), 0), ((ASKED, "kept", "never"), 0), ((ASKED, "open", ""), None),
    ((ASKED, "", ""), None), (("2013-01-31", "lost", "01.03.2013"), 1), (("2013-02-01", "lost", "01.03.2013"), None),
    (("2013-02-01", "kept", ""), None),
])
def test_an_outcome_is_bad_within_the_window_good_after_it_and_counts_once_mature(row, bad):
    assert translate(row)[BAD].to_pylist() == [bad]


def test_the_raw_columns_of_the_outcome_are_declared_and_in_no_frame():
    assert translate((ASKED, "kept", "")).column_names == ["application_id", "applicant_id", EVENT_TIME, "size", BAD]


WRONG = [(ASKED, "lost", ""), (ASKED, "lost", "31.12.2009"), (ASKED, "lost", "30.02.2010")]


@pytest.mark.parametrize("row", WRONG)
def test_a_bad_row_without_its_day_stays_visible_and_nothing_else_changes(row):
    assert translate((ASKED, "kept", ""), row)[BAD].to_pylist() == ["kept", UNDATED_BAD]


def examined(tmp_path, *rows):
    tables.write(translate(*rows), tmp_path / "loans.parquet")
    subject = Subject(LOANS.name, evidence.of_table(PORTFOLIO, LOANS, tmp_path), of_table(PORTFOLIO, LOANS))
    verdict, _ = examine([subject], datetime(2015, 1, 1, tzinfo=UTC))
    return {(each.column, each.rule, each.count, each.of) for each in verdict.failures}


def test_validation_counts_bad_rows_without_a_day_apart_from_texts_it_does_not_know(tmp_path):
    good, dated = (ASKED, "kept", ""), (ASKED, "lost", "05.05.2010")

    assert examined(tmp_path, good, dated) == set()
    assert examined(tmp_path, good, dated, *WRONG) == {(BAD, "bad_on", 3, 5)}
    assert examined(tmp_path, good, dated, *WRONG, (ASKED, "gone", "")) == {(BAD, "bad_on", 3, 6), (BAD, "type", 1, 6)}


def test_where_the_day_column_is_missing_so_is_the_outcome():
    raw = pa.table({"asked": [ASKED], "end": ["kept"], "size": ["1"]})

    assert outcomes.bad(OUTCOME, raw, None) is None
    assert BAD not in tables.translate(PORTFOLIO, LOANS, raw).column_names


def test_a_time_that_cannot_be_cast_leaves_the_outcome_as_recorded():
    assert translate(("yesterday", "lost", "05.05.2010"), (ASKED, "kept", ""))[BAD].to_pylist() == [1.0, 0.0]


def test_rows_without_a_key_are_known_by_their_position_each_time_they_are_read():
    rows = [(ASKED, "kept", "")] * 3
    keys = [translate(*rows)[name].to_pylist() for name in ("application_id", "applicant_id")]

    assert keys == [["1", "2", "3"]] * 2
    assert translate(*rows).equals(translate(*rows))
