"""Counting windows: by month, from a frame or streamed from Parquet files of any length, one row group at a time.

Responsible for memory that does not grow with the rows: of a window only counts are kept, of columns in their frozen bins, and of groups
by outcome where asked for. Counts of months, files and machines add up exactly (`serving.scoring.counts.merge`). Decisions of another
portfolio or release are not counted. Refuses files that are no window; that a decision is there twice it does not notice
(`monitoring.window.read` and `monitoring.ordered` do).
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from monitoring import window
from serving.scoring.bins import Bins
from serving.scoring.counter import Counter
from serving.scoring.counts import Counts, merge
from serving.scoring.kernel import Array, Levels

OUTCOME = "outcome"
ROWS = 1 << 17  # of a batch: what is in memory at once
NOT_STATED = "not stated"


class Group(msgspec.Struct, frozen=True, order=True):
    """Who, when, and with which outcome. group: a text of the column, "not stated" where it has none."""

    month: str
    column: str
    group: str
    outcome: str


class GroupCount(msgspec.Struct, frozen=True):
    """How many decisions there are of a group."""

    at: Group
    decisions: int


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A window by month ("all" without a time axis), and the decisions of groups in it. release_id: of all of them; null: of any."""

    release_id: str | None
    months: dict[str, Counts]
    groups: tuple[GroupCount, ...] = ()

    @property
    def rows(self) -> int:
        """How many decisions were counted."""
        return sum(counts.rows for counts in self.months.values())


@dataclass(frozen=True)
class Asked:
    """What is counted: the columns of `bins`, and groups of the columns named; of decisions of one release, of any where none is named.

    beside: columns that are read for whoever looks at the rows as well.
    """

    portfolio: Portfolio
    bins: Mapping[str, Bins]
    release_id: str | None = None
    groups: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        keys = (window.DECIDED_AT, window.PORTFOLIO, window.RELEASE_ID)
        return tuple(dict.fromkeys((*keys, *self.bins, *self.groups, *((OUTCOME,) if self.groups else ()), *self.beside)))


Look = Callable[[str, pa.RecordBatch], None]


def stream(paths: Iterable[Path], asked: Asked, looks: Iterable[Look] = ()) -> Counted:
    """Count files of windows, in one pass. Raises DataError for one that is none. looks: are shown the rows of each month as they come."""
    running, others = _Running(asked), tuple(looks)
    for month, rows in parts(paths, asked):
        running.add(month, rows)
        for look in others:
            look(month, rows)
    return running.found()


