"""Guarantees of writing: durable before acknowledged, written once, append-only, one chain for all processes and months."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_repo.errors import LedgerError
from governance.ledger import MOST_WAITING, Ledger, locked
from governance.records import Entry, canonical, files, find, genesis, verify

WRITER = """
import sys
from pathlib import Path
from governance.ledger import Ledger
from governance.records import Entry
ledger, name = Ledger(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    waiting = [ledger.append([Entry("event", f"{name}-{number}-{k}", b"{}")]) for k in range(8)]
    for future in waiting:
        print(future.result()[0].id, flush=True)
ledger.close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(folder)
    yield ledger
    ledger.close()


def entry(name: str, key: str | None = None, digest: str | None = None) -> Entry:
    return Entry("decision", name, canonical({"name": name}), key, digest)


def write(folder: Path, name: str, rounds: int, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name, str(rounds)], stdout=subprocess.PIPE, text=True, **options)


def test_what_is_acknowledged_can_be_read_by_another_connection_at_once(ledger, folder):
    (stored,) = ledger.append([entry("a")]).result()
    assert find(files(folder), "id", "a") == stored
    assert stored.content == {"name": "a", "recorded_at": stored.recorded_at}


def test_a_group_is_recorded_whole_or_not_at_all(ledger, folder):
    ledger.append([entry("a")]).result()
    with pytest.raises(LedgerError, match="already recorded"):
        ledger.append([entry("b"), entry("a")]).result()
    assert find(files(folder), "id", "b") is None
    assert verify(folder)[0].seq == 1


def test_appends_that_wait_share_a_commit(ledger, folder):
    ledger.append([entry("first")]).result()
    with locked(folder):
        waiting = [ledger.append([entry(f"e{i}")]) for i in range(50)]
        time.sleep(0.05)
    times = {future.result()[0].recorded_at for future in waiting}
    assert len(times) <= 2


def test_an_append_waits_while_another_process_writes(ledger, folder):
    ledger.append([entry("first")]).result()
    with locked(folder):
        waiting = ledger.append([entry("second")])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        assert find(files(folder), "id", "second") is None
    assert waiting.result()[0].seq == 2


def test_an_idempotency_key_is_recorded_once_even_when_its_requests_race(ledger, folder):
    with locked(folder):
        waiting = [ledger.append([entry(f"e{i}", key="k", digest="d")]) for i in range(20)]
    winners = {future.result()[0].id for future in waiting}
    assert len(winners) == 1
    assert verify(folder)[0].seq == 1


def test_an_append_given_up_before_its_commit_is_not_recorded(ledger, folder):
    ledger.append([entry("first")]).result()
    with locked(folder):
        given_up = ledger.append([entry("late")])
        assert given_up.cancel()
    ledger.probe().result()
    assert find(files(folder), "id", "late") is None


@pytest.mark.parametrize("statement", ["UPDATE entries SET body = x''", "DELETE FROM entries",
                                       "UPDATE genesis SET hash = ''", "DELETE FROM genesis"])
def test_the_file_itself_refuses_to_be_changed(ledger, folder, statement):
    ledger.append([entry("a")]).result()
    with closing(sqlite3.connect(files(folder)[0])) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)


def test_a_new_month_is_chained_to_the_one_before_and_a_clock_set_back_does_not_reopen_it(folder):
    clock = [datetime(2026, 1, 31, tzinfo=UTC)]
    ledger = Ledger(folder, now=lambda: clock[0])
    ledger.append([entry("january", key="k")]).result()
    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    ledger.append([entry("february")]).result()
    clock[0] = datetime(2026, 1, 31, tzinfo=UTC)
    ledger.append([entry("late january")]).result()
    again = ledger.append([entry("other", key="k")]).result()
    ledger.close()
    assert [(head.month, head.seq) for head in verify(folder)] == [("2026-01", 1), ("2026-02", 2)]
    assert again[0].id == "january"


