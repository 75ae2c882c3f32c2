"""What the ledger holds, and how it is read and proved: entries, their hash chain, verification, export.

Responsible for the one definition of an entry's hash. Only reads: `governance.ledger` writes. Refuses to call a record whole that
was edited, reordered, inserted into or shortened.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from feature_repo.errors import LedgerError

DECISION = "decision"
Watch = Callable[[Iterable["Record"], str], Iterable["Record"]]
MONTHS = "[0-9][0-9][0-9][0-9]-[0-9][0-9].db"


@dataclass(frozen=True)
class Entry:
    """What is asked to be recorded. kind: "decision" or the name of a governance event; body: canonical JSON.

    idempotency_key: at most one entry of a month and of the month before it has it; request_digest: of the request it was given with.
    """

    kind: str
    id: str
    body: bytes
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True)
class Record:
    """An entry as recorded: numbered from 1 in its month, timed by the clock on the wall, bound to everything before it."""

    seq: int
    kind: str
    id: str
    recorded_at: str
    idempotency_key: str | None
    request_digest: str | None
    body: bytes
    previous_hash: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        """The body as data, with the time it was recorded."""
        return {**msgspec.json.decode(self.body), "recorded_at": self.recorded_at}


@dataclass(frozen=True)
class Head:
    """Where a month stands: what someone else must keep to notice a shortened ledger."""

    month: str
    seq: int
    hash: str


COLUMNS = tuple(field.name for field in fields(Record))


def quietly(records: Iterable[Record], _: str) -> Iterable[Record]:
    """Show no progress."""
    return records


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return msgspec.json.encode(value, order="deterministic")


def row_of(record: Record) -> tuple[Any, ...]:
    """The column values of a record."""
    return astuple(record)


def chain(entries: Sequence[Entry], seq: int, previous: str, now: datetime) -> Iterator[Record]:
    """The records that follow the entry numbered `seq` with hash `previous`."""
    for number, entry in enumerate(entries, seq + 1):
        header = (number, entry.kind, entry.id, now.isoformat(timespec="microseconds"), entry.idempotency_key, entry.request_digest)
        own = digest(previous, header, entry.body)
        yield Record(*header, entry.body, previous, own)
        previous = own


def digest(previous: str, header: tuple[Any, ...], body: bytes) -> str:
    """SHA-256 (hex) over the previous hash, every column and the digest of the body.

    The body enters by its digest, so that one day a body can be erased by law without breaking the chain.
    """
    return hashlib.sha256(canonical([previous, *header, hashlib.sha256(body).hexdigest()])).hexdigest()


def genesis(month: str, previous_month: str | None, previous_hash: str | None) -> str:
    """What the first entry of a month is chained to: the month, and the last hash of the month before it."""
    return hashlib.sha256(canonical(["tallystick ledger 1", month, previous_month, previous_hash])).hexdigest()


def files(folder: Path) -> list[Path]:
    """The months of a ledger, oldest first."""
    return sorted(folder.glob(MONTHS))


def reader(path: Path) -> sqlite3.Connection:
    """Open one month read-only; also from a medium that cannot be written, where SQLite's WAL needs to be told so."""
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
        try:
            database.execute("SELECT 1 FROM entries LIMIT 1")
        except sqlite3.Error as error:
            database.close()
            if path.with_name(f"{path.name}-wal").exists() or mode.endswith("1"):
                raise LedgerError(f"{path.name} cannot be read as a ledger: {error}") from None
        else:
            return database
    raise AssertionError


def read(database: sqlite3.Connection, clause: str = "ORDER BY seq", values: tuple[str, ...] = ()) -> Iterator[Record]:
    """Records by a clause of ours."""
    query = f"SELECT {', '.join(COLUMNS)} FROM entries {clause}"  # noqa: S608 - clauses are ours
    return (Record(*row) for row in database.execute(query, values))


def find(months: Sequence[Path], column: str, value: str) -> Record | None:
    """The entry with this id or idempotency_key, looked for in the newest of `months` first; None where there is none."""
    for path in reversed(months):
        with closing(reader(path)) as database:
            try:
                if found := next(read(database, f"WHERE {column} = ?", (value,)), None):
                    return found
            except sqlite3.Error as error:
                raise LedgerError(f"{path.name} cannot be read as a ledger: {error}") from None
    return None


def head_of(database: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the last entry; 0 and the genesis hash where there is none."""
    last = database.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return last or (0, database.execute("SELECT hash FROM genesis").fetchone()[0])


def head(folder: Path) -> Head | None:
    """Where the newest month stands now."""
    for path in files(folder)[-1:]:
        with closing(reader(path)) as database:
            return Head(path.stem, *head_of(database))
    return None


def verify(path: Path, stated: Sequence[Head] = (), *, watch: Watch = quietly) -> list[Head]:
    """Prove a month (a file) or a whole ledger (its folder) and return where each month ends.

    Recomputes every hash from the content, and the links between months. stated: heads noted earlier or elsewhere; without one, a
    missing end of the newest month cannot be noticed. watch: shows the progress of long work.
    Raises LedgerError naming the month and the first entry that does not hold.
    """
    months = files(path) if path.is_dir() else [path]
    if not months:
        raise LedgerError(f"{path.name}: no month of a ledger is there")
    heads: list[Head] = []
    for month in months:
        with closing(reader(month)) as database:
            before = heads[-1] if heads else None
            here = [at for at in stated if at.month == month.stem]
            rows = watch(read(database), f"verify {month.stem}")
            heads.append(prove(begin(database, month.stem, before, alone=not path.is_dir()), rows, here))
    if lost := [at.month for at in stated if at.month not in {found.month for found in heads}]:
        raise LedgerError(f"months that were recorded are not there: {lost}")
    return heads


def begin(database: sqlite3.Connection, month: str, before: Head | None, *, alone: bool) -> Head:
    """The genesis of a month, shown to follow from the month before it. alone: which is not at hand."""
    rows = database.execute("SELECT month, previous_month, previous_hash, hash FROM genesis").fetchall()
    linked = rows and (alone or rows[0][1:3] == ((before.month, before.hash) if before else (None, None)))
    if len(rows) != 1 or not linked or rows[0][0] != month or genesis(*rows[0][:3]) != rows[0][3]:
        raise LedgerError(f"{month}: its beginning does not follow from the month before it; a month is missing, shortened or replaced")
    return Head(month, 0, rows[0][3])


def prove(at: Head, rows: Iterable[Record], stated: Sequence[Head]) -> Head:
    """Follow a month's chain from its genesis to its end, past every head that was stated."""
    passed = {at}
    for record in rows:
        header = (record.seq, record.kind, record.id, record.recorded_at, record.idempotency_key, record.request_digest)
        if record.previous_hash != at.hash or digest(at.hash, header, record.body) != record.hash:
            raise LedgerError(f"{at.month}, entry {at.seq + 1}: it is not what was recorded; the ledger was altered at or before it")
        at = Head(at.month, record.seq, record.hash)
        passed.update(one for one in stated if one == at)
    if missing := [one for one in stated if one not in passed]:
        raise LedgerError(f"{at.month}: it once held another entry {missing[0].seq} than it has now; entries are missing or replaced")
    return at


def export(folder: Path, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """The decisions whose business time `decided_at` is in [since, until), in the order they were recorded."""
    first, last = since.astimezone(UTC), until.astimezone(UTC)
    for path in files(folder):
        with closing(reader(path)) as database:
            for record in read(database, "WHERE kind = ? ORDER BY seq", (DECISION,)):
                content = record.content
                if first <= datetime.fromisoformat(content["decided_at"]) < last:
                    yield content
