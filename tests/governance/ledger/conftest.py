"""Fixtures: an empty book of either store, a writer over it, and another process that writes."""

from __future__ import annotations

import itertools
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

import psycopg
import pytest
from ledgers import EACH, entry, key_of

from governance.ledger.book import Book, open_book
from governance.ledger.checkpoint import Key
from governance.ledger.entries import Entry, canonical
from governance.ledger.proving import checkpoint_now
from governance.ledger.writer import Ledger

NUMBERS = itertools.count()
LOG = "tallystick.local/harbour"
TABLES = {"entries": "seq, kind, id, recorded_at, idempotency_key, request_digest, body, salt, commitment",
          "tiles": "level, number, root, hashes", "checkpoints": "size, note"}
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
    """Where an embedded ledger is, and what a portfolio's log is named after: a name of the test's own, as tests share a server."""
    return tmp_path / f"harbour{next(NUMBERS)}" / "ledger"


@pytest.fixture(params=["embedded", "postgresql"], scope="session")
def store(request) -> str:
    """Every test that needs it runs against every store."""
    return request.param


@pytest.fixture
def address(store, request) -> str:
    """Where the record is, empty so far."""
    return request.getfixturevalue("shared") if store == "postgresql" else ""


@pytest.fixture(scope="session")
def shared(postgres) -> str:
    """The database of all tests that do not spoil it."""
    return postgres.make()


@pytest.fixture(scope="module")
def template(store, request, tmp_path_factory) -> tuple[Path, str]:
    """Folder and address of a ledger of three months: checkpoints on the way, the newest five entries under none, one decision erased."""
    folder = tmp_path_factory.mktemp("template") / "harbour" / "ledger"
    address = request.getfixturevalue("postgres").make() if store == "postgresql" else ""
    fill(open_book(folder, address), key_of(open_book(folder), folder))
    if address:
        with psycopg.connect(address) as connection:
            for table in TABLES:
                connection.execute(f"CREATE TABLE public.{table} AS TABLE tallystick.{table}".encode())
    return folder, address


@pytest.fixture
def filled(store, template, tmp_path) -> Iterator[Filled]:
    """It as it was, and what someone with the store, and without our triggers, could do to it."""
    (original, address), folder = template, tmp_path / "harbour" / "ledger"
    shutil.copytree(original.parent.parent / "keys", folder.parent.parent / "keys")
    if store == "embedded":
        shutil.copytree(original, folder)
        filled = Filled(folder, "", partial(alter_sqlite, folder))
    else:
        restore(address)
        filled = Filled(folder, address, partial(alter_postgres, address))
    yield filled
    filled.book.close()


@dataclass(frozen=True)
class Filled:
    """A ledger that holds something. alter: (period, *statements); {7b7d}: bytes in hex, {}: no bytes."""

    folder: Path
    address: str
    alter: Callable[..., None]

    @cached_property
    def book(self) -> Book:
        return open_book(self.folder, self.address)

    @cached_property
    def key(self) -> Key:
        return key_of(self.book, self.folder)


def alter_sqlite(folder: Path, period: str, *statements: str) -> None:
    with closing(sqlite3.connect(folder / f"{period}.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(BYTES.sub(r"x'\1'", statement))
        database.commit()


def restore(address: str) -> None:
    """Put every table back as it was when it was filled."""
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in TABLES:
            connection.execute(f"DELETE FROM tallystick.{table}".encode())  # noqa: S608 - our own; whoever still reads hinders a TRUNCATE
            connection.execute(f"INSERT INTO tallystick.{table} TABLE public.{table}".encode())


def alter_postgres(address: str, period: str, *statements: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, columns in TABLES.items():
            rows = f"SELECT {columns}, log, period FROM tallystick.{table} WHERE period = '{period}'"  # noqa: S608 - our own names
            connection.execute(f"CREATE TEMP VIEW {table} AS {rows}".encode())
            connection.execute(f"ALTER VIEW {table} ALTER log SET DEFAULT '{LOG}', ALTER period SET DEFAULT '{period}'".encode())
        for statement in statements:
            connection.execute(BYTES.sub(r"'\\x\1'::bytea", statement).encode())


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
def write(folder, address) -> Callable[..., subprocess.Popen[str]]:
    """Starts a process that appends eight decisions at a time, and prints each id once it is recorded."""

    def start(name: str, rounds: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(folder), address, name, str(rounds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start
