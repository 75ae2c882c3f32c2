"""Windows: decisions with their business time, whether scored by the baseline or exported from the ledger.

Responsible for reading one strictly, cutting it by vintage, telling which outcomes count, and joining the vault.
Refuses a window of another portfolio, of no decision by this release, or without its columns; judges nothing.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from governance.release import Release
from serving.scoring.kernel import Array
from training import measures

DECISION_ID = "decision_id"
DECIDED_AT = "decided_at"
PORTFOLIO = "portfolio"
RELEASE_ID = "release_id"
OBSERVED_UNTIL = "observed_until"  # only where outcomes were joined as of a moment, which it names
CONTRADICTED = "contradicted"  # only there: bad, and something else was seen later
KEYS = (DECISION_ID, DECIDED_AT, PORTFOLIO, RELEASE_ID, APPLICANT_ID, APPLICATION_ID)
SCORED = ("pd", "margin", "score", "band", "outcome", "reasons")
ALL = "all"


def schema(portfolio: Portfolio) -> pa.Schema:
    """The Arrow schema every window of the portfolio has."""
    kinds = {DECIDED_AT: pa.timestamp("us", tz="UTC"), "pd": pa.float64(), "margin": pa.float64(), "score": pa.int64(), BAD: pa.float64()}
    inputs = {column.name: pa.string() if column.is_level else pa.float64() for column in portfolio.inputs}
    names = (*KEYS, *inputs, *SCORED, BAD)
    return pa.schema([(name, inputs.get(name) or kinds.get(name) or pa.string()) for name in names])


def read(path: Path, portfolio: Portfolio, release: Release, *, columns: tuple[str, ...]) -> pd.DataFrame:
    """The keys and the given columns of the decisions that `release` made, ordered by time and decision.

    Raises DataError for a file that is no whole window of this portfolio, holds a decision twice, or none of this release.
    """
    try:
        there = pq.read_schema(path).names
    except pa.ArrowInvalid:
        raise DataError(f"{path.name} is cut off or no Parquet file; run the stage baseline again, or export the window again") from None
    wanted = list(dict.fromkeys((*KEYS, *columns)))
    absent = sorted(set(wanted) - set(there))
    if absent:
        raise DataError(f"{path.name} has no column {absent}: it is not a window of {portfolio.name}; run the stage baseline again")
    frame = pd.read_parquet(path, columns=[*wanted, *(name for name in (OBSERVED_UNTIL, CONTRADICTED) if name in there)])
    foreign = sorted(set(frame[PORTFOLIO]) - {portfolio.name})
    if foreign:
        raise DataError(f"{path.name} holds decisions of {foreign}; this is the monitoring of {portfolio.name}")
    frame = frame[frame[RELEASE_ID] == release.id]
    if frame.empty:
        raise not_by(release, path)
    if frame[DECISION_ID].duplicated().any() or frame[DECIDED_AT].isna().any():
        raise not_once(path)
    return frame.sort_values([DECIDED_AT, DECISION_ID], ignore_index=True)


def not_by(release: Release, path: Path) -> DataError:
    """What is said of a file without a decision by a release."""
    return DataError(f"{path.name} holds no decision by release {release.id[:12]}; make a window of that release: "
                     "run the stage baseline, or tally export")


def not_once(path: Path) -> DataError:
    """What is said of a file that holds a decision twice, or one without a time."""
    return DataError(f"{path.name}: every decision must be there once and have a time; export the window again")


def months(frame: pd.DataFrame, portfolio: Portfolio) -> Array:
    """The month of each decision as "YYYY-MM", or its quarter or year where months are too many or too thin; "all" without a time axis."""
    return measures.vintages(frame[DECIDED_AT])[1] if portfolio.is_dated else np.full(len(frame), ALL)


def vintage(frame: pd.DataFrame, portfolio: Portfolio) -> str:
    """The word for the spans of `slices`: month, quarter or year."""
    return measures.vintages(frame[DECIDED_AT])[0] if portfolio.is_dated else "window"


def slices(frame: pd.DataFrame, portfolio: Portfolio) -> Iterator[tuple[str, slice]]:
    """Each month (or quarter, or year) with its rows, oldest first; `frame` is in order of time, as `read` gives it."""
    found, starts = np.unique(months(frame, portfolio), return_index=True)
    for month, start, stop in zip(found, starts, [*starts[1:], len(frame)], strict=True):
        yield str(month), slice(int(start), int(stop))


def vintages(decisions: Mapping[str, int], portfolio: Portfolio) -> dict[str, str]:
    """Each month with the span that `months` tells its decisions by. decisions: of each month, or of "all" without a time axis."""
    for span in (str, _quarter):
        counts = collections.Counter[str]()
        for month, number in decisions.items():
            counts[span(month)] += number
        many = len(counts) > measures.MOST_VINTAGES or statistics.median(counts.values()) < measures.FEWEST_IN_VINTAGE
        if not (portfolio.is_dated and many):
            return {month: span(month) for month in decisions}
    return {month: _year(month) for month in decisions}


def _quarter(month: str) -> str:
    return f"{_year(month)}-Q{(int(month[-2:]) + 2) // 3}"


def _year(month: str) -> str:
    return month.partition("-")[0]


def matured(frame: pd.DataFrame, portfolio: Portfolio) -> Array:
    """Which decisions have an outcome that counts: known, and old enough when outcomes were last observed."""
    known = frame[BAD].notna().to_numpy()
    return known & old_enough(frame, portfolio, portfolio.outcome.matures_after) if portfolio.is_dated else known


def old_enough(frame: pd.DataFrame, portfolio: Portfolio, age: timedelta) -> Array:
    """Which decisions were at least so old when outcomes were last observed."""
    return (frame[DECIDED_AT] + age <= observed_until(frame, portfolio)).to_numpy()


def observed_until(frame: pd.DataFrame, portfolio: Portfolio) -> pd.Timestamp:
    """When outcomes were last observed: the moment they were joined as of, where they were, else the day that the contract names.

    Without either it is the newest decision of the window: a default is known early, a good payer late, so counting young outcomes
    would overstate the bad rate.
    """
    if OBSERVED_UNTIL in frame:
        return pd.Timestamp(frame[OBSERVED_UNTIL].max()).tz_convert("UTC")
    return pd.Timestamp(portfolio.outcome.observed_until or frame[DECIDED_AT].max()).tz_convert("UTC")


def with_vault(frame: pd.DataFrame, vault: Path, portfolio: Portfolio) -> pd.DataFrame:
    """`frame` with one text column per protected attribute, null where the vault does not know the application."""
    names = [column.name for column in portfolio.protected]
    protected = pd.read_parquet(vault / "protected.parquet", columns=[APPLICATION_ID, *names])
    if protected[APPLICATION_ID].duplicated().any():
        raise DataError("the vault holds an application twice; run the stage ingest again")
    return frame.merge(protected, on=APPLICATION_ID, how="left", validate="many_to_one")
