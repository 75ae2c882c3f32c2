"""The days of the applications of each part, and none where there is no time axis."""

from __future__ import annotations

from datetime import date

import pandas as pd

from training import periods

JUDGED = pd.DataFrame({"part": ["development", "test", "development"],
                       "event_timestamp": pd.to_datetime(["2023-03-02T23:59Z", "2024-01-01T00:00Z", "2023-01-05T08:00Z"])})


def test_each_part_has_its_rows_and_its_first_and_last_day():
    assert periods.by_part(JUDGED, dated=True) == {
        "development": periods.Period(2, date(2023, 1, 5), date(2023, 3, 2)), "test": periods.Period(1, date(2024, 1, 1), date(2024, 1, 1))}


def test_a_portfolio_without_a_time_axis_has_no_days():
    assert periods.by_part(JUDGED, dated=False)["development"] == periods.Period(2, None, None)
