"""A real service over a real Redis that fails in every way, while a publisher writes generations of vectors that can be told apart.

Each value of a vector follows from the applicant, the column and the generation, and the view's as_of says which generation it is: a
vector that is of two writes, of two applicants or of nobody shows in the decision's record.
"""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx
from mortal import workers
from redis_server import Server
from served import Service, promote, serve
from slow_proxy import Proxy

from feature_repo.contract import APPLICANT_ID, Input, Table
from feature_repo.errors import FeatureError
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from feature_repo.writers import SECOND, Rows, view_of, writer
from governance.ledger.book import open_book

NAME = "consumer_loans"
PEOPLE = [f"p{at}" for at in range(20)]
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 1, 20, tzinfo=UTC)  # of business: later than any generation, and none is out of date
CLIENTS = 4
HEALTHY = "healthy"


def value(column: Input, person: int, generation: int) -> float:
    low, high = float(column.low or 0), float(column.high if column.high is not None else (column.low or 0) + 1)
    return low + (high - low) * ((generation * 7 + person * 31 + sum(map(ord, column.name))) % 97) / 97


def vector(table: Table, person: int, generation: int) -> dict[str, float]:
    """What a view has of somebody in one generation."""
    return {table.as_of: FIRST.timestamp() + generation, **{column.name: value(column, person, generation) for column in table.stored}}


class Publisher:
    """Writes one generation after another, each newer, as fast as the store takes them."""

    def __init__(self, portfolio: Portfolio, address: str) -> None:
        self._portfolio, self._address = portfolio, address
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.generation = 0
        self._write()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            self.generation += 1
            with suppress(FeatureError):
                self._write()

    def _write(self) -> None:
        moment = round((FIRST.timestamp() + self.generation) * SECOND)
        people = range(len(PEOPLE))
        with writer(Path("nowhere"), self._address, 0.5) as store:
            for table in self._portfolio.views:
                values = [[value(column, person, self.generation) for person in people] for column in table.stored]
                store.write(view_of(self._portfolio, table), Rows(PEOPLE, [moment] * len(PEOPLE), [None] * len(PEOPLE), values))


@dataclass(frozen=True)
class Answer:
    """One request: when it began and ended (monotonic), what it was answered, and in which phase."""

    began: float
    ended: float
    status: int
    degraded: bool
    phase: str

    @property
    def took(self) -> float:
        return self.ended - self.began


@dataclass
class World:
    """A service, its store, and what was seen of both."""

    service: Service
    server: Server
    proxy: Proxy
    phase: str = HEALTHY
    answers: list[Answer] = field(default_factory=list)
    healed: dict[str, float] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)

    def hurt(self, name: str, seconds: float, well: float) -> None:
        """Let the store fail for a while, then heal it and let it be well for a while."""
        wound, heal = FAULTS[name]
        self.phase = name
        wound(self)
        self.watch(name, seconds)
        heal(self)
        self.healed[name] = time.monotonic()
        self.phase = f"after {name}"
        self.watch(self.phase, well)
        self.phase = HEALTHY

    def recovery(self, name: str) -> float:
        """Seconds from the healing to the first answer that was made with stored values."""
        healed = self.healed[name]
        return min((one.ended - healed for one in self.answers if one.began >= healed and one.status == 200 and not one.degraded),
                   default=float("inf"))

    def slowest(self, phase: str) -> float:
        return max((one.took for one in self.answers if one.phase == phase), default=0.0)

    def watch(self, phase: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            running = sum(worker.num_threads() for worker in workers(self.service))
            self.threads[phase] = max(self.threads.get(phase, 0), running)
            time.sleep(min(0.1, seconds))


def _begin_again(world: World) -> None:
    world.server.begin()


FAULTS: dict[str, tuple[Callable[[World], Any], Callable[[World], Any]]] = {
    "refused": (lambda world: world.proxy.refuse(), lambda world: world.proxy.accept()),
    "silent": (lambda world: world.server.stop(), lambda world: world.server.go_on()),
    "slow": (lambda world: setattr(world.proxy, "slow", True), lambda world: setattr(world.proxy, "slow", False)),
    "killed mid-write": (lambda world: world.server.end(signal.SIGKILL), _begin_again),
}


@contextmanager
def world(folder: Path, port: int, make_release: Callable[..., Any], rate: float) -> Iterator[World]:
    """A service of one worker under steady load, its store published and being published into."""
    portfolio, home = load(NAME), folder / "home"
    home.mkdir()
    promote(home, portfolio, make_release(folder / "made", NAME, intercept=-2.0), "1")
    server = Server(folder, port)
    proxy = Proxy(port)
    try:
        with Publisher(portfolio, server.address), serve(home, NAME, TALLY_FEATURES=proxy.address,
                                                         TALLY_BUSINESS_TIME=NOW.isoformat()) as service:
            found = World(service, server, proxy)
            ended = threading.Event()
            asking = [threading.Thread(target=_ask, args=(found, ended, place, CLIENTS / rate)) for place in range(CLIENTS)]
            for each in asking:
                each.start()
            try:
                found.watch(HEALTHY, 1.0)
                yield found
            finally:
                ended.set()
                for each in asking:
                    each.join()
    finally:
        proxy.refuse()
        server.end()


def _ask(found: World, ended: threading.Event, place: int, pause: float) -> None:
    url, request = f"{found.service.url}/v1/decisions", found.service.request
    due = time.monotonic()
    with httpx.Client(timeout=30) as client:
        for number in itertools.count(place):
            if ended.is_set():
                return
            began, phase = time.monotonic(), found.phase
            try:
                answer = client.post(url, json={**request, APPLICANT_ID: PEOPLE[number % len(PEOPLE)]})
                status, degraded = answer.status_code, answer.is_success and answer.json()["degraded"]
            except httpx.HTTPError:
                status, degraded = 0, False
            found.answers.append(Answer(began, time.monotonic(), status, degraded, phase))
            due = max(due + pause, time.monotonic() - pause)
            time.sleep(max(0.0, due - time.monotonic()))


@dataclass(frozen=True)
class Recorded:
    """What the record says of all decisions. wrong: vectors that are not of one write of that applicant, in words without values."""

    read: int
    unreachable: int
    generations: int
    wrong: list[str]


def recorded(folder: Path) -> Recorded:
    portfolio, read, unreachable, generations, wrong = load(NAME), 0, 0, set(), []
    for record in open_book(folder / "ledger").records({"decision"}):
        content = record.content
        if content["features"] == "unreachable":
            unreachable += 1
            wrong += [record.id] if content["stored"] is not None or not content["degraded"] else []
            continue
        read += 1
        person = PEOPLE.index(content[APPLICANT_ID])
        for table in portfolio.views:
            as_of = content["stored"][table.as_of]
            generation = round(as_of - FIRST.timestamp()) if as_of is not None else -1
            generations.add(generation)
            found = {name: content["stored"][name] for name in (table.as_of, *(column.name for column in table.stored))}
            if found != vector(table, person, generation):
                wrong.append(f"{record.id}: {table.name}, generation {generation}")
    return Recorded(read, unreachable, len(generations), wrong)
