"""Whole decisions over HTTP beside others' bare predictions: the same trees and people, the same number of workers, in turns.

Ours reads the stored features (SQLite), validates, scores, explains with four reasons and records durably before it answers; the peers are
given the finished model row and answer with its probability. Each with 1 and 2 workers, for 1 client and 16 who ask again at once; then
each peer and ours at half of that peer's best rate, of requests that do not wait for each other, for the 99th percentile. Before that,
ours begins from nothing some times. Gate: our PDs are the scorer's own to the last bit with as many reasons as there are to be, the peers'
are XGBoost's, nobody failed but for refusing what is too much (429), and each answer of ours is in the record. The load comes from a
process of this machine, and costs all alike.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import loading
import numpy as np
from entries import Entry, Figures, compare
from loading import Callers, Load, post
from peer_servers import BENTOML, FASTAPI, MLFLOW, Peer, answer, rows, running
from rounds import interleaved
from scored import Scored, scored
from served import Service, serve
from trees_home import NOW, REASONS, People, home

from governance.ledger.book import open_book
from governance.ledger.entries import DECISION

WORKERS = {"1 worker": 1, "2 workers": 2}
WORKLOADS = tuple(WORKERS)
PORTFOLIO, PEOPLE, CHECKED, ROUNDS, SECONDS = "consumer_loans", 500, 50, 3, 2.5
COLD, BEGIN = 3, 5.0  # seconds
DEADLINE = 2.0  # seconds; TALLY_DEADLINE
GOALS = {MLFLOW: 10.0, BENTOML: 4.0, FASTAPI: 1.2}
OURS = "ours"


@dataclass
class Contest:
    """Everybody's address, and what was answered. failed: by name and status; answered: of ours."""

    requests: dict[str, tuple[int, list[bytes]]]
    answered: int = 0
    failed: Counter[tuple[str, int]] = field(default_factory=Counter)

    def together(self, name: str, clients: int) -> float:
        """Answers a second."""
        port, asked = self.requests[name]
        return self._noted(name, loading.run(Callers(port, lambda number: asked[number % len(asked)]).together(clients, SECONDS))).goodput

    def held(self, name: str, rate: float) -> float:
        """Milliseconds of the 99th percentile at a rate; what was refused or not even sent counts as having waited for the deadline."""
        port, asked = self.requests[name]
        load = self._noted(name, loading.run(Callers(port, lambda number: asked[number % len(asked)]).hold(rate, SECONDS)))
        waited = [*load.took(), *[DEADLINE] * (load.statuses[429] + load.unsent)]
        return float(np.quantile(waited, 0.99)) * 1e3

    def _noted(self, name: str, load: Load) -> Load:
        self.failed.update({(name, status): count for status, count in load.statuses.items() if status != 200})
        self.answered += load.statuses[200] if name == OURS else 0
        return load


def run(workload: str) -> list[Entry]:
    workers, model = WORKERS[workload], scored(PORTFOLIO)
    with tempfile.TemporaryDirectory(prefix="tally-bench-", ignore_cleanup_errors=True) as at, ExitStack() as stack:
        people = home(Path(at, "home"), model, PEOPLE)
        peers = stack.enter_context(running(Path(at, "peers"), model, workers))
        settings = {"TALLY_WORKERS": str(workers), "TALLY_BUSINESS_TIME": NOW.isoformat()}
        cold = [begun(Path(at, "home"), settings, people) for _ in range(COLD)]
        service = stack.enter_context(serve(Path(at, "home"), PORTFOLIO, **settings))
        contest = Contest(_requests(service, peers, people))
        right = same(service, peers, people, model)
        contest.answered += CHECKED + len(cold)
        throughput = {clients: interleaved({name: partial(contest.together, name, clients) for name in contest.requests}, ROUNDS)
                      for clients in (1, 16)}
        tails = {peer: interleaved({name: partial(contest.held, name, max(throughput[16][peer]) / 2) for name in (OURS, peer)}, ROUNDS)
                 for peer in peers}
        kept = recorded(service)
        print(f"right: {right}; failed: {dict(contest.failed)}; {kept} recorded, {contest.answered} answered", file=sys.stderr)
        gate = right and not [status for _, status in contest.failed if status != 429] and kept == contest.answered
    begin = compare("http", workload, Figures(cold, "goal", [BEGIN] * COLD, "s from nothing to the first answer"), gate=gate)
    return [*_rates(workload, throughput, gate=gate), *_tails(workload, tails, gate=gate), begin]


def begun(folder: Path, settings: dict[str, str], people: People) -> float:
    """Seconds from starting the service to its first decision."""
    started = time.perf_counter()
    with serve(folder, PORTFOLIO, **settings) as service:
        while not httpx.post(f"{service.url}/v1/decisions", json=people.requests[0], timeout=30).is_success:
            time.sleep(0.02)
        return time.perf_counter() - started


def _rates(workload: str, throughput: dict[int, dict[str, list[float]]], *, gate: bool) -> list[Entry]:
    pairs = [(found, peer, clients, goal if clients > 1 else 1.0) for clients, found in throughput.items() for peer, goal in GOALS.items()]
    return [compare("http", workload, Figures(found[OURS], f"{peer}, {clients} at once", found[peer], "answers/s", goal), gate=gate)
            for found, peer, clients, goal in pairs]


def _tails(workload: str, tails: dict[str, dict[str, list[float]]], *, gate: bool) -> list[Entry]:
    unit = "ms at the 99th percentile"
    return [compare("http", workload, Figures(found[OURS], f"{peer}, at half its best rate", found[peer], unit), gate=gate)
            for peer, found in tails.items()]


def _requests(service: Service, peers: dict[str, Peer], people: People) -> dict[str, tuple[int, list[bytes]]]:
    port = int(service.url.rpartition(":")[2])
    said = rows(people.rows)
    return {OURS: (port, [post(request, port) for request in people.requests]),
            **{name: (peer.port, [post(peer.body(row), peer.port, path=peer.path) for row in said]) for name, peer in peers.items()}}


def same(service: Service, peers: dict[str, Peer], people: People, model: Scored) -> bool:
    """Whether everybody answers what is right."""
    told = [httpx.post(f"{service.url}/v1/decisions", json=request, timeout=30).raise_for_status().json()
            for request in people.requests[:CHECKED]]
    ours = all(one["pd"] == pd and len(one["reasons"]) == REASONS and not one["degraded"]
               for one, pd in zip(told, people.pds, strict=False))
    theirs = model.booster.inplace_predict(people.rows[:CHECKED])
    near: Callable[[Peer], bool] = lambda peer: np.allclose([answer(peer, row) for row in rows(people.rows[:CHECKED])], theirs, atol=1e-6)  # noqa: E731
    return ours and all(map(near, peers.values()))


def recorded(service: Service) -> int:
    """Decisions in the record."""
    book = open_book(service.folder / "ledger")
    try:
        return sum(1 for _ in book.records({DECISION}))
    finally:
        book.close()
