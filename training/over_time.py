"""Stored columns over time: how many applicants have no value, how values spread, and how old they are at the application.

Responsible for spans that are worth reading (months, quarters or years) and for leaving out a quantile beyond which few applicants lie.
Values are those the model sees, so one that is out of date is missing; its age is told all the same. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from feature_repo.asof import Source, join
from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Stored, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from serving.scoring.kernel import Array
from training import measures

DAY = 86_400.0
LOW, MIDDLE, HIGH = SHARES = (0.1, 0.5, 0.9)
WHOLE = "all"


@dataclass(frozen=True)
class Span:
    """A span of applications. missing: share without a value; the rest are quantiles, None where few lie beyond; ages in days."""

    name: str
    applications: int
    missing: float
    low: float | None
    middle: float | None
    high: float | None
    age: float | None
    oldest: float | None


Spans = dict[str, tuple[Span, ...]]


def measure(portfolio: Portfolio, frame: pd.DataFrame, views: Path, least: int) -> Spans:
    """Of each stored column, its spans, oldest first. frame: every application as assembled; views: the featurized tables."""
    if not portfolio.views:
        return {}
    names = measures.vintages(frame[EVENT_TIME])[1] if portfolio.is_dated else np.full(len(frame), WHOLE)
    ages = _ages(portfolio, frame, views)
    return {column.name: tuple(_spans(frame[column.name], ages[table.name], names, column, least))
            for table in portfolio.views for column in table.stored}


def _ages(portfolio: Portfolio, frame: pd.DataFrame, views: Path) -> dict[str, Array]:
    """Days between an application and what was known at it, by view; NaN where nothing was, or where nothing ages."""
    asked = pa.table({APPLICANT_ID: pa.array(frame[APPLICANT_ID], pa.string()), EVENT_TIME: pa.array(frame[EVENT_TIME])})
    seconds = frame[EVENT_TIME].astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
    ageing = [table for table in portfolio.views if portfolio.is_dated and isinstance(table.time, EventTime)]
    found = join(asked, EVENT_TIME, [_source(table, views / f"{table.name}.parquet") for table in ageing])
    nothing = np.full(len(frame), np.nan)
    return {table.name: (seconds - found[table.as_of].to_numpy()) / DAY if table in ageing else nothing for table in portfolio.views}


def _source(table: Table, path: Path) -> Source:
    return Source(path=path, keys=((APPLICANT_ID, APPLICANT_ID),), time=EVENT_TIME, created=CREATED_TIME, features=((table.as_of,) * 2,))


def _spans(values: pd.Series, ages: Array, names: Array, column: Stored, least: int) -> Iterator[Span]:
    missing = values.isna().to_numpy()
    for name in np.unique(names):
        here = names == name
        numbers = np.array([]) if column.is_level else values[here & ~missing].to_numpy(dtype=float)
        low, middle, high = _quantiles(numbers, least)
        _, age, oldest = _quantiles(ages[here & ~np.isnan(ages)], least)
        yield Span(str(name), int(here.sum()), round(float(missing[here].mean()), 6), low, middle, high, age, oldest)


def _quantiles(values: Array, least: int) -> tuple[float | None, ...]:
    """Those of `SHARES` beyond which at least so many lie."""
    told = [share for share in SHARES if len(values) * min(share, 1 - share) >= least]
    found = dict(zip(told, np.quantile(values, told).tolist() if told else [], strict=True))
    return tuple(float(f"{found[share]:.6g}") if share in found else None for share in SHARES)
