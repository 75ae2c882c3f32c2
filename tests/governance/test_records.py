"""Guarantees of proof: any edit, deletion, insertion, reorder or shortening of the record is found, and named."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feature_repo.errors import LedgerError
from governance.ledger import Ledger
from governance.records import DECISION, Entry, canonical, export, files, genesis, head, verify

COPY = "INSERT INTO entries SELECT 3, kind, 'new', recorded_at, NULL, NULL, body, previous_hash, hash FROM entries WHERE seq = 2"
START = datetime(2026, 1, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six decisions, one a day over the turn of a month, and one governance event."""
    folder = tmp_path / "ledger"
    clock = [START]
    ledger = Ledger(folder, now=lambda: clock[0])
    for day in range(6):
        clock[0] = START + timedelta(days=day)
        ledger.append([Entry(DECISION, f"d{day}", canonical({"decided_at": clock[0].isoformat()}))]).result()
    ledger.append([Entry("approval", "a0", b"{}")]).result()
    ledger.close()
    return folder


def alter(path: Path, *statements: str) -> None:
    """What someone with the file, and without our triggers, could do."""
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_an_untouched_ledger_verifies_to_its_head(folder):
    assert [found.seq for found in verify(folder)] == [2, 5]
    assert verify(folder)[-1] == head(folder)
    assert [verify(month)[0].month for month in files(folder)] == ["2026-01", "2026-02"]


@pytest.mark.parametrize(("statements", "at"), [
    (["UPDATE entries SET body = x'7b7d' WHERE seq = 2"], "entry 2"),
    (["UPDATE entries SET recorded_at = '2026-02-01T00:00:00.000001+00:00' WHERE seq = 3"], "entry 3"),
    (["UPDATE entries SET previous_hash = 'x' WHERE seq = 3"], "entry 3"),
    (["UPDATE entries SET hash = 'x' WHERE seq = 3"], "entry 3"),
    (["UPDATE entries SET seq = 9 WHERE seq = 5"], "entry 5"),
    (["UPDATE entries SET kind = 'approval' WHERE seq = 2"], "entry 2"),
    (["UPDATE entries SET id = 'other' WHERE seq = 2"], "entry 2"),
    (["UPDATE entries SET idempotency_key = 'k' WHERE seq = 4"], "entry 4"),
    (["UPDATE entries SET request_digest = 'k' WHERE seq = 4"], "entry 4"),
    (["DELETE FROM entries WHERE seq = 2"], "entry 2"),
    (["DELETE FROM entries WHERE seq = 2", "UPDATE entries SET seq = seq - 1 WHERE seq > 2"], "entry 2"),
    (["DELETE FROM entries WHERE seq = 1"], "entry 1"),
    (["UPDATE entries SET seq = 99 WHERE seq = 2", "UPDATE entries SET seq = 2 WHERE seq = 3",
      "UPDATE entries SET seq = 3 WHERE seq = 99"], "entry 2"),
    (["UPDATE entries SET seq = seq + 100 WHERE seq > 2", COPY, "UPDATE entries SET seq = seq - 99 WHERE seq > 100"], "entry 3"),
    (["UPDATE genesis SET previous_hash = 'x'"], "beginning"),
    (["DELETE FROM genesis"], "beginning"),
], ids=lambda value: value if isinstance(value, str) else value[0][:40])
def test_an_alteration_is_found_and_its_first_entry_named(folder, statements, at):
    alter(files(folder)[-1], *statements)
    with pytest.raises(LedgerError, match=at):
        verify(folder)


def test_a_shortened_end_is_found_against_a_head_noted_before(folder):
    noted = head(folder)
    alter(files(folder)[-1], "DELETE FROM entries WHERE seq = 5")
    assert verify(folder)[-1].seq == 4
    with pytest.raises(LedgerError, match="once held"):
        verify(folder, [noted])


def test_a_noted_head_stays_true_while_the_ledger_grows(folder):
    noted = head(folder)
    ledger = Ledger(folder, now=lambda: START + timedelta(days=9))
    ledger.append([Entry("event", "later", b"{}")]).result()
    ledger.close()
    assert verify(folder, [noted])[-1].seq == noted.seq + 1


def test_the_shortened_end_of_an_earlier_month_is_found_without_a_noted_head(folder):
    alter(files(folder)[0], "DELETE FROM entries WHERE seq = 2")
    with pytest.raises(LedgerError, match="2026-02: its beginning"):
        verify(folder)


def test_a_missing_month_is_found(folder):
    noted = head(folder)
    kept = folder.parent / "kept"
    shutil.copytree(folder, kept)
    files(kept)[-1].unlink()
    with pytest.raises(LedgerError, match="months that were recorded"):
        verify(kept, [noted])
    files(folder)[0].unlink()
    with pytest.raises(LedgerError, match="beginning"):
        verify(folder)


def test_a_month_written_anew_does_not_fit_the_one_after_it(folder):
    first = files(folder)[0]
    first.unlink()
    forged = Ledger(folder.parent / "forged", now=lambda: START)
    forged.append([Entry(DECISION, "d0", b"{}")]).result()
    forged.close()
    shutil.copy(files(folder.parent / "forged")[0], first)
    with pytest.raises(LedgerError, match="2026-02: its beginning"):
        verify(folder)


def test_the_first_month_says_that_nothing_came_before(folder):
    with closing(sqlite3.connect(files(folder)[0])) as database:
        assert database.execute("SELECT * FROM genesis").fetchall() == [("2026-01", None, None, genesis("2026-01", None, None))]


def test_a_ledger_can_be_proved_where_nothing_can_be_written(folder, tmp_path):
    copy = tmp_path / "medium" / files(folder)[0].name
    copy.parent.mkdir()
    shutil.copy(files(folder)[0], copy)
    assert verify(copy)[0].seq == 2


def test_no_ledger_is_an_error(tmp_path):
    with pytest.raises(LedgerError, match="no month"):
        verify(tmp_path)
    (tmp_path / "2026-01.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(LedgerError, match="cannot be read as a ledger"):
        verify(tmp_path)


def test_export_gives_decisions_by_business_time_and_nothing_else(folder):
    found = list(export(folder, START + timedelta(days=1), START + timedelta(days=5)))
    assert [content["decided_at"][:10] for content in found] == ["2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"]
    assert all("recorded_at" in content for content in found)
