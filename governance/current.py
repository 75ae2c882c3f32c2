"""Where promotion stands now, followed cheaply: only what was recorded since the last look is read and judged.

Responsible for beginning anew when the signers file changed, since that may judge old signatures otherwise. Raises LedgerError or
IdentityError where the record or the signers file cannot be read: nobody knows then what may serve.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from governance.ledger.book import Book
from governance.ledger.entries import Record, stamp
from governance.people import People, read
from governance.promotion import FOLDED, extended
from governance.standing import Standing

OVERLAP = timedelta(hours=1)  # a clock set back by less hides nothing


class Current:
    """The standing of one portfolio, as one process follows it. Not for several threads at once."""

    def __init__(self, book: Book, signers: Path) -> None:
        self.book = book
        self._signers = signers
        self._stamp: tuple[int, int] | None = None
        self._people = People()
        self._standing = Standing(datetime.now(UTC))
        self._read: set[tuple[str, int]] = set()
        self._newest = ""

    @property
    def people(self) -> People:
        return self._people

    def look(self) -> Standing:
        """What every event recorded until now amounts to."""
        self._people_anew()
        self._standing.at = datetime.now(UTC)
        return extended(self._standing, self._fresh(), self._people)

    def _fresh(self) -> list[Record]:
        """What was recorded since the last look."""
        since = stamp(datetime.fromisoformat(self._newest) - OVERLAP) if self._newest else ""
        found = [record for record in self.book.records(FOLDED, since=since) if (record.period, record.seq) not in self._read]
        self._read.update((record.period, record.seq) for record in found)
        self._newest = max([self._newest, *(record.recorded_at for record in found if _is_time(record.recorded_at))])
        return found

    def _people_anew(self) -> None:
        """Read the signers file where it changed, and forget what was judged by the old one. A file that is not there names nobody."""
        stamp_of = _stamp_of(self._signers)
        if stamp_of != self._stamp:
            self._people = read(self._signers) if stamp_of else People((), str(self._signers))
            self._standing, self._read, self._newest, self._stamp = Standing(datetime.now(UTC)), set(), "", stamp_of


def _stamp_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
