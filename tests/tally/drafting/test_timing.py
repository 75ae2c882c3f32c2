"""Until when outcomes were seen is what the dates of all tables allow, and the contract says what that rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from feature_repo.contract import EVENT_TIME
from tally.drafting import timing
from tally.drafting.profiles import profile

DAYS = 900
START = datetime(2019, 1, 1, tzinfo=UTC)


def dates(header, late=0, count=DAYS):
    return profile(header, pa.chunked_array([[f"{START + timedelta(days=at + late):%Y-%m-%d}" for at in range(count)]]))


def cut(late, further=-np.inf):
    applied = dates("applied")
    axis = timing.find([applied], None)
    return timing.cuts(axis, [applied, dates("paid", late)], np.ones(DAYS, dtype=bool), further)


@pytest.mark.parametrize(("late", "until", "rests"), [
    (20, 20, "the last date of the first file"), (2_000, 365, "365 days after the last application, though the file has later dates")])
def test_the_last_date_counts_unless_applications_would_seem_to_have_stopped(late, until, rests):
    found = cut(late)

    assert found.until == rests
    assert found.observed_until == START + timedelta(days=DAYS + until)


def test_further_files_that_go_on_later_were_seen_too():
    later = (START + timedelta(days=DAYS + 3_000)).timestamp()
    found = cut(20, later)

    assert found.observed_until == START + timedelta(days=DAYS + 3_001)
    assert found.wait == timedelta(days=3_001)
    assert found.until == "the last event time of the further files"


def test_a_draft_whose_second_table_goes_on_later_passes_its_own_check(drafted, check, checkout):
    rows, random = 1_500, np.random.default_rng(3)
    applied = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(random.integers(0, 900, rows)), unit="D")
    income = random.lognormal(8, 0.4, rows).round(0)
    bad = random.random(rows) < 0.15 + 0.25 * (income < 2_500)
    pd.DataFrame({"customer_id": range(1, rows + 1), "applied": applied, "income": income, "default": bad.astype(int)}).to_csv(
        checkout / "applications.csv", index=False)
    as_of = [*(applied - pd.Timedelta(days=9)), *(applied + pd.Timedelta(days=700))]
    pd.DataFrame({"customer_id": [*range(1, rows + 1)] * 2, "as_of": as_of, "balance": random.lognormal(7, 1, 2 * rows).round(2)}).to_csv(
        checkout / "history.csv", index=False)

    said = drafted("two", checkout / "applications.csv", checkout / "history.csv").text
    found = check("two")

    assert "the last event time of the further files" in said
    assert [text for text in found.to_do if EVENT_TIME in text] == []
    assert found.to_do == ()
