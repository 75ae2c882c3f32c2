"""Appending: durable before anyone hears of it, and many at once.

A process has one writer thread over a book: appends that wait for the disk share the next commit. `append` returns a future that
completes after the commit; a group is written whole or not at all. Refuses a second entry with the same id, to be silent when it could
not write, and to let appends pile up behind a turn that is not given back.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass

from feature_repo.errors import LedgerError
from governance.ledger.book import Book, Clock, Turn, Wanted, moment
from governance.ledger.entries import OF_PEOPLE, Entry, Record, admit, recorded, salts, stamp

MOST_PER_COMMIT = 1024
MOST_WAITING = 1024
Stored = tuple[Record, ...]


@dataclass(frozen=True)
class Group:
    """Entries that are written together, and who waits for them. No entries: only prove that writing would work."""

    entries: tuple[Entry, ...]
    done: Future[Stored]

    @property
    def keys(self) -> list[str]:
        return [entry.idempotency_key for entry in self.entries if entry.idempotency_key]


class Ledger:
    """One process's way to append. Close it to wait for what was already asked for."""

    def __init__(self, book: Book, now: Clock = moment) -> None:
        self.book = book
        self._now = now
        self._waiting: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_forever, name="ledger", daemon=True)
        self._thread.start()

    def append(self, entries: Sequence[Entry]) -> Future[Stored]:
        """Write `entries` in one durable commit; the future gives them as recorded, or raises LedgerError and nothing was written.

        Where an entry's idempotency key is already taken, nothing is written and the future gives the entries that hold the keys.
        A future cancelled before its commit begins is not written.
        """
        group = Group(tuple(entries), Future())
        self.put([group])
        return group.done

    def put(self, groups: Iterable[Group]) -> None:
        """`append` for some at a time; each is told by its own future."""
        for group in groups:
            if objection := self._objection(group):
                fail([group], objection)
            else:
                self._waiting.put(group)

    def _objection(self, group: Group) -> LedgerError | None:
        """Why a group is not taken, if it is not."""
        try:
            admit(group.entries)
        except LedgerError as error:
            return error
        if not self._thread.is_alive():
            return LedgerError("the ledger is closed in this process; start the service again")
        if self._waiting.qsize() >= MOST_WAITING:
            return LedgerError(f"{MOST_WAITING} appends wait already; another process holds the ledger's lock")
        return None

    def probe(self) -> Future[Stored]:
        """Go through everything an append does, short of writing; raises LedgerError where an append would."""
        return self.append(())

    def close(self) -> None:
        """Write what waits, then let go of the store."""
        self._waiting.put(None)
        self._thread.join()

    def _write_forever(self) -> None:
        while (first := self._waiting.get()) is not None:
            groups = [first, *self._drain()]
            try:
                self._write(groups)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                fail(groups, error)
        self.book.close()

    def _drain(self) -> Iterator[Group]:
        for _ in range(MOST_PER_COMMIT - 1):
            try:
                group = self._waiting.get_nowait()
            except queue.Empty:
                return
            if group is None:
                self._waiting.put(None)
                return
            yield group

    def _write(self, groups: list[Group]) -> None:
        asked = Wanted([entry.id for group in groups for entry in group.entries], [key for group in groups for key in group.keys])
        with self.book.turn(self._now, asked) as turn:
            wanted = [group for group in groups if group.done.set_running_or_notify_cancel()]
            answers = place(turn, wanted, self._known(wanted))
        for group, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, LedgerError):
                group.done.set_exception(answer)
            else:
                group.done.set_result(answer)

    def _known(self, groups: Sequence[Group]) -> set[str]:
        """The ids of events that are recorded, in whatever month; those of decisions and shadows are random: looked for in their own."""
        events = {entry.id for group in groups for entry in group.entries if entry.kind not in OF_PEOPLE}
        return {each for each in events if self.book.find("id", each)}


def place(turn: Turn, groups: Sequence[Group], known: set[str]) -> list[Stored | LedgerError]:
    """Put groups behind the newest entry, or say who already holds their idempotency keys or ids. known: ids of earlier periods."""
    ids, holders = turn.ids | known, dict(turn.holders)
    put: list[Record] = []
    answers: list[Stored | LedgerError] = []
    at, fresh = stamp(turn.at), iter(salts(sum(len(group.entries) for group in groups)))
    for group in groups:
        answer = _answer(group, ids, holders)
        if answer is None:
            first = turn.size + len(put) + 1
            answer = tuple(recorded(entry, turn.period, number, at, next(fresh)) for number, entry in enumerate(group.entries, first))
            put += answer
            ids.update(record.id for record in answer)
            holders.update((record.idempotency_key, record) for record in answer if record.idempotency_key)
        answers.append(answer)
    if put:
        turn.put(put)
    return answers


def _answer(group: Group, ids: set[str], holders: dict[str, Record]) -> Stored | LedgerError | None:
    """Who was there first; None where nobody was."""
    if taken := tuple(holders[key] for key in group.keys if key in holders):
        return taken
    twice = _repeated(entry.id for entry in group.entries) or next((entry.id for entry in group.entries if entry.id in ids), None)
    if twice:
        return LedgerError(f"an entry with id {twice} is already recorded; ids are given once")
    return LedgerError("one idempotency key for two entries of a group; keys are given once") if _repeated(group.keys) else None


def _repeated(texts: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((text for text in texts if text in seen or seen.add(text)), None)  # type: ignore[func-returns-value]


def fail(groups: list[Group], error: Exception) -> None:
    """Tell everyone who waits that nothing was written."""
    reason = error if isinstance(error, LedgerError) else LedgerError(f"the ledger cannot be written ({error}); nothing was recorded")
    for group in groups:
        with suppress(InvalidStateError):
            group.done.set_exception(reason)
