"""Guarantees of writing, on every store: durable before acknowledged, written once, one order for all processes and months."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from ledgers import contents, entry, hold, numbers

from feature_repo.errors import LedgerError
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import MOST_WAITING, Ledger


def test_what_is_acknowledged_can_be_read_by_another_connection_at_once(ledger, book):
    (stored,) = ledger.append([entry("a")]).result()
    assert book.find("id", "a") == stored
    assert stored.content == {"name": "a", "recorded_at": stored.recorded_at}


def test_a_group_is_recorded_whole_or_not_at_all(ledger, book):
    ledger.append([entry("a")]).result()
    with pytest.raises(LedgerError, match="already recorded"):
        ledger.append([entry("b"), entry("a")]).result()
    assert book.find("id", "b") is None
    assert contents(book) == ["a"]


@pytest.mark.parametrize("group", [[entry("b"), entry("b")], [entry("b", key="k"), entry("c", key="k")]], ids=["id", "key"])
def test_a_group_that_repeats_itself_is_refused_and_hinders_nobody_else(ledger, book, group):
    ledger.append([entry("first")]).result()
    with hold(book):
        waiting = [ledger.append([entry("a")]), ledger.append(group), ledger.append([entry("z")])]
    with pytest.raises(LedgerError, match="given once"):
        waiting[1].result()
    assert contents(book) == ["first", "a", "z"]


def test_an_event_is_recorded_once_in_whatever_month(make_book, book):
    clock = [datetime(2026, 1, 31, tzinfo=UTC)]
    ledger = Ledger(make_book(), now=lambda: clock[0])
    for month in (1, 2, 3):
        clock[0] = datetime(2026, month, 1, tzinfo=UTC)
        ledger.append([entry(f"decided in {month}")]).result()
        if month == 1:
            ledger.append([Entry("release-retired", "once", b"{}")]).result()
    with pytest.raises(LedgerError, match="already recorded"):
        ledger.append([Entry("release-retired", "once", b"{}")]).result()
    ledger.close()
    assert book.periods() == ["2026-01", "2026-02", "2026-03"]


def test_appends_that_wait_share_a_commit(ledger, book):
    ledger.append([entry("first")]).result()
    with hold(book):
        waiting = [ledger.append([entry(f"e{i}")]) for i in range(50)]
        time.sleep(0.05)
    times = {future.result()[0].recorded_at for future in waiting}
    assert len(times) <= 2


def test_an_append_waits_while_another_process_writes(ledger, book):
    ledger.append([entry("first")]).result()
    with hold(book):
        waiting = ledger.append([entry("second")])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        assert book.find("id", "second") is None
    assert waiting.result()[0].seq == 3


def test_an_idempotency_key_is_recorded_once_even_when_its_requests_race(ledger, book):
    ledger.append([entry("first")]).result()
    with hold(book):
        waiting = [ledger.append([entry(f"e{i}", key="k", digest="d")]) for i in range(20)]
    winners = {future.result()[0].id for future in waiting}
    assert len(winners) == 1
    assert len(contents(book)) == 2


def test_an_append_given_up_before_its_commit_is_not_recorded(ledger, book):
    ledger.append([entry("first")]).result()
    with hold(book):
        given_up = ledger.append([entry("late")])
        assert given_up.cancel()
    ledger.probe().result()
    assert book.find("id", "late") is None


def test_a_clock_set_back_does_not_reopen_a_month_and_a_key_outlives_its_month(make_book, book):
    clock = [datetime(2026, 1, 31, tzinfo=UTC)]
    ledger = Ledger(make_book(), now=lambda: clock[0])
    ledger.append([entry("january", key="k")]).result()
    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    ledger.append([entry("february")]).result()
    clock[0] = datetime(2026, 1, 31, tzinfo=UTC)
    ledger.append([entry("late january")]).result()
    again = ledger.append([entry("other", key="k")]).result()
    ledger.close()
    assert [(record.period, record.id) for record in book.records({DECISION})] == [
        ("2026-01", "january"), ("2026-02", "february"), ("2026-02", "late january")]
    assert again[0].id == "january"


def test_appends_do_not_pile_up_behind_a_process_that_keeps_the_turn(ledger, book):
    ledger.append([entry("first")]).result()
    with hold(book):
        waiting = [ledger.append([entry(f"e{i}")]) for i in range(2 * MOST_WAITING + 100)]
        refused = [future for future in waiting if future.done()]
        assert len(refused) >= 100
        for future in refused:
            with pytest.raises(LedgerError, match="wait already"):
                future.result()
    kept = [future for future in waiting if future not in refused]
    assert all(future.result()[0].seq for future in kept)
    assert len(contents(book)) == 1 + len(kept)


def test_two_processes_write_one_gapless_order(write, book):
    writers = [write(name, 20) for name in ("a", "b")]
    acknowledged = {line for writer in writers for line in writer.communicate()[0].split() if line != "ready"}
    assert len(acknowledged) == 2 * 20 * 8
    assert set(contents(book)) == acknowledged
    assert numbers(book) == list(range(1, len(acknowledged) + 2))


@pytest.mark.parametrize("moment", [0.01, 0.05, 0.11, 0.23, 0.4])
def test_every_acknowledged_append_survives_the_writer_being_killed(write, book, moment):
    other, killed = write("other", 30), write("killed", 1_000_000)
    assert killed.stdout.readline() == "ready\n"
    time.sleep(moment)
    os.kill(killed.pid, signal.SIGKILL)
    said = killed.communicate()[0]
    acknowledged = said[: said.rfind("\n") + 1].split()
    survived = [line for line in other.communicate()[0].split() if line != "ready"]
    records = list(book.records())  # once: a server may still commit what the killed one sent
    held = {record.id for record in records if record.kind == DECISION}
    assert held.issuperset(acknowledged)
    assert held.issuperset(survived)
    assert len(survived) == 30 * 8
    assert [record.seq for record in records] == list(range(1, len(held) + 2))


def test_a_closed_ledger_says_so(ledger):
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.append([entry("a")]).result()


@pytest.mark.parametrize("spoilt", [Entry("decision", "tab\tin it", b"{}"), Entry("decision", "a", b"{\n}"), Entry("", "a", b"{}"),
                                    Entry("decision", "a", b"{}", "key\n"), Entry("decision", "a", b"{}", "k", "\x00"),
                                    Entry("decision", "half \ud800", b"{}")], ids=range(6))
def test_what_would_not_be_one_line_of_an_export_is_not_recorded(ledger, book, spoilt):
    with pytest.raises(LedgerError, match="control character") as error:
        ledger.append([spoilt]).result()
    assert "tab" not in str(error.value)
    ledger.append([entry("after")]).result()
    assert contents(book) == ["after"]


def test_events_and_kinds_and_bounds_of_time_choose_what_is_read_in_its_order(make_book, book):
    clock = [datetime(2026, 1, 30, tzinfo=UTC)]
    ledger = Ledger(make_book(), now=lambda: clock[0])
    for day in (30, 31):
        clock[0] = datetime(2026, 1, day, tzinfo=UTC)
        ledger.append([entry(f"d{day}"), Entry("release-retired", f"r{day}", b"{}")]).result()
    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    ledger.append([entry("d1")]).result()
    ledger.close()
    assert [record.id for record in book.records({DECISION, "release-retired"})] == ["d30", "r30", "d31", "r31", "d1"]
    assert [record.kind for record in book.events()] == ["period-begun", "release-retired", "release-retired", "period-begun"]
    assert [record.id for record in book.records({"release-retired"}, until="2026-01-31")] == ["r30"]
    assert [record.id for record in book.records({DECISION}, since="2026-01-31", until="2026-02-01T00:00:00.000000+00:00")] == ["d31"]
    assert list(book.records(())) == []


def test_any_thread_may_read_while_another_writes(ledger, book):
    ledger.append([entry("first")]).result()
    contents(book)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: (ledger.append([entry(f"e{number}")]).result(), book.find("id", "first"))[1], range(40)))
    assert {record.id for record in found if record} == {"first"}
    assert len(contents(book)) == 41
