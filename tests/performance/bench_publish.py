"""Publishing 50,000 applicants with 20 stored features into an empty store, SQLite and Redis, against `feast materialize`.

Ours is all that `tally publish` does: declare to Feast, choose the latest rows, write, tell the registry. The peer is Feast's own store and
engine over the same files, with its objects applied before and larger batches than it takes by itself; it writes fewer applicants and
is compared by its rate. What bounds us is a contestant too: the same rows, ready-made, put into the store and nothing else. The gate:
Feast itself reads equal values from both.
"""

from __future__ import annotations

import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain, count
from pathlib import Path

import numpy as np
import pandas as pd
import plain_feast
from entries import Entry, Figures, compare
from redis_server import Server
from rounds import interleaved

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, Applicant, Outcome, Request, Stored, Table, days
from feature_repo.feast_bytes import encode_time, redis_field, redis_key, redis_time
from feature_repo.online_stores import MAKE
from feature_repo.portfolio import Portfolio
from feature_repo.publishing import CHUNK, _rows, latest
from feature_repo.sources import EventTime
from feature_repo.store import publish
from feature_repo.writers import SECOND, encoded, view_of
from feature_repo.writers.redis import _packed
from feature_repo.writers.sqlite import SqliteWriter, _insert
from training.assembly import save, view

WORKLOADS = ("sqlite", "redis")
APPLICANTS, THEIRS, FEATURES, ROUNDS, ASKED = 50_000, 20_000, 20, 3, 2_000
GOAL, BARE = 10.0, 0.5
STORED = tuple(Stored(f"stored_{number}", raw=f"s{number}", low=-1e9, high=1e9, reason="Its history is poor", nullable=True)
               for number in range(FEATURES))
KNOWN = Table("known", file="known.csv", time=EventTime("at"), columns=(Applicant(raw="id"), *STORED))
ASKING = Table("asking", file="asking.csv", time=EventTime("at", develop_until=date(2023, 12, 31), out_of_time_from=date(2024, 1, 1)),
               columns=(Applicant(raw="id"), Request("amount", raw="a", low=0, high=1, reason="It is much")))
PORTFOLIO = Portfolio(name="published", title="Nobody's loans: how quickly is what is known published?", tables=(ASKING, KNOWN),
                      outcome=Outcome(raw="y", bad=("1",), good=("0",), matures_after=days(1),
                                      observed_until=datetime(2024, 12, 31, tzinfo=UTC)))
VIEW = view_of(PORTFOLIO, KNOWN)


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder, redis() as server:
        views, fewer = (drawn(Path(folder, name), size) for name, size in (("views", APPLICANTS), ("fewer", THEIRS)))
        rounds = count()

        def empty() -> tuple[Path, str]:
            server.client.flushall()
            home = Path(folder, f"home-{next(rounds)}")
            home.mkdir()
            return home, server.address if workload == "redis" else ""

        bare = putting_redis(views, server) if workload == "redis" else putting_sqlite(views)
        figures = interleaved({"ours": partial(ours, views, empty), "theirs": partial(theirs, fewer, empty),
                               "bare": partial(bare, empty)}, ROUNDS)
        gate = equal(views, *empty(), server if workload == "redis" else None)
    peers = (("theirs", "feast materialize", GOAL), ("bare", "the same rows put in, ready-made, and nothing else", BARE))
    return [compare("publish", workload, Figures(figures["ours"], told, figures[name], "applicants/s", goal), gate=gate)
            for name, told, goal in peers]


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


def putting_sqlite(views: Path) -> Callable[[Callable[[], tuple[Path, str]]], float]:
    """Feast's table filled by SQLite from parameters that are there already."""
    prepared = SqliteWriter(Path(), 1, durable=False).prepare(VIEW, _rows(VIEW, latest(VIEW, views / f"{KNOWN.name}.parquet", texts=True)))

    def put(empty: Callable[[], tuple[Path, str]]) -> float:
        home, _ = empty()
        with closing(sqlite3.connect(home / "bare.db", isolation_level=None)) as connection:
            for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", MAKE.format(name=f"{VIEW.project}_{VIEW.name}")):
                connection.execute(statement)
            began = time.perf_counter()
            for start in range(0, APPLICANTS, CHUNK):
                connection.execute("BEGIN")
                _insert(connection, VIEW, prepared.parameters[start:start + CHUNK])
                connection.execute("COMMIT")
            return APPLICANTS / (time.perf_counter() - began)
    return put


def putting_redis(views: Path, server: Server) -> Callable[[Callable[[], tuple[Path, str]]], float]:
    """Feast's hashes filled by HSET, one command an applicant, from bytes that are there already."""
    view, rows = VIEW, _rows(VIEW, latest(VIEW, views / f"{KNOWN.name}.parquet"))
    values = list(zip(*map(encoded, ([at / SECOND for at in rows.times], *rows.values)), strict=True))  # noqa: PD011 - no pandas
    fields = [redis_time(view.name), *(redis_field(view.name, name) for name in (view.as_of, *view.columns))]
    commands = [_packed(b"HSET", redis_key(view.project, who), *chain.from_iterable(zip(fields, (encode_time(at), *row), strict=True)))
                for who, at, row in zip(rows.applicants, rows.times, values, strict=True)]

    def put(empty: Callable[[], tuple[Path, str]]) -> float:
        empty()
        connection = server.client.connection_pool.get_connection()
        try:
            began = time.perf_counter()
            for start in range(0, APPLICANTS, CHUNK):
                some = commands[start:start + CHUNK]
                connection.send_packed_command(some)
                for _ in some:
                    connection.read_response()
            return APPLICANTS / (time.perf_counter() - began)
        finally:
            server.client.connection_pool.release(connection)
    return put


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
