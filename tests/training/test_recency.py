"""A dated file that was cut off at the end of a row is seen by the days it does not reach; what cannot tell is not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.contract import EVENT_TIME
from feature_repo.sources import Undated
from training import recency

DAYS = 30


@pytest.fixture
def ingest(harbour, tmp_path):
    """Writes one application every hour up to the last day whose outcomes count, and a month more; then drops the last share."""
    last = pd.Timestamp(harbour.outcome.observed_until - harbour.outcome.matures_after)

    def write(kept=1.0, *, days=400, kind=None):
        times = pd.date_range(last - pd.Timedelta(days=days), last + pd.Timedelta(days=30), freq="h")
        array = pa.array(times[: round(kept * len(times))], pa.timestamp("us", "UTC"))
        pq.write_table(pa.table({EVENT_TIME: array.cast(kind or array.type)}), tmp_path / f"{harbour.applications.name}.parquet")
        return tmp_path

    return write


def test_a_whole_file_has_as_many_late_applications_as_ever(harbour, ingest):
    seen = recency.measure(harbour, ingest(), days=DAYS)

    assert seen == recency.Recency(pytest.approx(1, abs=0.01), DAYS * 24, 400 * 24 + 1)


@pytest.mark.parametrize(("kept", "share"), [(0.95, 1), (0.9, 0.59), (0.8, 0)])
def test_what_is_cut_off_before_outcomes_stop_counting_is_missed(harbour, ingest, kept, share):
    assert recency.measure(harbour, ingest(kept), days=DAYS).share == pytest.approx(share, abs=0.07)


def test_applications_need_not_reach_beyond_the_last_day_of_the_test(harbour, ingest):
    """Cut off 40 days early: too early for all outcomes that count, in time for a test that ends 60 days before."""
    last = harbour.outcome.observed_until - harbour.outcome.matures_after
    until = replace(harbour.applications.time, out_of_time_until=(last - timedelta(days=60)).date())
    ended = replace(harbour, tables=(replace(harbour.applications, time=until), *harbour.tables[1:]))

    assert recency.measure(harbour, ingest(360 / 430), days=DAYS).share == 0
    assert recency.measure(ended, ingest(360 / 430), days=DAYS).share == pytest.approx(1, abs=0.02)


def test_where_nothing_can_be_told_nothing_is_measured(harbour, ingest):
    undated = replace(harbour, tables=(replace(harbour.applications, time=Undated()), *harbour.tables[1:]))

    assert recency.measure(undated, ingest(), days=DAYS) is None
    assert recency.measure(harbour, ingest(days=50), days=DAYS) is None
    assert recency.measure(harbour, ingest(kept=0), days=DAYS) is None
    assert recency.measure(harbour, ingest(kind=pa.string()), days=DAYS) is None
