"""Guarantees of the store in PostgreSQL: the server refuses to change it, and one that is gone is an error within seconds, not a hang."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from ledgers import contents, entry, key_of, numbers
from postgres_server import Server

from feature_repo.errors import LedgerError
from governance.ledger import tables
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, OF_PEOPLE, SHADOW_DECISION, Entry
from governance.ledger.tree import Tile
from governance.ledger.writer import Ledger

ERASED = "UPDATE entries SET body = '', salt = '', idempotency_key = NULL, request_digest = NULL"
FORBIDDEN = [
    "UPDATE entries SET body = ''", "DELETE FROM entries", "TRUNCATE entries", "UPDATE entries SET salt = '' WHERE seq = 2",
    f"{ERASED} WHERE seq = 1", f"{ERASED}, id = 'b' WHERE seq = 2", f"{ERASED}, commitment = '' WHERE seq = 2", f"{ERASED}, seq = 9",
    "INSERT INTO entries SELECT * FROM entries ON CONFLICT (log, period, seq) DO UPDATE SET body = ''",
    "UPDATE tiles SET root = ''", "DELETE FROM tiles", "TRUNCATE tiles",
    "UPDATE checkpoints SET note = ''", "DELETE FROM checkpoints", "TRUNCATE checkpoints",
]


@pytest.fixture(scope="session")
def store() -> str:
    return "postgresql"


@pytest.fixture
def own():
    """A server of the test's own, which may be stopped."""
    server = Server(Path(tempfile.mkdtemp(prefix="tally-postgres-")))
    yield server
    server.end()


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_server_itself_refuses_to_change_the_record(ledger, book, address, statement):
    ledger.append([entry("a", key="k", digest="d")]).result()
    book.keep(book.periods()[0], [Tile(0, 0, b"r", b"h")], (2, "note"))
    with psycopg.connect(address, options="-c search_path=tallystick") as connection, pytest.raises(
            psycopg.errors.RaiseException, match="append-only"):
        connection.execute(statement)


def test_tables_made_before_there_were_shadows_hold_and_erase_them_too(postgres, folder):
    address = postgres.make()
    tables.connect(address).close()
    with psycopg.connect(address, options="-c search_path=tallystick") as connection:
        connection.execute(tables.ERASING.replace(f"IN {OF_PEOPLE}", f"IN ('{DECISION}')"))
        connection.execute("DROP INDEX events")
        connection.execute("CREATE INDEX events ON entries (log, period, seq) WHERE kind <> 'decision'")
    book = open_book(folder, address)
    ledger = Ledger(book)
    ledger.append([Entry(SHADOW_DECISION, "s", b"{}")]).result()
    book.erase(book.periods()[0], ["s"])
    assert book.find("id", "s").erased
    ledger.close()


def test_two_portfolios_in_one_database_know_nothing_of_each_other(tmp_path, address):
    harbour, mill = (open_book(tmp_path / name / "ledger", address) for name in ("harbour", "mill"))
    for book in (harbour, mill):
        ledger = Ledger(book)
        assert ledger.append([entry("same", key="same")]).result()[0].seq == 2
        ledger.close()
    assert contents(harbour) == contents(mill) == ["same"]
    assert harbour.find("id", "same") != mill.find("id", "same")
    assert numbers(mill) == [1, 2]


def test_workers_that_begin_at_once_on_a_new_database_all_begin(own):
    for _ in range(5):
        address, ready = own.make(), threading.Barrier(6)

        def begin(address: str = address, ready: threading.Barrier = ready) -> None:
            ready.wait()
            tables.connect(address).close()

        with ThreadPoolExecutor(6) as workers:
            for began in [workers.submit(begin) for _ in range(6)]:
                began.result()


def test_a_server_that_was_restarted_is_found_again_by_writers_and_readers(own, folder):
    book = open_book(folder, own.make())
    ledger = Ledger(book)
    ledger.append([entry("before")]).result()
    assert contents(book) == ["before"]
    own.end()
    began = time.monotonic()
    for attempt in (lambda: ledger.append([entry("meanwhile")]).result(), lambda: ledger.probe().result(),
                    lambda: book.find("id", "before"), book.periods, lambda: contents(book)):
        with pytest.raises(LedgerError, match="does not answer"):
            attempt()
    assert time.monotonic() - began < 20
    own.begin()
    assert ledger.append([entry("after")]).result()[0].seq == 3
    assert contents(book) == ["before", "after"]
    ledger.close()
    book.close()


def test_a_server_killed_while_it_writes_keeps_what_it_acknowledged(own, folder):
    book = open_book(folder, own.make())
    ledger = Ledger(book)
    acknowledged = []
    waiting = [ledger.append([entry(f"e{number}")]) for number in range(400)]
    waiting[0].result()
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait()
    for future in waiting:
        try:
            acknowledged += [record.id for record in future.result()]
        except LedgerError as error:
            assert "server" in str(error)  # noqa: PT017 - each is one or the other
    own.begin()
    ledger.append([entry("after")]).result()
    ledger.close()
    assert set(contents(book)) >= {*acknowledged, "after"}
    assert numbers(book) == list(range(1, len(contents(book)) + 2))
    book.close()


@pytest.mark.parametrize("address", [
    "postgresql://clerk:hunter2@127.0.0.1:9/record", "postgresql://clerk:hunter2@127.0.0.1:notaport/record",
    "postgresql://clerk:hunter2@/record?host=/nowhere", "postgresql://clerk:hunter2@127.0.0.1:9/record?nonsense=1"])
def test_a_server_that_is_not_there_is_an_error_that_tells_no_password(folder, address):
    began = time.monotonic()
    book = open_book(folder, address)
    ledger = Ledger(book)
    for attempt in (lambda: ledger.append([entry("a")]).result(), book.periods, lambda: list(book.records())):
        with pytest.raises(LedgerError, match="does not answer") as error:
            attempt()
        assert "hunter2" not in f"{error.value!r} {error.value.__cause__!r}"
        assert error.value.__suppress_context__
    ledger.close()
    assert time.monotonic() - began < 20


def test_an_address_of_an_unknown_kind_is_refused_without_showing_it(folder):
    with pytest.raises(LedgerError, match="TALLY_LEDGER") as error:
        open_book(folder, "mysql://clerk:hunter2@host/record")
    assert "hunter2" not in str(error.value)


def test_a_server_that_does_not_sync_keeps_no_record(own, folder):
    address = own.make()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)
    with pytest.raises(LedgerError, match="fsync = on"):
        open_book(folder, address).periods()


def test_commits_are_durable_whatever_the_server_would_do_by_default(own, folder):
    address = own.make()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
        connection.execute("SELECT pg_reload_conf()")
    book = open_book(folder, address)
    book.periods()
    (connection,) = book._server._idle
    assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    book.close()


def test_the_key_of_the_logs_is_this_homes_whatever_keeps_the_record(book, folder):
    assert key_of(book, folder).verifier.name == f"tallystick.local/{folder.parent.name}"