def test_a_new_month_never_shows_itself_without_its_entries(folder, monkeypatch):
    """Stopped where the old order had the file under its name and no table in it; a reader then, and a writer after, find it whole."""
    seen = []
    monkeypatch.setattr("governance.ledger.genesis", lambda *given: (seen.append(files(folder)), genesis(*given))[1])
    ledger = Ledger(folder)
    ledger.append([entry("a")]).result()
    ledger.close()
    assert seen == [[]]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["lock", files(folder)[0].name])


def test_a_month_that_a_killed_writer_left_half_made_is_begun_anew(folder):
    folder.mkdir()
    for suffix in (".draft", ".draft-wal", ".draft-shm"):
        (folder / f"{datetime.now(UTC):%Y-%m}{suffix}").write_bytes(b"half")
    ledger = Ledger(folder)
    assert ledger.append([entry("a")]).result()[0].seq == 1
    ledger.close()
    assert verify(folder)[0].seq == 1


def test_appends_do_not_pile_up_behind_a_process_that_keeps_the_lock(ledger, folder):
    ledger.append([entry("first")]).result()
    with locked(folder):
        waiting = [ledger.append([entry(f"e{i}")]) for i in range(2 * MOST_WAITING + 100)]
        refused = [future for future in waiting if future.done()]
        assert len(refused) >= 100
        for future in refused:
            with pytest.raises(LedgerError, match="wait already"):
                future.result()
    kept = [future for future in waiting if future not in refused]
    assert all(future.result()[0].seq for future in kept)
    assert verify(folder)[0].seq == 1 + len(kept)


def test_two_processes_write_one_chain(folder):
    writers = [write(folder, name, 20) for name in ("a", "b")]
    acknowledged = {line for writer in writers for line in writer.communicate()[0].split() if line != "ready"}
    assert len(acknowledged) == 2 * 20 * 8
    assert sum(head.seq for head in verify(folder)) == len(acknowledged)


@pytest.mark.parametrize("moment", [0.01, 0.05, 0.11, 0.23, 0.4])
def test_every_acknowledged_append_survives_the_writer_being_killed(folder, moment):
    other, killed = write(folder, "other", 30), write(folder, "killed", 1_000_000)
    assert killed.stdout.readline() == "ready\n"
    time.sleep(moment)
    os.kill(killed.pid, signal.SIGKILL)
    said = killed.communicate()[0]
    acknowledged = said[: said.rfind("\n") + 1].split()
    survived = [line for line in other.communicate()[0].split() if line != "ready"]
    verify(folder)
    with closing(sqlite3.connect(files(folder)[0])) as database:
        held = {row[0] for row in database.execute("SELECT id FROM entries")}
    assert held.issuperset(acknowledged)
    assert held.issuperset(survived)
    assert len(survived) == 30 * 8


def test_a_full_disk_is_an_error_and_writing_resumes_when_there_is_room(folder):
    script = f"""
import resource, signal
from pathlib import Path
from feature_repo.errors import LedgerError
from governance.ledger import Ledger
from governance.records import Entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path({str(folder)!r})
ledger = Ledger(folder)
ledger.append([Entry("event", "before", b"{{}}")]).result()
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
try:
    ledger.append([Entry("event", "refused", b"x" * 200_000)]).result()
except LedgerError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ledger.append([Entry("event", "after", b"{{}}")]).result()
    print("resumed")
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "resumed\n"
    assert find(files(folder), "id", "refused") is None
    assert verify(folder)[0].seq == 2


def test_what_cannot_be_written_is_an_error_and_not_silence(tmp_path):
    (tmp_path / "ledger").write_text("a file where the folder should be")
    ledger = Ledger(tmp_path / "ledger")
    for attempt in (ledger.append([entry("a")]), ledger.probe()):
        with pytest.raises(LedgerError, match="cannot be written"):
            attempt.result()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.append([entry("a")]).result()


def test_a_database_that_another_program_keeps_locked_is_an_error(ledger, folder, monkeypatch):
    monkeypatch.setattr("governance.ledger.BUSY_SECONDS", 0.1)
    Ledger(folder).append([entry("a")]).result()
    with closing(sqlite3.connect(files(folder)[0], isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            ledger.append([entry("b")]).result()
        database.execute("ROLLBACK")
    assert ledger.append([entry("b")]).result()[0].seq == 2
