"""Writers of one ledger whose clocks jump an hour ahead and back, over the end of a month, and what the order of the record is then.

The clock is the ledger's own seam (`Ledger(book, now)`): the machine's clock is everybody's.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mortal import whole

from governance.ledger.book import Book, open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import Ledger

TURN = datetime(2026, 2, 1, tzinfo=UTC)  # of the month, in the middle of the jumps
HOUR, EVERY = timedelta(hours=1), 0.02
WRITERS = 4  # a ledger


@dataclass(frozen=True)
class Found:
    """broken: what is wrong, in words; backwards: how often a later entry has an earlier time."""

    entries: int
    backwards: int
    broken: list[str]


def jumping(phase: int) -> Callable[[], datetime]:
    """A clock that is right, an hour ahead and an hour behind in turn."""
    began = time.monotonic()

    def now() -> datetime:
        gone = time.monotonic() - began
        return TURN + timedelta(seconds=gone) + ((int(gone / EVERY) + phase) % 3 - 1) * HOUR

    return now


def write(folder: Path, seconds: float, address: str = "") -> Found:
    """Append for so long with two ledgers, as two workers do, each with a clock of its own."""
    ledgers = [Ledger(open_book(folder / "ledger", address), jumping(phase)) for phase in (0, 1)]
    said: list[list[tuple[str, int]]] = []

    def writer(ledger: Ledger, name: str) -> None:
        own: list[tuple[str, int]] = []
        said.append(own)
        until = time.monotonic() + seconds
        for number in itertools.count():
            if time.monotonic() > until:
                return
            (record,) = ledger.append([Entry(DECISION, f"{name}-{number}", b"{}")]).result(30)
            own.append((record.period, record.seq))

    threads = [threading.Thread(target=writer, args=(ledger, f"{at}-{place}"))
               for at, ledger in enumerate(ledgers) for place in range(WRITERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for ledger in ledgers:
        ledger.close()
    return examined(folder, open_book(folder / "ledger", address), said)


def examined(folder: Path, book: Book, said: list[list[tuple[str, int]]]) -> Found:
    records = list(book.records())
    places = [(record.period, record.seq) for record in records]
    times = [record.recorded_at for record in records]
    told = [each for own in said for each in own]
    broken = [
        *whole(folder, book),
        *("a writer's later entry is before its earlier one" for own in said if own != sorted(own)),
        *(["the numbers of the record are not in order"] if places != sorted(places) else []),
        *(["an entry that was acknowledged is not in the record"] if set(told) - set(places) or len(set(told)) != len(told) else []),
        *(f"{period} has a gap" for period in book.periods() if not gapless([seq for at, seq in places if at == period])),
    ]
    book.close()
    return Found(len(told), sum(later < earlier for earlier, later in itertools.pairwise(times)), broken)


def gapless(numbers: list[int]) -> bool:
    return numbers == [*range(1, len(numbers) + 1)]
