"""`tally score`: every row of a Parquet file scored with one release, by the kernel and the checks of the service.

Responsible for memory that does not grow with the file, and for an output that is whole or not there: parts are written beside it, each
whole or not there either, and joined at the end; a run that was killed goes on after its last part. Refuses rows that break the contract
(or sets them aside, where asked to), and to go on with parts of another file, release or question. Nothing is decided or recorded: a score
in a file is nobody's decision.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from feature_repo.errors import DataError
from governance.release import Release, sync
from serving import tables
from serving.scoring.decision import Scorer
from serving.tables import Bad
from tally import scored

ROWS = 1 << 17  # of a part: what a killed run does again
FOOTER = 1 << 16
MOST_NAMED = 20
PLAN = "plan.json"
FEW = ["band", "outcome", "reasons"]  # columns in which texts come again; looking for such in others costs more than all else of writing
REJECTS = pa.schema([("row", pa.int64()), ("column", pa.string()), ("allowed", pa.string())])


@dataclass(frozen=True)
class Asked:
    """What is wanted. rejects: where rows that break the contract are named; without it they refuse the file."""

    source: Path
    target: Path
    reasons: bool = False
    rejects: Path | None = None


@dataclass(frozen=True)
class Told:
    """What came of it: rows scored, rows set aside, and parts that an earlier run had left."""

    rows: int
    rejected: int
    taken_up: int


def score(asked: Asked, scorer: Scorer, release: Release) -> Told:
    """Score the file. Raises DataError."""
    with opened(asked.source) as source:
        tables.require_columns(scorer.portfolio, source.schema_arrow)
        parts = Parts.of(asked, release)
        taken_up = parts.done
        _fill(parts, source, scorer, asked)
        return Told(*parts.join(asked, scorer, release), taken_up)


def opened(path: Path) -> pq.ParquetFile:
    """The file, to read in pieces. Raises DataError."""
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is no Parquet file that can be read ({type(error).__name__})") from None


@dataclass(frozen=True)
class Parts:
    """The folder of what is done so far, beside the target."""

    folder: Path

    @classmethod
    def of(cls, asked: Asked, release: Release) -> Parts:
        """The parts of an earlier run for the same, else none. Raises DataError where the target cannot be written."""
        for path in filter(None, (asked.target, asked.rejects)):
            if not path.parent.is_dir():
                raise DataError(f"{path.parent} is not a folder")
        parts = cls(asked.target.with_name(f".{asked.target.name}.parts"))
        plan = msgspec.json.encode({"file": identity(asked.source), "release": release.id, "reasons": asked.reasons,
                                    "rejects": asked.rejects is not None, "rows": ROWS})
        with suppress(OSError):
            if (parts.folder / PLAN).read_bytes() == plan:
                return parts
        shutil.rmtree(parts.folder, ignore_errors=True)
        parts.folder.mkdir()
        _place(parts.folder / PLAN, lambda draft: draft.write_bytes(plan))
        return parts

    @property
    def done(self) -> int:
        """How many parts from the first on are there."""
        at = 0
        while self.path(at).exists():
            at += 1
        return at

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06}.parquet"

    def bad(self, number: int) -> Path:
        return self.folder / f"{number:06}.bad"

    def keep(self, number: int, found: pa.Table, bad: tuple[Bad, ...]) -> None:
        """Write a part; its rejects first, so that a part that is there has them."""
        if bad:
            _place(self.bad(number), lambda draft: draft.write_bytes(msgspec.json.encode(bad)))
        _place(self.path(number), lambda draft: pq.write_table(found, draft, compression="none", use_dictionary=FEW))

    def join(self, asked: Asked, scorer: Scorer, release: Release) -> tuple[int, int]:
        """Put the parts together in place of the target and the rejects, and let go of them: rows scored, and rows set aside."""
        number = self.done
        schema = scored.schema(opened(asked.source).schema_arrow, scorer, release, reasons=asked.reasons)
        rejected = self._rejects(asked.rejects, number) if asked.rejects else 0
        draft = asked.target.with_name(f".{asked.target.name}.whole")
        with pq.ParquetWriter(draft, schema, compression="zstd", compression_level=1, use_dictionary=FEW) as writer:
            rows = 0
            for at in range(number):
                part = pq.read_table(self.path(at)).cast(schema)
                writer.write_table(part, row_group_size=ROWS)
                rows += part.num_rows
        _replace(draft, asked.target)
        shutil.rmtree(self.folder)
        return rows, rejected

    def _rejects(self, path: Path, number: int) -> int:
        draft, rows = path.with_name(f".{path.name}.whole"), 0
        with pq.ParquetWriter(draft, REJECTS) as writer:
            for at in range(number):
                if self.bad(at).exists():
                    bad = msgspec.json.decode(self.bad(at).read_bytes(), type=list[Bad])
                    writer.write_table(pa.Table.from_pylist([msgspec.structs.asdict(each) for each in bad], REJECTS))
                    rows += len({each.row for each in bad})
        _replace(draft, path)
        return rows


def _fill(parts: Parts, source: pq.ParquetFile, scorer: Scorer, asked: Asked) -> None:
    """Score every part that is not there yet, some at a time and written in order. Raises DataError at the first part with a bad row."""
    total, done = source.metadata.num_rows, parts.done
    several = len(os.sched_getaffinity(0))
    columns = [name for name in source.schema_arrow.names if name in scored.needed(scorer.portfolio)]
    with tqdm(total=total, initial=min(done * ROWS, total), desc=asked.source.name, unit="row", unit_scale=True, disable=None) as bar, \
            ThreadPoolExecutor(several) as pool:
        waiting: deque[tuple[int, Future[tuple[pa.Table, tuple[Bad, ...]]]]] = deque()
        for number, table in pieces(source, columns, done):
            waiting.append((number, pool.submit(scored.part, scorer, table, number * ROWS + 1, reasons=asked.reasons)))
            if len(waiting) > several:
                _keep(parts, *waiting.popleft(), asked, bar)
        while waiting:
            _keep(parts, *waiting.popleft(), asked, bar)


def _keep(parts: Parts, number: int, future: Future[tuple[pa.Table, tuple[Bad, ...]]], asked: Asked, bar: Any) -> None:
    found, bad = future.result()
    if bad and asked.rejects is None:
        shutil.rmtree(parts.folder)
        named = "; ".join(f"row {each.row}, {each.column}: {each.allowed}" for each in bad[:MOST_NAMED])
        rows = len({each.row for each in bad})
        raise DataError(f"{rows} of rows {number * ROWS + 1} to {(number + 1) * ROWS} break the contract, so nothing was written: {named}"
                        f"{'; …' if len(bad) > MOST_NAMED else ''}. Mend the file, or set such rows aside: --rejects FILE")
    parts.keep(number, found, bad)
    bar.update(found.num_rows + len({each.row for each in bad}))


def pieces(source: pq.ParquetFile, columns: list[str], first: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a file in parts of `ROWS`, from a part on. A file without rows is one part without rows."""
    groups, skip = _from(source, first * ROWS)
    waiting, number = pa.table({name: pa.array([], source.schema_arrow.field(name).type) for name in columns}), first
    for batch in (batch for group in groups for batch in source.iter_batches(ROWS, row_groups=[group], columns=columns)):
        waiting = pa.concat_tables([waiting, pa.table(batch.slice(skip))]) if waiting.num_rows else pa.table(batch.slice(skip))
        skip = max(skip - batch.num_rows, 0)
        while waiting.num_rows >= ROWS:
            yield number, waiting.slice(0, ROWS)
            waiting, number = waiting.slice(ROWS), number + 1
    if waiting.num_rows or not source.metadata.num_rows:
        yield number, waiting


def _from(source: pq.ParquetFile, row: int) -> tuple[list[int], int]:
    """The row groups from the one that holds a row on, and how many of their rows come before it."""
    groups, before = list(range(source.metadata.num_row_groups)), 0
    while groups and before + (size := source.metadata.row_group(groups[0]).num_rows) <= row:
        groups, before = groups[1:], before + size
    return groups, row - before


def identity(path: Path) -> list[str | int]:
    """What tells a file from another and from itself before a change: size, time of the change, and its footer's digest."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - FOOTER, 0))
        return [size, os.fstat(file.fileno()).st_mtime_ns, hashlib.sha256(file.read()).hexdigest()]


def _place(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that is whole or not there, also after a power cut."""
    draft = path.with_name(f".{path.name}")
    write(draft)
    sync(draft)
    draft.replace(path)


def _replace(draft: Path, path: Path) -> None:
    """Put a whole file in its place, durably."""
    sync(draft)
    draft.replace(path)
    sync(path.parent)
