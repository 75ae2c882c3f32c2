"""Fixtures: an empty book of either store, a writer over it, and another process that writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from governance.ledger.book import Book, open_book
from governance.ledger.writer import Ledger

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
def write(folder, address) -> Callable[..., subprocess.Popen[str]]:
    """Starts a process that appends eight decisions at a time, and prints each id once it is recorded."""

    def start(name: str, rounds: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(folder), address, name, str(rounds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start
