"""Windows of the record: every decision in the window of its business time, as Parquet in the schema the monitoring stages read.

Responsible for equal bytes from an equal record, for memory that does not grow with it, and for saying in each window what could not be
read. A decision whose content is gone has no business time: it is counted where the decision recorded before it is. Judges no decision.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD
from feature_repo.portfolio import Portfolio
from governance.ledger.book import Book
from governance.ledger.windows import Decided, Unread, decisions
from governance.release import sync
from monitoring import window
from monitoring.calendar import Grain, after, begin, midnight

AT_ONCE = 5_000
GROUP = 20_000  # rows of a window that are written together
MOST_NAMED = 20
NOTE = b"tallystick"
Told = Callable[[int], object]
Span = tuple[datetime | None, datetime | None]
ALWAYS: Span = (None, None)
DRAFT = "all.parquet"


class Left(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a window could not take up: how many decisions were erased, altered or unreadable, and the first entries of the last two."""

    erased: int = 0
    altered: int = 0
    unreadable: int = 0
    entries: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """In words; empty where it is nothing."""
        counted = {"erased": self.erased, "altered since they were recorded": self.altered, "unreadable": self.unreadable}
        named = f" (entries {', '.join(self.entries)})" if self.entries else ""
        return ", ".join(f"{number:,} {what}" for what, number in counted.items() if number) + named

    def __add__(self, other: Left) -> Left:
        return Left(self.erased + other.erased, self.altered + other.altered, self.unreadable + other.unreadable,
                    (self.entries + other.entries)[:MOST_NAMED])


NONE = Left()


@dataclass(frozen=True)
class Written:
    """A window's file. decisions: rows in it."""

    start: date
    path: Path
    decisions: int
    left: Left


@dataclass
class Draft:
    """All decisions in one file, in the order recorded. groups: window -> the row groups that hold some of it."""

    groups: dict[date, list[int]] = field(default_factory=dict)
    left: dict[date, Left] = field(default_factory=dict)
    homeless: list[Unread] = field(default_factory=list)
    last: date | None = None


@dataclass(frozen=True)
class Windows:
    """The windows of a portfolio that are of one grain, as files. They hold what was decided on, so they are for their owner alone."""

    home: Path
    grain: Grain

    @property
    def folder(self) -> Path:
        return self.home / self.grain.value

    def path(self, start: date) -> Path:
        return self.folder / f"{start.isoformat()}.parquet"

    def there(self) -> list[date]:
        """The first days of those that were exported, oldest first."""
        return sorted(date.fromisoformat(path.stem) for path in self.folder.glob("*.parquet"))


def export(book: Book, portfolio: Portfolio, windows: Windows, span: Span = ALWAYS, *, told: Told = lambda _: None) -> list[Written]:
    """Write every window that is wholly or partly in the span [since, until), whole, oldest first.

    A window whose decisions were all erased is written without a row. What was exported before and is in no window any more is removed.
    """
    grain = windows.grain
    windows.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=windows.home, prefix=".draft-") as scratch:
        draft = _draft(book, portfolio, grain, Path(scratch) / DRAFT, told)
        starts = [start for start in sorted({*draft.groups, *draft.left}) if within(start, grain, span)]
        written = [_write(Path(scratch) / DRAFT, windows, start, draft) for start in starts]
    for start in windows.there():
        if start not in starts and within(start, grain, span):
            windows.path(start).unlink()
    return written


def within(start: date, grain: Grain, span: Span) -> bool:
    """Whether a window shares a moment with [since, until)."""
    since, until = span
    return (since is None or since < midnight(after(start, grain))) and (until is None or midnight(start) < until)


def left_of(path: Path) -> Left:
    """What a window's file says it could not take up; nothing where it was not exported from a record."""
    said = (pq.read_schema(path).metadata or {}).get(NOTE)
    return msgspec.json.decode(said, type=Left) if said else NONE


def _draft(book: Book, portfolio: Portfolio, grain: Grain, path: Path, told: Told) -> Draft:
    """Read the record once into one file."""
    found, schema, number = decisions(book), window.schema(portfolio), 0
    draft = Draft()
    with pq.ParquetWriter(path, schema) as file:
        while some := list(islice(found, AT_ONCE)):
            rows = list(_readable(some, portfolio, grain, draft))
            if rows:
                file.write_table(table(rows, portfolio), row_group_size=AT_ONCE)
                for start in {begin(one.decided_at, grain) for one in rows}:
                    draft.groups.setdefault(start, []).append(number)
                number += 1
            told(len(some))
    for one in draft.homeless:
        _leave(draft, begin(datetime.fromisoformat(one.recorded_at), grain), one)
    return draft


