"""Inputs that know the outcome, and stored tables that were cut off: two faults that no single row shows.

Looks at an even sample of the applications, each with its stored values as they were known when it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, BAD, EVENT_TIME, Table
from feature_repo.portfolio import Portfolio
from training import power

Array = np.ndarray[Any, Any]
TENTHS = 10
BLANK = pd.Series(dtype=object)


@dataclass(frozen=True)
class Measures:
    """aucs: input -> AUC of that input alone, over `labelled` outcomes, empty where those are too few to tell.

    one_sided: input -> in words, where it is filled or missing for one outcome alone, else empty; as empty as aucs.
    coverage: stored table -> share of applications that find a row there, worst tenth over best; without: how many find none, of how
    many.
    """

    aucs: dict[str, float]
    one_sided: dict[str, str]
    labelled: int
    coverage: dict[str, float]
    without: dict[str, tuple[int, int]]


def measure(portfolio: Portfolio, ingest: Path, *, sample: int, least: int, seed: int) -> Measures:
    """sample: how many applications to look at; least: fewest bad, and fewest good, outcomes to tell from; seed: of the folds."""
    applications = _sample(pq.read_table(ingest / f"{portfolio.applications.name}.parquet"), sample)
    values, coverage, without = applications, {}, {}
    joins = APPLICANT_ID in applications and applications.get(EVENT_TIME, BLANK).dtype != object
    for table in portfolio.views:
        if table is not portfolio.applications and joins:
            stored = as_of(applications, table, ingest)
            found = stored.pop(EVENT_TIME).notna().to_numpy()
            coverage[table.name], without[table.name] = _worst_over_best(found), (int((~found).sum()), len(found))
            values = values.join(stored)
    known, bad = _outcomes(applications)
    if min(bad.sum(), len(bad) - bad.sum()) < least:
        return Measures({}, {}, len(bad), coverage, without)
    seen = values[known]
    return Measures(_alone(portfolio, seen, bad, seed), _one_sided(portfolio, seen, bad, least), len(bad), coverage, without)


def _outcomes(applications: pd.DataFrame) -> tuple[Array, Array]:
    """Which applications have an outcome, and theirs; none where it could not be read."""
    labels = applications.get(BAD, BLANK)
    known = labels.notna().to_numpy() & (labels.dtype != object)
    return known, labels[known].to_numpy(dtype=np.float64)


def _alone(portfolio: Portfolio, values: pd.DataFrame, bad: Array, seed: int) -> dict[str, float]:
    there = [column for column in portfolio.raw_inputs if column.name in values]
    numbers = {column.name: power.of_number(values[column.name].to_numpy(), bad, special=column.special, seed=seed)
               for column in there if values[column.name].dtype == np.float64}
    levels = {column.name: power.of_level(values[column.name], bad, seed=seed) for column in there if column.is_level}
    return {name: round(figure, 6) for name, figure in {**numbers, **levels}.items()}


def _one_sided(portfolio: Portfolio, values: pd.DataFrame, bad: Array, least: int) -> dict[str, str]:
    there = {column.name: values[column.name].notna().to_numpy() for column in portfolio.raw_inputs if column.name in values}
    return {name: power.one_sided(filled, bad, least) for name, filled in there.items()}


def _sample(applications: pa.Table, sample: int) -> pd.DataFrame:
    """An even sample in order of time, where there is one."""
    at = np.linspace(0, applications.num_rows - 1, min(sample, applications.num_rows)).astype(np.int64)
    taken: pd.DataFrame = applications.take(pa.array(at)).to_pandas()
    dated = EVENT_TIME in taken and taken[EVENT_TIME].dtype != object
    return (taken.sort_values(EVENT_TIME, kind="stable") if dated else taken).reset_index(drop=True)


def as_of(applications: pd.DataFrame, table: Table, ingest: Path) -> pd.DataFrame:
    """The stored values each application would have seen, on its index, and the time of their row (null: none, or too old)."""
    path = ingest / f"{table.name}.parquet"
    wanted = [APPLICANT_ID, EVENT_TIME, *(column.name for column in table.stored)]
    schema = pq.read_schema(path)
    if not {APPLICANT_ID, EVENT_TIME} <= set(schema.names) or not pa.types.is_timestamp(schema.field(EVENT_TIME).type):
        return pd.DataFrame({EVENT_TIME: pd.Series(pd.NaT, index=applications.index)})
    asked = applications[[APPLICANT_ID, EVENT_TIME]].dropna()
    rows = pq.read_table(path, columns=[name for name in wanted if name in schema.names],
                         filters=pc.field(APPLICANT_ID).isin(pa.array(asked[APPLICANT_ID].unique(), pa.string()))).to_pandas()
    rows = rows.dropna(subset=EVENT_TIME).sort_values(EVENT_TIME, kind="stable").assign(at=lambda row: row[EVENT_TIME])
    found: pd.DataFrame = pd.merge_asof(asked, rows, on=EVENT_TIME, by=APPLICANT_ID, tolerance=_oldest(table)).set_axis(asked.index)
    return found.drop(columns=[APPLICANT_ID, EVENT_TIME]).rename(columns={"at": EVENT_TIME}).reindex(applications.index)


def _oldest(table: Table) -> timedelta | None:
    """How old a row of the table may be and still be of use."""
    ages = [column.fresh_for for column in table.stored]
    return None if None in ages else max(age for age in ages if age is not None)


def _worst_over_best(found: Array) -> float:
    """Of ten equal parts of the applications, the share that found a row in the worst over that in the best."""
    shares = [part.mean() for part in np.array_split(found, min(TENTHS, len(found)))] if len(found) else [0.0]
    return round(float(min(shares) / max(shares)), 6) if max(shares) > 0 else 0.0
