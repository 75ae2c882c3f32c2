"""Publishing 50,000 applicants with 20 stored features into an empty store, SQLite and Redis, against `feast materialize`.

Ours is all that `tally publish` does: declare to Feast, choose the latest rows, write, tell the registry. The peer is Feast's own store and
engine over the same files, with its objects applied before and larger batches than it takes by itself; it writes fewer applicants and
is compared by its rate. The gate: Feast itself reads equal values from both.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import plain_feast
from entries import Entry, Figures, compare
from redis_server import Server
from rounds import interleaved

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, Applicant, Outcome, Request, Stored, Table, days
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from feature_repo.store import publish
from training.assembly import save, view

WORKLOADS = ("sqlite", "redis")
APPLICANTS, THEIRS, FEATURES, ROUNDS, ASKED = 50_000, 20_000, 20, 3, 2_000
GOAL = 10.0
STORED = tuple(Stored(f"stored_{number}", raw=f"s{number}", low=-1e9, high=1e9, reason="Its history is poor", nullable=True)
               for number in range(FEATURES))
KNOWN = Table("known", file="known.csv", time=EventTime("at"), columns=(Applicant(raw="id"), *STORED))
ASKING = Table("asking", file="asking.csv", time=EventTime("at", develop_until=date(2023, 12, 31), out_of_time_from=date(2024, 1, 1)),
               columns=(Applicant(raw="id"), Request("amount", raw="a", low=0, high=1, reason="It is much")))
PORTFOLIO = Portfolio(name="published", title="Nobody's loans: how quickly is what is known published?", tables=(ASKING, KNOWN),
                      outcome=Outcome(raw="y", bad=("1",), good=("0",), matures_after=days(1),
                                      observed_until=datetime(2024, 12, 31, tzinfo=UTC)))


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder, redis() as server:
        views, fewer = (drawn(Path(folder, name), size) for name, size in (("views", APPLICANTS), ("fewer", THEIRS)))
        rounds = count()

        def empty() -> tuple[Path, str]:
            server.client.flushall()
            home = Path(folder, f"home-{next(rounds)}")
            home.mkdir()
            return home, server.address if workload == "redis" else ""

        figures = interleaved({"ours": partial(ours, views, empty), "theirs": partial(theirs, fewer, empty)}, ROUNDS)
        gate = equal(views, *empty(), server if workload == "redis" else None)
    return [compare("publish", workload, Figures(figures["ours"], "feast materialize", figures["theirs"], "applicants/s", GOAL), gate=gate)]


def drawn(folder: Path, applicants: int) -> Path:
    """Two rows of each applicant, a month apart; one value in twenty is missing."""
    chance = np.random.default_rng(applicants)
    rows = 2 * applicants
    first = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(chance.integers(0, 10**12, rows), "us")
    values = {column.name: np.where(chance.random(rows) < 0.05, np.nan, chance.normal(0, 1e4, rows)) for column in STORED}
    people = np.tile([f"applicant-{number:06}" for number in range(applicants)], 2)
    frame = pd.DataFrame({APPLICANT_ID: people, EVENT_TIME: first, **values})
    save(view(PORTFOLIO, KNOWN, frame), folder / f"{KNOWN.name}.parquet")
    return folder


def ours(views: Path, empty: Callable[[], tuple[Path, str]]) -> float:
    """Applicants a second."""
    home, address = empty()
    began = time.perf_counter()
    publish(PORTFOLIO, views, home, address)
    return APPLICANTS / (time.perf_counter() - began)


def theirs(views: Path, empty: Callable[[], tuple[Path, str]]) -> float:
    """Applicants a second."""
    home, address = empty()
    store = plain_feast.opened(PORTFOLIO, views, home, address)
    began = time.perf_counter()
    plain_feast.materialize(store, PORTFOLIO, views)
    return THEIRS / (time.perf_counter() - began)


def equal(views: Path, home: Path, address: str, server: Server | None) -> bool:
    """Whether Feast reads from what we wrote what it reads from what it wrote."""
    chance = np.random.default_rng(1)
    some = [f"applicant-{number:06}" for number in chance.integers(0, APPLICANTS + 100, ASKED)]
    plain = plain_feast.opened(PORTFOLIO, views, home / "theirs", address)
    plain_feast.materialize(plain, PORTFOLIO, views)
    expected = plain_feast.asked(plain, PORTFOLIO, some)
    if server:
        server.client.flushall()
    publish(PORTFOLIO, views, home / "ours", address)
    return plain_feast.asked(plain_feast.opened(PORTFOLIO, views, home / "ours", address), PORTFOLIO, some) == expected


@contextmanager
def redis() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tally-redis-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), port)
        try:
            yield server
        finally:
            server.end()
