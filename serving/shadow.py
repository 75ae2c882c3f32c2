"""What another release would have said of each decision, found after its answer has left, by a thread that never hinders one that has not.

Responsible for a record of its own for every decision that was not dropped (`shadow-decision`), appended in groups. Takes its inputs from
the decision's record alone. Refuses to wait, to grow and to be heard: what does not fit its queue is dropped and counted, what fails is
counted and logged by its kind and release, and no decision depends on any of it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from math import isfinite

import msgspec

from feature_repo.errors import LedgerError, ServiceError
from feature_repo.portfolio import Portfolio
from governance.ledger.entries import SHADOW_DECISION, Entry, Record, canonical
from governance.ledger.writer import Ledger
from serving.beside_metrics import BesideMetrics
from serving.candidate import Candidate
from serving.champion import Champion
from serving.owed import Owed

TOGETHER = 64  # in one commit, which decisions share
LINGER, LONGEST = 0.1, 1.0  # seconds without another, and at all, until a group is appended
PATIENCE = 5.0
LAST = 2.0  # seconds that what waits is given when the worker ends
log = logging.getLogger("tally.serving")


class Shadow:
    """The shadow of one worker. most: decisions that may wait for it."""

    def __init__(self, candidate: Candidate, portfolio: Portfolio, ledger: Ledger, metrics: BesideMetrics, most: int) -> None:
        self._candidate, self._ledger, self._metrics = candidate, ledger, metrics
        self._inputs = [column.name for column in portfolio.raw_inputs]
        self._most = most
        self._answering: dict[str, Record] = {}
        self._waiting: queue.Queue[Record | None] = queue.Queue(most)
        self._said: set[tuple[str, str]] = set()
        self._ends = float("inf")
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def expect(self, records: Sequence[Record]) -> None:
        """These decisions are recorded, and their answers are about to leave."""
        if self._candidate.now is None:
            return
        for record in records:
            if len(self._answering) < self._most:
                self._answering[record.id] = record
            else:
                self._metrics.dropped()

    def left(self, owed: Owed) -> None:
        """Their answers have left, or are known not to."""
        for one in owed.ids if self._answering else ():
            if record := self._answering.pop(one, None):
                self._take(record)

    def close(self) -> None:
        """Score and append what waits, as far as there is time."""
        self._ends = time.monotonic() + LAST
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=LAST)
            self._thread.join()

    def _take(self, record: Record) -> None:
        if self._thread.ident is None:
            self._thread.start()
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self._metrics.dropped()

    def _run(self) -> None:
        """Score one after another, resting after each as long as it took: a request that wants to go on waits for one at most."""
        group: list[Entry] = []
        began = 0.0
        while (record := self._next(idle=not group)) is not None or group:
            if record is not None:
                began = began if group else time.monotonic()
                group += self._scored(record)
            if record is None or len(group) >= TOGETHER or time.monotonic() - began >= LONGEST:
                self._append(group)
                group = []

    def _next(self, *, idle: bool) -> Record | None:
        """The next decision; None where a group has none to wait for, or the worker ends."""
        if time.monotonic() >= self._ends:
            self._give_up()
            return None
        try:
            return self._waiting.get(timeout=None if idle and self._ends == float("inf") else LINGER)
        except queue.Empty:
            return None

    def _give_up(self) -> None:
        with suppress(queue.Empty):
            while True:
                if self._waiting.get_nowait() is not None:
                    self._metrics.dropped()

    def _scored(self, record: Record) -> list[Entry]:
        """What the shadow says of a decision, as an entry; none where it is the release that decided, or fails."""
        shadow = self._candidate.now
        if shadow is None:
            return []
        started = time.perf_counter()
        try:
            made = self._entry(record, shadow)
        except Exception as error:  # noqa: BLE001 - whatever a release does, decisions know nothing of it
            self._failed("scoring", 1, f"release {shadow.release.id[:12]} fails on decisions ({type(error).__name__})")
            return []
        time.sleep(time.perf_counter() - started)
        return made

    def _entry(self, record: Record, shadow: Champion) -> list[Entry]:
        content = msgspec.json.decode(record.body)
        if content["release_id"] == shadow.release.id:
            return []
        decided = shadow.scorer.decide({name: content["values"][name] for name in self._inputs}, tuple(content["doubtful"]))
        if not (isfinite(decided.margin) and 0 <= decided.pd <= 1):
            raise ServiceError("no probability")
        said = {"decision_id": record.id, "applicant_id": content["applicant_id"], "portfolio": content["portfolio"],
                "release_id": shadow.release.id, "model_version": shadow.model_version, "beside": content["release_id"],
                "pd": decided.pd, "margin": decided.margin, "score": decided.score, "band": decided.band, "outcome": decided.outcome,
                "degraded": decided.degraded, "reasons": [reason.code for reason in decided.reasons], "decided_at": content["decided_at"]}
        return [Entry(SHADOW_DECISION, f"{SHADOW_DECISION}:{record.id}", canonical(said))]

    def _append(self, group: list[Entry]) -> None:
        if not group:
            return
        waiting = self._ledger.append(group)
        try:
            waiting.result(PATIENCE)
        except (LedgerError, TimeoutError, CancelledError) as error:
            waiting.cancel()
            self._failed("ledger", len(group), f"what it said is not recorded: {error or 'no commit in time'}")
        else:
            self._metrics.scored(len(group))

    def _failed(self, what: str, count: int, why: str) -> None:
        """Count it, and say each thing once."""
        self._metrics.failed(what, count)
        if (what, why) not in self._said:
            self._said.add((what, why))
            log.error("shadow: %s; decisions go on", why)
