"""What the outcome window and the maturity rule do to a dated portfolio: per vintage, and to what develops and tests a model.

Computes from the raw file alone, so that it also shows outcomes that no stage counts. Judges nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import BAD
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from training import casts, outcomes

Array = np.ndarray[Any, Any]
FEW_MONTHS = 36  # up to so many a vintage is a month, beyond it a year
VINTAGE, LOANS, RECORDED, EVER, WITHIN, MATURE = "vintage", "loans", "recorded", "ever", "within", "mature"
DEVELOPMENT, OUT_OF_TIME, LATER = "development", "out-of-time", "later"


def table(portfolio: Portfolio, raw: pa.Table) -> pd.DataFrame:
    """Per vintage, in order: loans; how many have an outcome on record; bad ever; bad within the window; loans mature enough to count.

    Raises DataError where the portfolio is undated, or its file breaks the promises this rests on.
    """
    frame = _frame(portfolio, raw)
    months = frame["moment"].dt.strftime("%Y-%m")
    vintage = months if months.nunique() <= FEW_MONTHS else frame["moment"].dt.strftime("%Y")
    return _counted(frame, vintage).reset_index(names=VINTAGE)


def totals(portfolio: Portfolio, raw: pa.Table) -> pd.DataFrame:
    """The same for the periods of the portfolio's cuts, and bad rates without the rules (ever, of all recorded) and with them (counted)."""
    frame = _frame(portfolio, raw)
    counted = _counted(frame, _periods(portfolio, frame["moment"]))
    good_and_bad = frame[BAD].groupby(_periods(portfolio, frame["moment"])).agg(["count", "sum"])
    rates = {"without": counted[EVER] / counted[RECORDED], "with": good_and_bad["sum"] / good_and_bad["count"]}
    order = [period for period in (DEVELOPMENT, OUT_OF_TIME, LATER) if period in counted.index]
    return counted.assign(**rates).loc[order].reset_index(names="period")


def _frame(portfolio: Portfolio, raw: pa.Table) -> pd.DataFrame:
    """moment, ever and within (1, 0 or missing), mature, and `bad` as ingest counts it, per row."""
    time, declared = portfolio.applications.time, portfolio.outcome
    if not isinstance(time, EventTime):
        raise DataError(f"{portfolio.name} has no time axis: every outcome counts, and there is no vintage to show")
    needed = {time.raw, *declared.raws} - set(raw.column_names)
    if needed:
        raise DataError(f"{portfolio.name}: {sorted(needed)} are not in the file; run: dvc repro validate")
    (moments, unread), ever = casts.time(raw[time.raw], time), casts.outcome(raw[declared.raw], declared)
    counted = outcomes.bad(declared, raw, moments)
    if pc.any(unread).as_py() or counted is None or pa.types.is_string(counted.type):
        raise DataError(f"{portfolio.name}: some times or outcomes cannot be read; dvc repro validate says which and how many")
    columns = {"moment": moments, EVER: ever[0], WITHIN: outcomes.within(declared, raw, ever, moments),
               MATURE: outcomes.mature(declared, moments), BAD: counted}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def _counted(frame: pd.DataFrame, by: Any) -> pd.DataFrame:
    grouped = frame.groupby(by, sort=True)
    return pd.DataFrame({LOANS: grouped.size(), RECORDED: grouped[EVER].count(), EVER: grouped[EVER].sum().astype(int),
                         WITHIN: grouped[WITHIN].sum().astype(int), MATURE: grouped[MATURE].sum().astype(int)})


def _periods(portfolio: Portfolio, moments: pd.Series) -> Array:
    """development, out-of-time, or later (and between): the periods that the cuts of the contract make."""
    time = portfolio.applications.time
    if not isinstance(time, EventTime) or time.develop_until is None or time.out_of_time_from is None:
        raise DataError(f"{portfolio.name} declares no cuts; see EventTime of its first table")
    day = moments.dt.date
    after = day >= time.out_of_time_from
    test = after if time.out_of_time_until is None else after & (day <= time.out_of_time_until)
    return np.select([day <= time.develop_until, test], [DEVELOPMENT, OUT_OF_TIME], default=LATER)
