"""The ledger as files that prove themselves: the entries of each month, its checkpoint, and a signed list of both.

<YYYY-MM>.entries: a line an entry, tabs between: kind, id, time, salt (hex), idempotency key and digest of the request (or nothing), body;
of an erased one: kind, id, time, -, commitment (hex). <YYYY-MM>.checkpoint: a C2SP checkpoint over all of them. MANIFEST, a signed note:
its title, the log, and of each file its SHA-256, size and name. Refuses a folder that holds anything. Reading is `inspection`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from feature_repo.errors import LedgerError
from governance.ledger.book import Book
from governance.ledger.checkpoint import Key, Verifier, open_note
from governance.ledger.entries import Record
from governance.ledger.proving import checkpoint_now
from governance.ledger.wholeness import Told
from governance.release import sync

TITLE = "tallystick ledger export 1"
MANIFEST = "MANIFEST"
ENTRIES, CHECKPOINT = ".entries", ".checkpoint"
LISTED = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) ([0-9]{4}-[0-9]{2})(\.entries|\.checkpoint)")
GONE = b"-"
LINES = 1024
ALL = ("", "9999-99")


@dataclass(frozen=True)
class Listed:
    """A file as the manifest says it is."""

    name: str
    size: int
    digest: str

    def __str__(self) -> str:
        return f"{self.digest} {self.size} {self.name}"


def export(book: Book, key: Key, folder: Path, months: tuple[str, str] = ALL, *, told: Told = lambda _: None) -> list[Listed]:
    """Put everything under a checkpoint, then write the months (first, last) to a new folder; what was written.

    The manifest is written last: a folder without it is no export. Raises LedgerError where the folder is not empty.
    """
    checkpoint_now(book, key)
    periods = [period for period in book.periods() if months[0] <= period <= months[1]]
    if not periods:
        raise LedgerError("the ledger holds no month that was asked for; nothing was exported")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise LedgerError(f"{folder.name} is not empty; an export is a folder of its own")
    files = [listed for period in periods for listed in _month(book, period, folder, told)]
    text = "\n".join([TITLE, book.log, *map(str, sorted(files, key=lambda one: one.name))])
    _write(folder / MANIFEST, [key.sign(f"{text}\n").encode()])
    sync(folder)
    return files


def manifest(folder: Path, trusted: Verifier) -> list[Listed]:
    """What an export lists, signed by `trusted`, months together and in order. Raises LedgerError."""
    if not (folder / MANIFEST).is_file():
        raise LedgerError(f"{folder.name} holds no {MANIFEST}; it is no export, or an unfinished one")
    try:
        title, log, *lines = open_note((folder / MANIFEST).read_bytes(), trusted).rstrip("\n").split("\n")
    except LedgerError as error:
        raise LedgerError(f"{MANIFEST}: {error}") from None
    matches = [LISTED.fullmatch(line) for line in lines]
    found = [Listed(match[3] + match[4], int(match[2]), match[1]) for match in matches if match]
    periods = sorted({one.name[:7] for one in found})
    expected = [period + suffix for period in periods for suffix in (CHECKPOINT, ENTRIES)]
    if (title, log) != (TITLE, trusted.name) or not found or None in matches or [one.name for one in found] != expected:
        raise LedgerError(f"{MANIFEST}: it is not the list of an export of {trusted.name}")
    return found


def line(record: Record) -> bytes:
    """A record as a line of an export, its newline included."""
    head = f"{record.kind}\t{record.id}\t{record.recorded_at}\t".encode()
    if record.erased:
        return b"%b%b\t%b\n" % (head, GONE, record.commitment.hex().encode())
    return b"%b%b\t%b\n" % (head, record.salt.hex().encode(), record.payload)


def _month(book: Book, period: str, folder: Path, told: Told) -> list[Listed]:
    size, note = book.newest(period)
    records = book.within(period, 0, size)

    def lines() -> Iterable[bytes]:
        while block := [line(record) for record in islice(records, LINES)]:
            told(len(block))
            yield b"".join(block)

    return [_write(folder / f"{period}{CHECKPOINT}", [note.encode()]), _write(folder / f"{period}{ENTRIES}", lines())]


def _write(path: Path, blocks: Iterable[bytes]) -> Listed:
    digest, size = sha256(), 0
    with path.open("xb") as file:
        for block in blocks:
            digest.update(block)
            size += file.write(block)
    sync(path)
    return Listed(path.name, size, digest.hexdigest())
