"""A real service whose workers are killed while clients ask it, and what must hold between its record and its clients afterwards."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from served import BAD, Service

from feature_repo.contract import APPLICANT_ID
from feature_repo.errors import LedgerError
from governance import events
from governance.ledger.book import Book, moment, open_book
from governance.ledger.checkpoint import open_key
from governance.ledger.entries import DECISION, Record, stamp
from governance.ledger.proving import checkpoint_now
from governance.ledger.verification import verify
from serving.decisions import answer
from serving.owed import SUFFIX

CLIENTS = 16
WORKERS = 2
PATIENCE = 100
GIVES_UP = 4  # every so manieth decision is asked for once: its client does not come back after a broken connection


@dataclass(frozen=True)
class Attempt:
    """One request of a client, by the clock of the record; answer: nothing where the connection broke."""

    key: str
    began: str
    ended: str
    answer: bytes | None


@dataclass
class Ran:
    """All that happened."""

    attempts: list[Attempt] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)


def workers(service: Service) -> list[psutil.Process]:
    """The living worker processes that this service started."""
    found = []
    for child in psutil.Process(service.pid).children():
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and "_bentoml_impl.worker.service" in child.cmdline():
                found.append(child)
    return found


def run(service: Service, decisions: int, kills: int, seed: int) -> Ran:
    """`decisions` asked for by 16 clients at once, workers killed at `kills` random moments; ends when all workers are back."""
    settled(service)
    draw = random.Random(seed)  # noqa: S311 - a draw of moments, no secret
    moments = sorted(draw.sample(range(CLIENTS, decisions - CLIENTS), kills))
    ran, numbers, answered = Ran(), itertools.count(), itertools.count(1)
    reached = threading.Semaphore(0)

    def client() -> None:
        with httpx.Client(base_url=service.url, timeout=60) as http:
            while (number := next(numbers)) < decisions:
                ask(http, service.request if number % 3 else {**service.request, APPLICANT_ID: BAD}, f"{seed}-{number}", ran,
                    patient=bool(number % GIVES_UP))
                if next(answered) in moments:
                    reached.release()

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(client) for _ in range(CLIENTS)]
        for _ in moments:
            reached.acquire()
            time.sleep(draw.uniform(0, 0.01))
            kill_one(service, draw, ran)
        for each in asking:
            each.result()
    settled(service)
    return ran


def kill_one(service: Service, draw: random.Random, ran: Ran) -> None:
    """SIGKILL to one of the service's own workers, once there is one."""
    while not (alive := workers(service)):
        time.sleep(0.05)
    chosen = draw.choice(alive)
    with contextlib.suppress(psutil.NoSuchProcess):
        chosen.send_signal(signal.SIGKILL)
        ran.killed.append(chosen.pid)


def ask(http: httpx.Client, document: dict[str, Any], key: str, ran: Ran, *, patient: bool) -> None:
    """One decision, asked for again with its key until it is answered, or where the client is not patient, once."""
    for _ in range(PATIENCE):
        began = stamp(moment())
        try:
            said = http.post("/v1/decisions", json=document, headers={"Idempotency-Key": key})
        except httpx.TransportError as error:
            ran.attempts.append(Attempt(key, began, stamp(moment()), None))
            said = repr(error)
            if not patient:
                return
            continue
        ran.attempts.append(Attempt(key, began, stamp(moment()), said.content if said.is_success else None))
        if said.is_success:
            return
        time.sleep(0.1)
    raise AssertionError(f"not answered in {PATIENCE} attempts: {said}")


def settled(service: Service, seconds: float = 60) -> None:
    """All workers answer again, and what dead ones left is settled."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        alive, files = {each.pid for each in workers(service)}, [*(service.folder / "answers").glob(f"*{SUFFIX}")]
        theirs = {int(path.name.split("-")[0]) for path in files}
        if len(alive) == WORKERS and theirs <= alive and httpx.get(f"{service.url}/readyz").is_success:
            return
        time.sleep(0.1)
    raise AssertionError((service.home / "serve.log").read_text()[-4000:])


@dataclass(frozen=True)
class Findings:
    """What was found wrong, in words; and how many records had no answer, and how many a mark."""

    wrong: list[str]
    unanswered: int
    marked: int


def examine(folder: Path, ran: Ran) -> Findings:
    """Hold the record of a portfolio's service against what its clients were told."""
    book = open_book(folder / "ledger")
    records = {record.id: record for record in book.records({DECISION})}
    marks = {event.decision_id for _, event in events.every(book.events()) if isinstance(event, events.AnswerUnconfirmed)}
    keys = Counter(record.idempotency_key for record in records.values())
    by_key = grouped(ran.attempts)
    answers = {answer(record) for record in records.values()}
    unanswered = {record.id for record in records.values() if not answered_at_once(record, by_key[str(record.idempotency_key)])}
    wrong = [
        *whole(folder, book),
        *(f"answered and not recorded so: {one.key}" for one in ran.attempts if one.answer and one.answer not in answers),
        *(f"recorded, not answered, no mark: {one}" for one in unanswered - marks),
        *(f"a mark of nothing recorded: {one}" for one in marks - records.keys()),
        *(f"decided {count} times: {key}" for key, count in keys.items() if count > 1),
    ]
    return Findings(wrong, len(unanswered), len(marks))


def grouped(attempts: list[Attempt]) -> dict[str, list[Attempt]]:
    """The attempts by the key as it is recorded."""
    found: dict[str, list[Attempt]] = {}
    for each in attempts:
        found.setdefault(f"decision/0/{each.key}", []).append(each)
    return found


def answered_at_once(record: Record, attempts: list[Attempt]) -> bool:
    """Whether the very request that made the record was answered, and not only a later one with its key."""
    (made_it,) = (each for each in attempts if each.began <= record.recorded_at <= each.ended)
    return made_it.answer is not None


def whole(folder: Path, book: Book) -> list[str]:
    """What is wrong with the record in itself, as `tally verify` says."""
    key = open_key(folder.parent, book.log)
    try:
        checkpoint_now(book, key)
        verify(book, key.verifier)
    except LedgerError as error:
        return [str(error)]
    return []