def parts(paths: Iterable[Path], asked: Asked) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of files some at a time, each with their month, in the order of the files; of some the oldest month first."""
    for path in paths:
        for batch in _batches(path, asked):
            yield from _months(batch, asked.portfolio)


def add(first: Counted, second: Counted) -> Counted:
    """What both counted: months of the same name are merged. Raises DataError where they are of two releases."""
    if first.release_id != second.release_id:
        raise DataError(f"these are counts of two releases, {(first.release_id or 'any')[:12]} and {(second.release_id or 'any')[:12]}; "
                        "count the windows anew with one")
    months = {month: merge(first.months.get(month, Counts({})), second.months.get(month, Counts({})))
              for month in sorted(first.months | second.months)}
    groups: collections.Counter[Group] = collections.Counter()
    for each in (*first.groups, *second.groups):
        groups[each.at] += each.decisions
    return Counted(first.release_id, months, _sorted(groups))


def _sorted(groups: collections.Counter[Group]) -> tuple[GroupCount, ...]:
    return tuple(GroupCount(at, groups[at]) for at in sorted(groups))


@dataclass
class _Running:
    """Counters by month, while batches come in."""

    asked: Asked
    counters: dict[str, Counter] = field(default_factory=dict)
    groups: collections.Counter[Group] = field(default_factory=collections.Counter)

    def add(self, month: str, rows: pa.RecordBatch) -> None:
        if month not in self.counters:
            self.counters[month] = Counter.of(self.asked.bins, self.asked.portfolio)
        self.counters[month].add({name: plain(rows[name]) for name in self.asked.bins})
        for column in self.asked.groups:
            self._cross(month, column, rows)

    def found(self) -> Counted:
        months = {month: self.counters[month].found() for month in sorted(self.counters)}
        return Counted(self.asked.release_id, months, _sorted(self.groups))

    def _cross(self, month: str, column: str, rows: pa.RecordBatch) -> None:
        """Every group of a column by outcome."""
        group, outcome = plain(rows[column]), plain(rows[OUTCOME])
        if not isinstance(group, Levels) or not isinstance(outcome, Levels):
            raise DataError(f"{column} and {OUTCOME} must hold texts to be counted by group")
        names = (*group.names, NOT_STATED)
        wide = len(outcome.names)
        crossed = np.bincount(np.where(group.codes < 0, len(group.names), group.codes) * wide + outcome.codes, minlength=len(names) * wide)
        for at in np.flatnonzero(crossed).tolist():
            self.groups[Group(month, column, names[at // wide], outcome.names[at % wide])] += int(crossed[at])


def plain(column: pa.Array) -> Array | Levels:
    """Numbers as float64 with NaN for missing, texts as `Levels`; without a copy where Arrow has them so."""
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Levels(codes, tuple(coded.dictionary.to_pylist()))
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _batches(path: Path, asked: Asked) -> Iterator[pa.RecordBatch]:
    """One row group at a time: one reader of all of them holds on to what it has read."""
    columns = list(asked.columns)
    try:
        with pq.ParquetFile(path) as about:
            groups, there = about.num_row_groups, about.schema_arrow
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path.name} is cut off or no Parquet file ({type(error).__name__}); run the stage baseline again, or export the "
                        "window again") from None
    absent = sorted(set(columns) - set(there.names))
    if absent:
        raise DataError(f"{path.name} has no column {absent}: it is not a window of {asked.portfolio.name}")
    texts = [name for name in columns if name != window.DECISION_ID and pa.types.is_string(there.field(name).type)]
    for group in range(groups):
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(ROWS, row_groups=[group], columns=columns):
                if len(ours := _ours(batch, path, asked)):
                    yield ours


def _ours(batch: pa.RecordBatch, path: Path, asked: Asked) -> pa.RecordBatch:
    foreign = sorted(_texts(batch[window.PORTFOLIO]) - {asked.portfolio.name})
    if foreign:
        raise DataError(f"{path.name} holds decisions of {foreign}; this is the monitoring of {asked.portfolio.name}")
    if batch[window.DECIDED_AT].null_count:
        raise window.not_once(path)
    if asked.release_id is None or _texts(batch[window.RELEASE_ID]) == {asked.release_id}:
        return batch
    return batch.filter(pc.equal(batch[window.RELEASE_ID].cast(pa.string()), asked.release_id))


def _texts(column: pa.Array) -> set[str]:
    """The different texts of a column, "" for missing; a dictionary of one tells without a look at the rows."""
    if isinstance(column, pa.DictionaryArray) and len(column.dictionary) == 1 and not column.null_count:
        return set(column.dictionary.to_pylist())
    return {text or "" for text in pc.unique(column).to_pylist()}


def _months(batch: pa.RecordBatch, portfolio: Portfolio) -> Iterator[tuple[str, pa.RecordBatch]]:
    if not portfolio.is_dated:
        yield window.ALL, batch
        return
    times = np.asarray(batch[window.DECIDED_AT].cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)).astype("M8[M]")
    months, first, at = np.unique(times, return_index=True, return_inverse=True)
    in_order = bool(np.all(at[1:] >= at[:-1]))
    for place, (month, start, stop) in enumerate(zip(months, first, [*first[1:], len(at)], strict=True)):
        yield str(month), batch.slice(start, stop - start) if in_order else batch.filter(pa.array(at == place))