def _readable(some: Iterable[Decided | Unread], portfolio: Portfolio, grain: Grain, draft: Draft) -> Iterator[Decided]:
    """The decisions of this portfolio; what is none is counted where the one before it is, the very first where the first one is."""
    for one in some:
        if isinstance(one, Decided) and _fits(one, portfolio):
            draft.last = begin(one.decided_at, grain)
            for early in draft.homeless:
                _leave(draft, draft.last, early)
            draft.homeless.clear()
            yield one
        else:
            gone = one if isinstance(one, Unread) else Unread(one.decision_id, one.decided_at.isoformat(), "unreadable")
            if draft.last is None:
                draft.homeless.append(gone)
            else:
                _leave(draft, draft.last, gone)


def _fits(one: Decided, portfolio: Portfolio) -> bool:
    """Whether the values are of the kinds that the contract's inputs have now; an input that is newer than the decision is absent."""
    return one.portfolio == portfolio.name and all(
        (value := one.values.get(column.name)) is None or isinstance(value, str) is column.is_level for column in portfolio.inputs)


def _leave(draft: Draft, start: date, one: Unread) -> None:
    named = () if one.why == "erased" else (one.entry,)
    counted = {"erased": Left(erased=1), "altered": Left(altered=1, entries=named), "unreadable": Left(unreadable=1, entries=named)}
    draft.left[start] = draft.left.get(start, NONE) + counted[one.why]


def table(rows: Sequence[Decided], portfolio: Portfolio) -> pa.Table:
    """Decisions as rows of a window. A live decision is its own application: its id is that of both."""
    columns: dict[str, list[Any]] = {
        window.DECISION_ID: [one.decision_id for one in rows], window.DECIDED_AT: [one.decided_at for one in rows],
        window.PORTFOLIO: [one.portfolio for one in rows], window.RELEASE_ID: [one.release_id for one in rows],
        APPLICANT_ID: [one.applicant_id for one in rows], APPLICATION_ID: [one.decision_id for one in rows],
        **{column.name: [one.values.get(column.name) for one in rows] for column in portfolio.inputs},
        **{name: [getattr(one, name) for one in rows] for name in window.SCORED},
        "reasons": [bytes(one.reasons).decode() for one in rows], BAD: [None] * len(rows),
    }
    return pa.table(columns, window.schema(portfolio))


def _write(drafted: Path, windows: Windows, start: date, draft: Draft) -> Written:
    """One window from the draft, whole before it has its name; one that is there with the same bytes stays as it is."""
    left, path, made = draft.left.get(start, NONE), windows.path(start), drafted.with_name("window.parquet")
    rows = 0
    with pq.ParquetFile(drafted) as source:
        schema = source.schema_arrow.with_metadata({NOTE: msgspec.json.encode(left)})
        with pq.ParquetWriter(made, schema) as file:
            for part in _parts(source, start, windows.grain, draft.groups.get(start, [])):
                file.write_table(part.replace_schema_metadata(schema.metadata), row_group_size=GROUP)
                rows += part.num_rows
    if not path.is_file() or not filecmp.cmp(path, made, shallow=False):
        made.chmod(0o600)
        sync(made)
        made.replace(path)
        sync(path.parent)
    return Written(start, path, rows, left)


def _parts(source: pq.ParquetFile, start: date, grain: Grain, groups: Sequence[int]) -> Iterator[pa.Table]:
    """The rows of a window in pieces of `GROUP`, whatever groups they were read from."""
    first, last = (pa.scalar(midnight(day), pa.timestamp("us", tz="UTC")) for day in (start, after(start, grain)))
    kept: list[pa.Table] = []
    for group in groups:
        some = source.read_row_group(group)
        at = some[window.DECIDED_AT]
        kept.append(some.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last))))
        while sum(map(len, kept)) >= GROUP:
            whole = pa.concat_tables(kept)
            yield whole.slice(0, GROUP)
            kept = [whole.slice(GROUP)]
    if kept and sum(map(len, kept)):
        yield pa.concat_tables(kept)
