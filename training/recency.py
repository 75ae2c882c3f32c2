"""Applications that stop too early: a file cut off at the end of a row, which no single row shows.

The contract says until when outcomes were seen and how long they take to mature, so applications should reach the last day whose outcomes
count, or the last of the out-of-time test where that is earlier: who ends the test there does not trust what follows. What is cut off
after that day, or from a portfolio without a time axis, shows only against `rows` of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.contract import EVENT_TIME
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime


@dataclass(frozen=True)
class Recency:
    """share: applications of the last days whose outcomes count, over the average of as many days; recent: how many, of how many."""

    share: float
    recent: int
    of: int


def measure(portfolio: Portfolio, ingest: Path, *, days: int) -> Recency | None:
    """None where nothing can be told: no time axis, times that could not be cast, or a history of less than twice `days`."""
    path, until = ingest / f"{portfolio.applications.name}.parquet", portfolio.outcome.observed_until
    kinds = dict(zip((schema := pq.read_schema(path)).names, schema.types, strict=True))
    if not portfolio.is_dated or until is None or not pa.types.is_timestamp(kinds.get(EVENT_TIME, pa.null())):
        return None
    last, span = _last(portfolio, until), timedelta(days=days)
    times = pq.read_table(path, columns=[EVENT_TIME], filters=pc.field(EVENT_TIME) <= pa.scalar(last))[EVENT_TIME]
    if not len(times) or last - pc.min(times).as_py() < 2 * span:
        return None
    recent = int(pc.sum(pc.greater(times, pa.scalar(last - span))).as_py())
    average = len(times) * span / (last - pc.min(times).as_py())
    return Recency(round(recent / average, 6), recent, len(times))


def _last(portfolio: Portfolio, until: datetime) -> datetime:
    """The last moment that applications should reach."""
    mature, time = until - portfolio.outcome.matures_after, portfolio.applications.time
    if not isinstance(time, EventTime) or time.out_of_time_until is None:
        return mature
    return min(mature, datetime.combine(time.out_of_time_until + timedelta(days=1), datetime.min.time(), UTC))
