"""An alias moved in a real MLflow server every two seconds under steady load, among five approved releases, one of them corrupt.

Two workers and a watch, as `tally serve` starts them. TALLY_SOAK_REQUESTS is how many requests there are at least, 20,000 where it is not
set. What served when is read from the record afterwards, so that nothing but the load asks the service.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from conftest import scorecard_release
from registry import compare, corrupt, register, running
from results import Result, judged
from served import views_of

from feature_repo.portfolios import load
from feature_repo.store import publish
from governance.events import ReleaseSwapped, of
from governance.ledger.book import open_book

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))
from test_promotion import NAME, World, restarted, until

REQUESTS, EVERY, RATE, CLIENTS = 20_000, 2.0, 300.0, 6
MUST, AIM, RESTART = 5.0, 2.0, 10.0


class Load:
    """Requests at a steady rate from several clients, and what was answered."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ended = threading.Event()
        self.answers: list[tuple[int, str]] = []
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        pause, due = CLIENTS / RATE, time.monotonic()
        url, request = f"{self._world.service.url}/v1/decisions", self._world.service.request
        with httpx.Client(timeout=30) as client:
            while not self.ended.is_set():
                try:
                    answer = client.post(url, json=request)
                    self.answers.append((answer.status_code, answer.json().get("release_id", "")))
                except httpx.HTTPError as error:
                    self.answers.append((0, type(error).__name__))
                due += pause
                time.sleep(max(0.0, due - time.monotonic()))


def run(tell: Callable[[str], None]) -> list[Result]:
    wanted = int(os.environ.get("TALLY_SOAK_REQUESTS", REQUESTS))
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder, ExitStack() as stack:
        world = made(Path(folder), stack)
        tell("five releases registered, a service of two workers and a watch run")
        moves = moved(world, wanted, tell)
        results = told(world, moves)
        tell("MLflow killed, the service started again")
        world.registry.kill()
        seconds = restarted(world)
        return [*results, judged("swap", "MLflow dead, service of two workers started again", f"first answer after {seconds:.1f} s",
                                 f"{RESTART:g} s", met=seconds <= RESTART)]


def made(folder: Path, stack: ExitStack) -> World:
    """Five registered releases, the first of them serving; E is changed in the registry after it was signed."""
    home = folder / "home"
    publish(load(NAME), views_of(load(NAME), home / "views"), home / NAME / "feast")
    releases = {name: scorecard_release(home / "made" / name / "release", intercept=-2.0 - at / 10) for at, name in enumerate("ABCDE")}
    registry = stack.enter_context(running(folder / "mlflow"))
    register(registry, home, NAME, list(releases.values()))
    compare(home, NAME, list(releases.values()))
    corrupt(registry, releases["E"].id)
    world = World(home, registry, releases, stack)
    world.serve()
    world.watch()
    stack.callback(world.end, "watch")
    world.agreed("A")
    registry.let(NAME, world.version("A"))
    until(world.serves("A"), 120)
    return world


def moved(world: World, wanted: int, tell: Callable[[str], None]) -> list[tuple[str, datetime]]:
    """Move the alias every two seconds until enough was asked; which release was named when."""
    asked, moves, due = Load(world), [], time.monotonic()
    world.running["load"] = asked
    asked.start()
    try:
        while len(asked.answers) < wanted:
            name = "BCDEA"[len(moves) % 5]
            world.agreed(name)
            world.registry.let(NAME, world.version(name))
            moves.append((name, datetime.now(UTC)))
            if len(moves) % 10 == 0:
                tell(f"{len(moves)} moves, {len(asked.answers):,} requests")
            due += EVERY
            time.sleep(max(0.0, due - time.monotonic()))
        time.sleep(MUST)
    finally:
        asked.stop()
    return moves


def told(world: World, moves: list[tuple[str, datetime]]) -> list[Result]:
    answers: list[tuple[int, str]] = world.running.pop("load").answers
    failed = Counter(status for status, _ in answers if status != 200)
    corrupted = sum(release == world.releases["E"].id for _, release in answers)
    times, overtaken = served_after(world, moves)
    longest = max(times, default=float("inf"))
    within = sum(each <= AIM for each in times)
    workload = f"{len(answers):,} requests, {len(moves)} moves of the alias, every {EVERY:g} s"
    return [
        judged("swap", workload, f"{sum(failed.values())} failed {dict(failed) or ''}".strip(), "0 failed", met=not failed),
        judged("swap", workload, f"{corrupted} of the corrupt release", 0, met=not corrupted),
        judged("swap", workload, f"{astray(world)} of a release that did not serve then", 0, met=not astray(world)),
        judged("swap", f"{len(times)} moves that took effect, {overtaken} overtaken by the next",
               f"alias to both workers: median {statistics.median(times):.2f} s, longest {longest:.2f} s, {within} within {AIM:g} s",
               f"{MUST:g} s", met=longest <= MUST and overtaken <= len(moves) // 10),
        judged("swap", "refusals of the corrupt release recorded", len({one.why for one in world.said("release-refused")}), "at least 1",
               met=bool(world.said("release-refused"))),
    ]


def served_after(world: World, moves: list[tuple[str, datetime]]) -> tuple[list[float], int]:
    """Seconds from each move to the moment the last of both workers served it, by the record; and how many the next move overtook."""
    swaps = [(datetime.fromisoformat(record.recorded_at), event) for record in open_book(world.home / NAME / "ledger").events()
             if isinstance(event := _event(record), ReleaseSwapped)]
    workers = {event.worker for _, event in swaps}
    times, overtaken = [], 0
    for name, at in moves:
        if name == "E":
            continue
        first = [min((when for when, event in swaps if event.worker == worker and event.release_id == world.releases[name].id
                      and at <= when < at + timedelta(seconds=3 * MUST)), default=None) for worker in workers]
        if None in first:
            overtaken += 1
        else:
            times.append((max(first) - at).total_seconds())
    return times, overtaken


def _event(record):
    try:
        return of(record)
    except Exception:  # noqa: BLE001 - what begins a month is no event
        return None


def astray(world: World) -> int:
    """Decisions of a release that the record did not let serve when they were recorded, nor in the seconds a swap takes before."""
    standing, wrong = world.standing(), 0
    for record in open_book(world.home / NAME / "ledger").records({"decision"}):
        at, release = datetime.fromisoformat(record.recorded_at), record.content["release_id"]
        lately = {one.release_id for one in standing.promotions if at - timedelta(seconds=MUST) <= one.since <= at}
        before = [one.release_id for one in standing.promotions if one.since < at - timedelta(seconds=MUST)][-1:]
        wrong += release not in {*lately, *before}
    return wrong
