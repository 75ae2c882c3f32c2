"""What one turn of the loop asks for shares a commit, and everybody hears of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future

import pytest

from feature_repo.errors import LedgerError
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import Ledger
from serving import recording
from serving.recording import Recording


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(open_book(tmp_path / "ledger"))
    made.append([Entry(DECISION, "first", b"{}")]).result()
    yield made
    made.close()


@pytest.fixture
def turns(ledger, monkeypatch):
    """How many were handed over at a time."""
    found = []
    put = ledger.put
    monkeypatch.setattr(ledger, "put", lambda groups: (found.append(len(groups)), put(groups)))
    return found


def entries(*names):
    return [[Entry(DECISION, name, b"{}")] for name in names]


async def all_of(record, groups):
    return await asyncio.gather(*(record.heard(record.append(group)) for group in groups), return_exceptions=True)


def test_what_a_turn_of_the_loop_asks_for_is_handed_over_together_and_each_hears_of_its_own(ledger, turns):
    found = asyncio.run(all_of(Recording(ledger), entries("a", "b", "c")))
    assert turns == [3]
    assert [[one.id for one in each] for each in found] == [["a"], ["b"], ["c"]]


def test_so_many_are_not_kept_waiting_for_the_end_of_the_turn(ledger, turns):
    names = [f"e{number}" for number in range(recording.TOGETHER + 3)]
    found = asyncio.run(all_of(Recording(ledger), entries(*names)))
    assert turns == [recording.TOGETHER, 3]
    assert [each[0].id for each in found] == names


def test_one_that_is_refused_tells_only_its_own(ledger):
    found = asyncio.run(all_of(Recording(ledger), entries("a", "first", "b")))
    assert [type(each) for each in found] == [tuple, LedgerError, tuple]


def test_one_given_up_before_it_is_handed_over_is_not_written(ledger):
    async def give_up():
        record = Recording(ledger)
        waiting = [record.append(group) for group in entries("a", "b")]
        heard = [record.heard(each) for each in waiting]
        waiting[0].cancel()
        return await asyncio.gather(*heard, return_exceptions=True)

    found = asyncio.run(give_up())
    assert isinstance(found[0], asyncio.CancelledError)
    assert [one.id for one in found[1]] == ["b"]
    assert ledger.book.find("id", "a") is None


def test_who_stopped_waiting_keeps_nobody_else_from_hearing(ledger):
    async def leave():
        record = Recording(ledger)
        heard = [record.heard(record.append(group)) for group in entries("a", "b")]
        heard[0].cancel()
        return await heard[1]

    assert [one.id for one in asyncio.run(leave())] == ["b"]
    assert ledger.book.find("id", "a") is not None


def test_one_given_up_keeps_nobody_else_from_hearing_that_the_ledger_is_closed(ledger):
    async def give_up():
        record = Recording(ledger)
        waiting = [record.append(group) for group in entries("a", "b")]
        waiting[0].cancel()
        return await asyncio.wait_for(record.heard(waiting[1]), 5)

    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        asyncio.run(give_up())


def test_a_commit_that_ends_after_its_loop_keeps_no_later_loop_from_hearing(ledger):
    record, late = Recording(ledger), Future()

    async def leave():
        record.heard(late)

    asyncio.run(leave())
    late.set_result(())
    assert [one.id for each in asyncio.run(asyncio.wait_for(all_of(record, entries("a")), 5)) for one in each] == ["a"]


def test_one_that_is_done_just_after_the_last_was_told_is_heard_as_well(ledger):
    record, first, second = Recording(ledger), Future(), Future()

    class Late(deque):
        def __bool__(self):
            if not (left := len(self)) and not second.done():
                second.set_result(("second",))
            return left > 0

    async def both():
        record._finished = Late()
        heard = [record.heard(first), record.heard(second)]
        first.set_result(("first",))
        return await asyncio.wait_for(asyncio.gather(*heard), 5)

    assert asyncio.run(both()) == [("first",), ("second",)]
