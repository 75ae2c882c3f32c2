"""Fixtures: an empty book of either store, a writer over it, and another process that writes."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ledgers import EACH, entry, key_of

from governance.ledger.book import Book, open_book
from governance.ledger.checkpoint import Key
from governance.ledger.entries import Entry, canonical
from governance.ledger.proving import checkpoint_now
from governance.ledger.writer import Ledger

BYTES = re.compile(r"\{([0-9a-f]*)\}")
WRITER = """
import sys
from pathlib import Path
from governance.ledger.book import open_book
from governance.ledger.entries import Entry
from governance.ledger.writer import Ledger
ledger, name = Ledger(open_book(Path(sys.argv[1]), sys.argv[2])), sys.argv[3]
print("ready", flush=True)
for number in range(int(sys.argv[4])):
    waiting = [ledger.append([Entry("decision", f"{name}-{number}-{k}", b"{}")]) for k in range(8)]
    for future in waiting:
        print(future.result()[0].id, flush=True)
ledger.close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an embedded ledger is, and what a portfolio's log is named after."""
    return tmp_path / "harbour" / "ledger"


@pytest.fixture(params=["embedded"])
def address(request) -> str:
    """Where the record is: every test that asks for it runs against every store."""
    return ""


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A ledger of three months: checkpoints on the way, the newest five entries under none, one decision erased."""
    folder = tmp_path_factory.mktemp("template") / "harbour" / "ledger"
    fill(open_book(folder), key_of(open_book(folder), folder))
    return folder


def fill(book: Book, key: Key) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    ledger = Ledger(book, now=lambda: clock[0])
    for month in (1, 2, 3):
        clock[0] = datetime(2026, month, 1, tzinfo=UTC)
        if month == 3:
            ledger.append([Entry("person-erased", "e", canonical({"entries": ["2a7"], "reason": "asked"}))]).result()
        for half in "ab":
            ledger.append([entry(f"{month}{half}{number}", key=f"{month}{half}{number}") for number in range(EACH // 2)]).result()
            checkpoint_now(book, key)
    book.erase("2026-02", ["2a7"])
    ledger.append([entry(f"tail{number}") for number in range(5)]).result()
    ledger.close()


@pytest.fixture
def make_book(folder, address) -> Iterator[Callable[[], Book]]:
    """Opens the test's ledger, as one more process would."""
    made = []

    def make() -> Book:
        made.append(open_book(folder, address))
        return made[-1]

    yield make
    for book in made:
        book.close()


@pytest.fixture
def book(make_book) -> Book:
    return make_book()


@pytest.fixture
def ledger(make_book) -> Iterator[Ledger]:
    ledger = Ledger(make_book())
    yield ledger
    ledger.close()


@pytest.fixture
def alter(folder, address) -> Callable[..., None]:
    """Does to a month what someone with the store, and without our triggers, could do. {7b7d}: bytes in hex; {}: no bytes."""

    def sqlite(period: str, *statements: str) -> None:
        with closing(sqlite3.connect(folder / f"{period}.db")) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                database.execute(BYTES.sub(r"x'\1'", statement))
            database.commit()

    return sqlite


@pytest.fixture
def write(folder, address) -> Callable[..., subprocess.Popen[str]]:
    """Starts a process that appends eight decisions at a time, and prints each id once it is recorded."""

    def start(name: str, rounds: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(folder), address, name, str(rounds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start
