"""Which recorded decisions were really answered: each is noted before it is recorded, and struck out when its answer has left.

Responsible for an abort mark in the record (`answer-unconfirmed`) of every decision whose answer cannot be shown to have left: the worker
was killed, the client had gone, the wait was given up. After a power cut, what was noted since the last sync is not known, and every
decision recorded since then is marked, by whichever worker: more marks than needed, never too few. A mark stays when the decision is told
again later, by its Idempotency-Key or its id: it says that the first answer could not be shown to have left. Refuses a decision where too
many are on their way. Knows nothing of HTTP but its problems.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feature_repo.errors import LedgerError
from governance.events import Actor, AnswerUnconfirmed, entry
from governance.ledger.book import Book
from governance.ledger.entries import DECISION, Record, stamp
from governance.ledger.writer import Ledger
from serving.owed import SUFFIX, Left, Owed, Places, abandoned, read
from serving.problems import Problem

EVERY = 5.0  # seconds between syncs, and between looks for what was lost
UNSYNCED = timedelta(seconds=60)  # a machine that cannot sync for so long cannot record either
PATIENCE = 5.0
TOGETHER = 512
log = logging.getLogger("tally.serving")


class Answers:
    """What one worker owes. Its file is made when it is first needed; marks are written by a thread, beside requests."""

    def __init__(self, folder: Path, ledger: Ledger, places: int) -> None:
        self.worker = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._path, self._count, self._ledger = folder / f"{self.worker}{SUFFIX}", places, ledger
        self._places: Places | None = None
        self._opening = threading.Lock()
        self._lost: list[Owed] = []
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="answers", daemon=True)
        self._settled: Callable[[Owed], None] = lambda _: None

    def follow(self, settled: Callable[[Owed], None]) -> None:
        """Tell somebody of every request whose answer has left, or is known not to."""
        self._settled = settled

    def open(self) -> Places:
        """The worker's file. Raises LedgerError where it cannot be made."""
        with self._opening:
            if self._places is None:
                try:
                    self._places = Places(self._path, self._count)
                except OSError as error:
                    raise LedgerError(f"no file for what is owed an answer ({error.strerror}); is TALLY_HOME writable?") from None
                self._keeper.start()
            return self._places

    def begin(self, ids: Sequence[str]) -> Owed:
        """These decisions are about to be recorded. Raises Problem where too many are on their way, LedgerError as `open` does."""
        places = self._places or self.open()
        try:
            return places.take(ids)
        except IndexError:
            raise Problem("too-busy", f"{self._count} decisions are on their way at once") from None

    def done(self, owed: Owed) -> None:
        """The answer has left, or nothing was recorded."""
        if owed.places:
            self.open().free(owed)
            self._settled(owed)

    def lost(self, owed: Owed) -> None:
        """The answer has not left, or the record was not heard of: what is recorded of it is marked, here or by whoever settles."""
        if owed.places:
            self._lost.append(owed)
            self._settled(owed)

    def unheard(self, owed: Owed, waiting: Future[tuple[Record, ...]]) -> None:
        """An append nobody waits for has ended; one that failed may have been recorded, where only the store's answer was lost."""
        if waiting.cancelled() or (not waiting.exception() and waiting.result()[0].id != owed.ids[0]):
            self.done(owed)
        else:
            self.lost(owed)

    def close(self) -> None:
        """Mark what is still owed and leave nothing; where the record cannot be written, the file is left to be settled."""
        if self._places is None or self._closing.is_set():
            return
        self._closing.set()
        self._keeper.join()
        try:
            if self._places.ids():
                _finish(self._ledger.probe())  # what was asked for before is recorded by then
            mark(self._places.ids(), self.worker, self._ledger)
        except LedgerError as error:
            log.warning("answers are left to be settled: %s", error)
            self._places.close(keep=True)
        else:
            self._places.close(keep=False)

    def _keep(self) -> None:
        """Every few seconds: sync, and mark what was lost."""
        places = self.open()
        while not self._closing.wait(EVERY):
            try:
                places.sync()
                while lost := self._lost[:TOGETHER]:
                    mark([one for owed in lost for one in owed.ids], self.worker, self._ledger)
                    del self._lost[:len(lost)]
                    for owed in lost:
                        places.free(owed)
            except (LedgerError, OSError) as error:
                log.warning("answers are marked later: %s", error)


def settle(folder: Path, ledger: Ledger) -> int:
    """Mark what dead workers owed, and remove their files; how many decisions were marked. To do it twice, or at once, is harmless.

    folder: `answers` of a portfolio's service. Raises LedgerError where the record cannot be read or written; what is left is settled
    next time.
    """
    marked = 0
    with ExitStack() as held:
        for file in abandoned(folder, held):
            marked += mark(suspects(read(file), ledger.book), Path(file.name).stem, ledger)
            Path(file.name).unlink(missing_ok=True)
    return marked


def suspects(left: Left, book: Book) -> Iterable[str]:
    """The decisions a dead worker's file cannot show to be answered."""
    if left.since is None:
        return left.ids
    unsynced = book.records({DECISION}, since=stamp(left.since), until=stamp(left.since + UNSYNCED))
    return [*left.ids, *(record.id for record in unsynced)]


def mark(ids: Iterable[str], worker: str, ledger: Ledger) -> int:
    """Append the abort mark of those that are recorded and have none; how many. Raises LedgerError."""
    by, at = Actor(name=worker, how="process"), datetime.now(UTC).isoformat(timespec="milliseconds")
    known = (one for one in dict.fromkeys(ids) if ledger.book.find("id", one))
    marks = (entry(AnswerUnconfirmed(by=by, at=at, decision_id=one, worker=worker), one) for one in known)
    missing = [each for each in marks if not ledger.book.find("id", each.id)]
    for start in range(0, len(missing), TOGETHER):
        _finish(ledger.append(missing[start:start + TOGETHER]))
    return len(missing)


def _finish(waiting: Future[tuple[Record, ...]]) -> None:
    """Wait for an append. Raises LedgerError."""
    try:
        waiting.result(PATIENCE)
    except TimeoutError:
        waiting.cancel()
        raise LedgerError(f"the ledger did not answer within {PATIENCE:g} seconds") from None
