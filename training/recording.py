"""How a dated table was recorded over time: inputs whose missing share jumps, and levels that begin or end, by month or by year.

Outcomes too: where some vintages have settled less often than others, those that have are no picture of all. Such a break is a property of
the record and not of the applicants; a model takes it for one. Tells nothing of a table without a time, nor of periods with too few rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.contract import BAD, EVENT_TIME, Input, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime

Array = np.ndarray[Any, Any]
MONTH, YEAR = "M8[M]", "M8[Y]"
MOST_PERIODS = 60  # a longer history is looked at by year
MOST_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """size: the largest jump of the missing share, or how many levels begin or end; rows it is about, of how many; in words."""

    size: float
    rows: int
    of: int
    words: str


@dataclass(frozen=True)
class Stretch:
    """Neighbouring periods, by place, with about the same missing share."""

    first: int
    last: int
    rows: int
    missing: int

    @property
    def share(self) -> float:
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Recording:
    """Findings by input: jumps of the missing share (of the outcome too, by its name), and levels."""

    jumps: dict[str, Finding]
    levels: dict[str, Finding]


def measure(portfolio: Portfolio, ingest: Path, *, jump: float, least: int) -> Recording:
    """jump: of the missing share, from which a stretch ends; least: fewest rows of a period that is judged."""
    jumps: dict[str, Finding] = {}
    levels: dict[str, Finding] = {}
    for table in portfolio.tables:
        path = ingest / f"{table.name}.parquet"
        for column, periods, names, values in _columns(table, path, least):
            jumps[column.name] = jumps_of(np.asarray(values.is_null()), periods, names, jump=jump, least=least)
            if column.is_level:
                codes = pc.index_in(values, pa.array(column.level_names, pa.string()))
                levels[column.name] = levels_of(codes, column, periods, names, least)
    return Recording(jumps | _of_outcomes(portfolio, ingest, jump, least), levels)


def _of_outcomes(portfolio: Portfolio, ingest: Path, jump: float, least: int) -> dict[str, Finding]:
    """The same of the outcome, over the applications old enough to have one."""
    path, seen = ingest / f"{portfolio.applications.name}.parquet", portfolio.outcome.observed_until
    kinds = dict(zip((schema := pq.read_schema(path)).names, schema.types, strict=True))
    readable = pa.types.is_timestamp(kinds.get(EVENT_TIME, pa.null())) and pa.types.is_floating(kinds.get(BAD, pa.null()))
    if not portfolio.is_dated or seen is None or not readable:
        return {}
    old_enough = pc.field(EVENT_TIME) <= pa.scalar(seen - portfolio.outcome.matures_after)
    rows = pq.read_table(path, columns=[EVENT_TIME, BAD], filters=old_enough)
    periods, names = _periods(rows[EVENT_TIME].combine_chunks().cast(pa.timestamp("us")).to_numpy(), least)
    unknown = np.asarray(rows[BAD].combine_chunks().is_null())
    return {BAD: jumps_of(unknown, periods, names, jump=jump, least=least)} if len(names) > 1 else {}


def jumps_of(missing: Array, periods: Array, names: list[str], *, jump: float, least: int) -> Finding:
    """periods: place in `names` of each row."""
    rows = np.bincount(periods, minlength=len(names))
    lost = np.bincount(periods, weights=missing, minlength=len(names)).astype(np.int64)
    stretches = list(_stretches(rows, lost, jump, least))
    size = max((abs(after.share - before.share) for before, after in pairwise(stretches)), default=0.0)
    return Finding(round(size, 6), int(lost.sum()), int(rows.sum()), _told(stretches, names) if len(stretches) > 1 else "")


def levels_of(codes: pa.Array, column: Input, periods: Array, names: list[str], least: int) -> Finding:
    """Levels that are missing before their first, or after their last period, where they would have been in `least` rows."""
    known = np.asarray(codes.is_valid())
    at = codes.drop_null().to_numpy(zero_copy_only=False).astype(np.int64) * len(names) + periods[known]
    seen = np.bincount(at, minlength=len(column.level_names) * len(names)).reshape(len(column.level_names), len(names))
    rows = np.bincount(periods[known], minlength=len(names))
    found = [(level, words) for level, counts in enumerate(seen) if (words := _begins_or_ends(counts, rows, names, least))]
    told = [f"{column.level_names[level]} {words}" for level, words in found[:MOST_NAMED]]
    more = [f"{len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return Finding(len(found), int(sum(seen[level].sum() for level, _ in found)), int(rows.sum()), ", ".join([*told, *more]))


def _begins_or_ends(counts: Array, rows: Array, names: list[str], least: int) -> str:
    if counts.sum() < least:
        return ""
    first, last = (int(at) for at in np.flatnonzero(counts)[[0, -1]])
    share = counts.sum() / rows[first : last + 1].sum()
    begins = [f"from {names[first]}"] if share * rows[:first].sum() >= least else []
    ends = [f"until {names[last]}"] if share * rows[last + 1 :].sum() >= least else []
    return " ".join([*begins, *ends])


def _columns(table: Table, path: Path, least: int) -> Iterator[tuple[Input, Array, list[str], pa.Array]]:
    """Each input as it can be read, with the period of every dated row, where there are two periods or more."""
    file = pq.ParquetFile(path)
    kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    if not isinstance(table.time, EventTime) or not pa.types.is_timestamp(kinds.get(EVENT_TIME, pa.null())):
        return
    times = file.read(columns=[EVENT_TIME])[EVENT_TIME].combine_chunks()
    dated = times.is_valid()
    periods, names = _periods(times.drop_null().cast(pa.timestamp("us")).to_numpy(), least)
    for column in table.select(Input) if len(names) > 1 else ():
        if column.name in kinds and column.is_level == pa.types.is_string(kinds[column.name]):
            yield column, periods, names, file.read(columns=[column.name])[column.name].combine_chunks().filter(dated)


def _periods(times: Array, least: int) -> tuple[Array, list[str]]:
    """By month where months hold `least` rows and are not too many, else by year."""
    for unit in (MONTH, YEAR):
        names, at, rows = np.unique(times.astype(unit), return_inverse=True, return_counts=True)
        if len(names) <= MOST_PERIODS and len(names) and np.median(rows) >= least:
            return at, names.astype(str).tolist()
    return at, []


def _stretches(rows: Array, missing: Array, jump: float, least: int) -> Iterator[Stretch]:
    """A period with too few rows is left out; one that differs from the stretch before it begins the next."""
    judged = [Stretch(at, at, int(rows[at]), int(missing[at])) for at in np.flatnonzero(rows >= least).tolist()]
    current = judged[:1]
    for period in judged[1:]:
        if abs(period.share - current[0].share) >= jump:
            yield current[0]
            current = [period]
        else:
            current = [Stretch(current[0].first, period.last, current[0].rows + period.rows, current[0].missing + period.missing)]
    yield from current


def _told(stretches: list[Stretch], names: list[str]) -> str:
    first, *between, last = [(f"{each.share:.0%} missing", names[each.first], names[each.last]) for each in stretches]
    spans = [f"{share} in {since}" if since == until else f"{share} {since} to {until}" for share, since, until in between]
    return ", ".join([f"{first[0]} until {first[2]}", *spans, f"{last[0]} from {last[1]}"])
