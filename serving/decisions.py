"""Making decisions: read what is stored, judge its age, score, record durably, and only then answer.

Responsible for the order of these steps and for what is in a decision's record. Refuses to answer without a record, to decide twice for
one Idempotency-Key, and to decide at all on a stored value whose policy forbids it. Knows nothing of HTTP but its problems.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any

import msgspec
from uuid6 import uuid7

from feature_repo.contract import Action
from feature_repo.errors import FeatureError, LedgerError, ServiceError
from feature_repo.portfolio import Portfolio
from feature_repo.statistics import FILE
from governance.ledger.book import Column, open_book
from governance.ledger.entries import DECISION, Entry, Record, canonical
from governance.ledger.writer import Ledger
from serving.alike import Alike
from serving.answers import Answers, settle
from serving.application import Application
from serving.awaited import Awaited
from serving.beside import Beside
from serving.champion import Champion, Champions
from serving.counting import Counting
from serving.features import fresh
from serving.metrics import Metrics
from serving.once import InFlight, Once
from serving.online.reads import Read, reads
from serving.online.store import Vector
from serving.owed import Owed
from serving.permission import Permission
from serving.problems import KINDS, Fault, Problem
from serving.recording import Recording
from serving.settings import Settings
from serving.split import Chosen
from serving.statistics import Published
from serving.workers import Workers

ANSWER = ("decision_id", "release_id", "model_version", "portfolio", "pd", "score", "band", "outcome", "reasons", "degraded", "decided_at")
PROBE = 1.0  # seconds the ledger may take for a worker to be ready: who probes waits no longer either
AGAIN = "send the request again with the same Idempotency-Key; without one it is a new request"
log = logging.getLogger("tally.serving")


class Decisions:
    """All that one worker needs to decide. Made in the worker process: it starts the ledger's writer."""

    def __init__(self, settings: Settings, portfolio: Portfolio, metrics: Metrics) -> None:
        self.portfolio = portfolio
        self.metrics = metrics
        self._in_flight = InFlight()
        self._settings = settings
        self._features = reads(settings, portfolio, metrics)
        metrics.begin(KINDS, Action, [column.name for column in portfolio.inputs])
        metrics.also(Published(settings.folder / "feast" / FILE, settings.business_time))
        self._alike = Alike(portfolio, metrics.registry, settings.alike)
        self._book = open_book(settings.folder / "ledger", settings.ledger)
        self._ledger = Ledger(self._book)
        self._recording = Recording(self._ledger)
        self.answers = Answers(settings.folder / "answers", self._ledger, settings.in_flight * settings.batch_size)
        self.workers = Workers(settings.folder / "workers", self.answers.worker)
        self._counting = Counting(settings.folder, portfolio, self.answers.worker, metrics.registry)
        permission = Permission(self._ledger, settings.people, self.answers.worker, settings.patience)
        self.beside = Beside(settings.folder, portfolio, permission, metrics, (self._ledger, settings.shadow_waiting))
        self.answers.follow(self.beside.shadow.left)
        self.champions = Champions(settings.folder, portfolio, permission, changed=self._serves, refused=metrics.refused)
        self.champions.together(self.beside.look)

    async def open(self) -> None:
        """Load the champion and open the feature store, so that the first request need not; what fails is tried again."""
        await asyncio.to_thread(self.champions.look)
        await asyncio.to_thread(self._settle)
        with suppress(FeatureError):
            await self._features.probe()

    async def decide(self, applications: Sequence[Application], awaited: Awaited, once: Once | None = None) -> tuple[list[bytes], Owed]:
        """The answers to some applications, recorded together in one durable commit, and what is owed until they have left.

        awaited: who waits; where nobody does any more, nothing is made. once: a key that was used before gives the answers of then, or a
        problem where the request was another one, or is being answered. Raises Problem.
        """
        with self._in_flight.hold(once):
            return await self._decided(applications, awaited, once)

    async def _decided(self, applications: Sequence[Application], awaited: Awaited, once: Once | None) -> tuple[list[bytes], Owed]:
        asked = digest(applications) if once else ""
        keys = [once.scoped(place) if once else None for place in range(len(applications))]
        if once and (found := await self._found("idempotency_key", *keys, periods=2)):
            return self._again(found, asked), Owed()
        awaited.require()
        contents = await self._contents(applications, awaited)
        entries = [Entry(DECISION, content["decision_id"], canonical(content), key, asked if key else None)
                   for content, key in zip(contents, keys, strict=True)]
        awaited.require()
        with self.metrics.step("record"):
            recorded, owed = await self._recorded(entries, min(self._settings.patience, awaited.left))
        if recorded[0].id != entries[0].id:
            self.answers.done(owed)
            return self._again(recorded, asked), Owed()
        self.beside.shadow.expect(recorded)
        asyncio.get_running_loop().call_soon(self._alike.look, applications, [record.id for record in recorded])
        return [self._first(content) for content in contents], owed

    def serving(self) -> str:
        """The id of the release that serves; empty where none does."""
        return self.champions.now.release.id if self.champions.now else ""

    def champion(self) -> Champion:
        """What serves now. Raises Problem."""
        if self.champions.now is None:
            raise Problem("not-ready", "no verified release serves yet")
        return self.champions.now

    async def answer(self, decision_id: str) -> bytes:
        """The answer that was given under this id. Raises Problem."""
        return answer(await self.record(decision_id))

    async def record(self, decision_id: str) -> Record:
        """What is recorded under this id. Raises Problem."""
        record = next(iter(await self._found("id", decision_id)), None)
        if record is None or record.kind != DECISION:
            raise Problem("not-found", "no decision with this id is recorded")
        if record.erased:
            raise Problem("erased", "what this decision said was erased; that it was recorded can be proved")
        return record

    async def faults(self) -> list[Fault]:
        """What keeps this worker from deciding: nothing, where it is ready."""
        found = [Fault("/release", self.champions.why)] if self.champions.now is None else []
        try:
            await asyncio.to_thread(self.answers.open)
            await self._committed(self._recording.append(()), min(self._settings.patience, PROBE))
        except (Problem, LedgerError):
            found.append(Fault("/ledger", "the ledger cannot be written"))
        try:
            await self._features.probe()
        except FeatureError as error:
            log.warning("not ready: %s", error)
            found.append(Fault("/features", "the feature store cannot be read; publish the features"))
        return found

    def _serves(self, champion: Champion) -> None:
        """Show what this worker serves from now on."""
        self.metrics.serves(champion.release.id, champion.model_version)
        self.workers.say(champion.release.id, champion.model_version, self.champions.since)

    def close(self) -> None:
        """Write what waits and let go."""
        self.workers.close()
        self.answers.close()
        self.beside.shadow.close()
        self._ledger.close()
        self._counting.close()
        self._features.close()
        self.metrics.close()

    async def _contents(self, applications: Sequence[Application], awaited: Awaited) -> list[dict[str, Any]]:
        """Decide them all with the same releases at one moment, letting other requests in between."""
        arms = self.beside.arms(self.champion())
        with self.metrics.step("features"):
            stored = await self._features.many([one.applicant_id for one in applications])
        at = self._settings.business_time or datetime.now(UTC)  # after the read: what was pushed before it is not of the future
        contents: list[dict[str, Any]] = []
        for place, one in enumerate(applications):
            if place:
                await asyncio.sleep(0)
                awaited.require()
            contents.append(self._content(one, stored[place] if stored else None, arms.of(one.applicant_id), at))
        return contents

    def _content(self, one: Application, stored: Vector | None, chosen: Chosen, at: datetime) -> dict[str, Any]:
        """Decide one application: the record of it, from which it can be decided again. stored: None where the store was not read."""
        judged, by = fresh(self.portfolio, stored, at, one.said), chosen.release
        self.metrics.stored(judged.states)
        if judged.refused:
            raise Problem("not-current", "the policy of this portfolio forbids a decision without this information",
                          [Fault("", f"{name} of the applicant is missing or out of date in the feature store") for name in judged.refused])
        with self.metrics.step("score"):
            decided = by.scorer.decide({**one.values, **judged.values}, judged.doubtful)
        if not (isfinite(decided.margin) and 0 <= decided.pd <= 1):
            raise ServiceError(f"release {by.release.id[:12]} gave no probability")
        return {
            "decision_id": str(uuid7()), "portfolio": self.portfolio.name, "release_id": by.release.id,
            "model_version": by.model_version, **chosen.said, "applicant_id": one.applicant_id, "application": {**one.values, **one.said},
            "features": Read.UNREACHABLE if stored is None else Read.READ, "stored": stored, "doubtful": judged.doubtful,
            **msgspec.structs.asdict(decided), "decided_at": at.isoformat(timespec="milliseconds"),
        }

    async def _found(self, column: Column, *values: str | None, periods: int = 0) -> tuple[Record, ...]:
        """The entries with these values, of the newest periods or (0) of all. Raises Problem where the record cannot be read."""
        def read() -> tuple[Record, ...]:
            return tuple(record for value in values if value and (record := self._book.find(column, value, periods)))

        try:
            return await asyncio.to_thread(read)
        except LedgerError as error:
            log.warning("not read: %s", error)
            raise Problem("not-ready", "the ledger cannot be read; send the request again") from None

    def _first(self, content: dict[str, Any]) -> bytes:
        self.metrics.decided(content["outcome"], degraded=content["degraded"], outside=content["outside"])
        return told(content)

    def _again(self, recorded: Sequence[Record], asked: str) -> list[bytes]:
        if any(record.request_digest != asked for record in recorded):
            raise Problem("idempotency-conflict", "this Idempotency-Key was used with another request; give a new request a new key")
        self.metrics.repeated()
        return [answer(record) for record in recorded]

    async def _recorded(self, entries: Sequence[Entry], patience: float) -> tuple[tuple[Record, ...], Owed]:
        """Record what is owed an answer from this moment on. Raises Problem; what became of the record is then followed up."""
        try:
            owed = self.answers.begin([entry.id for entry in entries])
        except LedgerError as error:
            log.warning("not recorded: %s", error)
            self.metrics.unrecorded("refused")
            raise Problem("not-recorded", f"nothing was recorded; {AGAIN}") from None
        waiting = self._recording.append(entries)
        waiting.add_done_callback(partial(self._counting.recorded, entries[0].id))
        try:
            return await self._committed(waiting, patience), owed
        except BaseException:
            waiting.add_done_callback(partial(self.answers.unheard, owed))
            raise

    def _settle(self) -> None:
        """Mark what workers that were killed left unanswered; what fails is left to the next one, or to `tally watch`."""
        try:
            settle(self._settings.folder / "answers", self._ledger)
        except (LedgerError, OSError) as error:
            log.warning("answers are left to be settled: %s", error)

    async def _committed(self, waiting: Future[tuple[Record, ...]], patience: float) -> tuple[Record, ...]:
        """Wait for the disk, within patience; an append given up before its commit began is not written."""
        try:
            async with asyncio.timeout(patience):
                return await self._recording.heard(waiting)
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        except LedgerError as error:
            log.warning("not recorded: %s", error)
            self.metrics.unrecorded("refused")
            raise Problem("not-recorded", f"the ledger cannot be written; {AGAIN}") from None
        except TimeoutError:
            log.warning("no commit within %.3g seconds", patience)
            self.metrics.unrecorded("late")
            known = "nothing was recorded" if waiting.cancel() else "it may have been recorded"
            raise Problem("not-recorded", f"the ledger did not answer in time and {known}; {AGAIN}") from None


def digest(applications: Sequence[Application]) -> str:
    """What a request asked for, however it was spelled: SHA-256 (hex) of what was read from it."""
    return hashlib.sha256(canonical([(one.applicant_id, one.values, one.said) for one in applications])).hexdigest()


def answer(record: Record) -> bytes:
    """What the lending system is told of a recorded decision: always the same bytes for the same record."""
    return told(record.content)


def told(content: dict[str, Any]) -> bytes:
    """The answer to a decision with this content, as it was recorded or is read again."""
    return msgspec.json.encode({name: content[name] for name in ANSWER})
