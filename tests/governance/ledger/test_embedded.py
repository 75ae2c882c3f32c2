"""Guarantees of the store in SQLite: whole files, files that refuse to be changed, and errors instead of silence or endless waiting."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from ledgers import contents, entry

from feature_repo.errors import LedgerError
from governance.ledger import months
from governance.ledger.book import open_book
from governance.ledger.entries import SHADOW_DECISION, Entry
from governance.ledger.journal import EVERY
from governance.ledger.months import files
from governance.ledger.tree import Tile
from governance.ledger.writer import Ledger

MOST_PAGES_OF_AN_APPEND = 10
COPY = "INSERT OR REPLACE INTO entries SELECT {}, kind, {}, recorded_at, NULL, NULL, body, salt, commitment FROM entries WHERE seq = 2"
FORBIDDEN = [
    "UPDATE entries SET body = x''", "DELETE FROM entries", "UPDATE entries SET salt = x'' WHERE seq = 2",
    "UPDATE entries SET body = x'', salt = x'', idempotency_key = NULL, request_digest = NULL WHERE seq = 1",
    "UPDATE entries SET body = x'', salt = x'', idempotency_key = NULL, request_digest = NULL, id = 'b' WHERE seq = 2",
    "UPDATE entries SET body = x'', salt = x'', idempotency_key = NULL, request_digest = NULL, commitment = x'00' WHERE seq = 2",
    "UPDATE entries SET body = x'', salt = x'', idempotency_key = NULL, request_digest = NULL, seq = 9 WHERE seq = 2",
    COPY.format(1, "id"), COPY.format(3, "id"), COPY.format(7, "'new'"),
    "UPDATE tiles SET root = x''", "DELETE FROM tiles", "INSERT OR REPLACE INTO tiles SELECT level, number, x'', x'' FROM tiles",
    "UPDATE checkpoints SET note = ''", "DELETE FROM checkpoints", "INSERT OR REPLACE INTO checkpoints SELECT size, '' FROM checkpoints",
    "INSERT INTO checkpoints VALUES (1, '')",
]


@pytest.fixture
def address() -> str:
    return ""


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_file_itself_refuses_to_be_changed(ledger, book, folder, statement):
    ledger.append([entry("a", key="k", digest="d")]).result()
    period = book.periods()[0]
    book.keep(period, [Tile(0, 0, b"r", b"h")], (2, "note"))
    with closing(sqlite3.connect(files(folder)[0])) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)


def test_a_month_begun_before_there_were_shadows_holds_and_erases_them_too(ledger, book, folder):
    ledger.append([entry("a")]).result()
    ledger.close()
    with closing(sqlite3.connect(files(folder)[0])) as database:
        database.executescript("DROP INDEX events; CREATE INDEX events ON entries (seq) WHERE kind <> 'decision'; "
                               "DROP TRIGGER no_update_entries; CREATE TRIGGER no_update_entries BEFORE UPDATE ON entries "
                               "WHEN NOT (old.kind = 'decision') BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END")
    again = Ledger(open_book(folder))
    again.append([Entry(SHADOW_DECISION, "s", b"{}")]).result()
    again.close()
    book.erase(book.periods()[0], ["s"])
    assert book.find("id", "s").erased
    with closing(sqlite3.connect(files(folder)[0])) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN SELECT body FROM entries WHERE {months.EVENTS} ORDER BY seq").fetchall()  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError):
            database.execute("UPDATE entries SET body = x'00' WHERE id = 'a'")
    assert "USING INDEX events" in plan[0][3]


def test_a_new_month_never_shows_itself_without_its_first_entry(folder, monkeypatch):
    """Stopped where it has its name already in a wrong order of steps; a reader then, and a writer after, find it whole."""
    seen, begin = [], months.begin
    monkeypatch.setattr("governance.ledger.embedded.begin", lambda *given: (begin(*given), seen.append(files(folder))))
    ledger = Ledger(open_book(folder))
    ledger.append([entry("a")]).result()
    ledger.close()
    assert seen == [[]]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["lock", files(folder)[0].name])


def test_a_month_that_a_killed_writer_left_half_made_is_begun_anew(folder):
    folder.mkdir(parents=True)
    for suffix in (".draft", ".draft-wal", ".draft-shm"):
        (folder / f"{datetime.now(UTC):%Y-%m}{suffix}").write_bytes(b"half")
    ledger = Ledger(open_book(folder))
    assert ledger.append([entry("a")]).result()[0].seq == 2
    ledger.close()


def test_the_journal_is_moved_into_the_file_beside_those_who_write(ledger, folder):
    ledger.append([entry("first")]).result()
    file = files(folder)[0]
    before = file.stat().st_size
    for number in range(2 * EVERY):
        ledger.append([entry(f"{number}")]).result()
    ends = time.monotonic() + 10
    while file.stat().st_size == before and time.monotonic() < ends:
        time.sleep(0.01)
    assert file.stat().st_size > before
    assert 2 * EVERY * MOST_PAGES_OF_AN_APPEND < months.PAGES


def test_a_full_disk_is_an_error_and_writing_resumes_when_there_is_room(folder, book):
    script = f"""
import resource, signal
from pathlib import Path
from feature_repo.errors import LedgerError
from governance.ledger.book import open_book
from governance.ledger.entries import SHADOW_DECISION, Entry
from governance.ledger.entries import Entry
from governance.ledger.tree import Tile
from governance.ledger.writer import Ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger(open_book(Path({str(folder)!r})))
ledger.append([Entry("decision", "before", b"{{}}")]).result()
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
try:
    ledger.append([Entry("decision", "refused", b"x" * 200_000)]).result()
except LedgerError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ledger.append([Entry("decision", "after", b"{{}}")]).result()
    print("resumed")
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "resumed\n"
    assert contents(book) == ["before", "after"]


def test_too_little_free_space_is_an_error_before_anything_is_written(ledger, book, monkeypatch):
    monkeypatch.setattr("governance.ledger.embedded.LEAST_FREE_BYTES", 2**60)
    with pytest.raises(LedgerError, match="free space or move TALLY_HOME"):
        ledger.append([entry("a")]).result()
    assert contents(book) == []


def test_what_cannot_be_written_is_an_error_and_not_silence(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    ledger = Ledger(open_book(folder))
    for attempt in (ledger.append([entry("a")]), ledger.probe()):
        with pytest.raises(LedgerError, match="cannot be written"):
            attempt.result()
    ledger.close()


def test_a_database_that_another_program_keeps_locked_is_an_error(folder, monkeypatch):
    monkeypatch.setattr("governance.ledger.months.BUSY_SECONDS", 0.1)
    ledger = Ledger(open_book(folder))
    ledger.append([entry("a")]).result()
    with closing(sqlite3.connect(files(folder)[0], isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            ledger.append([entry("b")]).result()
        database.execute("ROLLBACK")
    assert ledger.append([entry("b")]).result()[0].seq == 3
    ledger.close()


def test_a_ledger_can_be_read_where_nothing_can_be_written(ledger, book, folder):
    ledger.append([entry("a")]).result()
    ledger.close()
    folder.chmod(0o500)
    assert contents(book) == ["a"]


def test_what_is_no_ledger_is_an_error(folder, book):
    assert book.periods() == []
    folder.mkdir(parents=True)
    (folder / "2026-01.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(LedgerError, match="cannot be read as a ledger"):
        contents(book)
