"""A vintage's curve counts what was bad by each age, ends where its youngest loan was last seen, and leaves the rejected out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import Applicant, Outcome, Request, Table, days
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from feature_repo.sources import ROW, EventTime
from training.vintages import Vintages, curves, find, rates

LOANS = Table("loans", file="loans.csv", columns=(Applicant(raw=ROW), Request("size", raw="size", low=0, reason="The loan is large")),
              time=EventTime("asked", develop_until=date(2010, 12, 31), out_of_time_from=date(2011, 1, 1)))
OUTCOME = Outcome(raw="end", bad=("lost",), good=("kept",), neither=("open",), rejected=("no",), matures_after=days(366), within=days(366),
                  bad_on=EventTime("lost_on"), observed_until=datetime(2012, 7, 1, tzinfo=UTC), caveat="some are absent")
PORTFOLIO = Portfolio(name="shop", title="A shop", tables=(LOANS,), outcome=OUTCOME)
SETTINGS = Vintages(months=24, step=6)


@pytest.fixture(scope="module")
def history():
    """A hundred applications on two days of each month of two years: ten bad after 5, 11 and 17 months each if seen, ten rejected."""
    rows = []
    for month in pd.date_range("2010-01-01", "2011-12-01", freq="MS", tz="UTC"):
        for place in range(100):
            asked = month + pd.Timedelta(days=20 * (place % 2))
            bad_on = asked + pd.DateOffset(months=(5, 11, 17)[place % 3]) if place < 30 else pd.NaT
            seen = pd.notna(bad_on) and bad_on <= OUTCOME.observed_until
            standing = "rejected" if place >= 90 else "open" if place >= 80 else "bad" if seen else "good"
            mature = asked + OUTCOME.matures_after <= OUTCOME.observed_until and standing in {"good", "bad"}
            bad = float(seen and bad_on <= asked + OUTCOME.within) if mature else np.nan
            rows.append((f"{len(rows)}", asked, bad, standing, bad_on if seen else pd.NaT))
    frame = pd.DataFrame(rows, columns=["application_id", "event_timestamp", "bad", "standing", "bad_on"])
    return frame[["application_id", "event_timestamp", "bad"]], frame[["application_id", "standing", "bad_on"]]


@pytest.fixture(scope="module")
def found(history):
    return find(PORTFOLIO, *history, SETTINGS)


def of(found, name):
    return next(each for each in found.vintages if each.vintage == name)


def test_a_curve_counts_what_was_bad_by_each_age_over_those_booked(found):
    january = of(found, "2010-01")

    assert (january.applications, january.booked) == (100, 90)
    assert january.cumulative == (10, 20, 30, 30)


def test_a_curve_ends_where_the_youngest_loan_was_last_seen(found):
    assert of(found, "2011-01").seen == 17
    assert of(found, "2011-01").cumulative == (10, 20)
    assert of(found, "2011-12").cumulative == (10,)
    assert curves(found).groupby("vintage")["months"].max()["2011-07"] == 6, "half were asked for on the 21st"


def test_a_bad_rate_is_of_what_has_matured_within_the_window(found):
    young = of(found, "2011-12")

    assert of(found, "2010-01").bads == 20
    assert of(found, "2010-01").bad_rate == pytest.approx(20 / 80)
    assert (young.counted, young.bads, young.bad_rate, young.low) == (0, 0, None, None)
    assert rates(found)["counted"].tolist() == [80] * 18 + [40] + [0] * 5


def test_how_much_the_window_sees_is_said_over_the_vintages_seen_longest(found):
    """Of 30 bad of each of the vintages of 2010-01 to 2010-07 that were seen for 24 months, 20 were within 366 days."""
    assert found.by_window == pytest.approx(2 / 3)
    assert any("67%" in sentence for sentence in found.found)
    assert found.found[-1] == "Some are absent."


def test_without_the_day_of_going_bad_there_are_rates_and_no_curve(history):
    plain = replace(PORTFOLIO, outcome=replace(OUTCOME, within=None, bad_on=None))
    found = find(plain, *history, SETTINGS)

    assert not found.followed
    assert found.by_window is None
    assert curves(found).empty
    assert of(found, "2010-01").bad_rate == pytest.approx(20 / 80)
    assert any("not recorded" in sentence for sentence in found.found)


def test_without_a_time_axis_there_is_no_vintage(history):
    found = find(load("card_default"), *history, SETTINGS)

    assert (found.unit, found.vintages) == (None, ())
    assert rates(found).empty
    assert "no time axis" in found.found[0]


def test_a_vintage_of_rejections_alone_has_neither_rate_nor_curve(history):
    frame, record = history
    rejected = record.assign(standing="rejected", bad_on=pd.Series(pd.NaT, record.index, dtype="datetime64[us, UTC]"))
    found = find(PORTFOLIO, frame.assign(bad=np.nan), rejected, SETTINGS)

    assert {each.booked for each in found.vintages} == {0}
    assert curves(found).empty
    assert set(rates(found)["counted"]) == {0}


def test_a_record_of_other_applications_is_refused(history):
    frame, record = history

    with pytest.raises(DataError, match="1 of 2400 assembled applications are not in ingest's record"):
        find(PORTFOLIO, frame, record.iloc[1:], SETTINGS)
