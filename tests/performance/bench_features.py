"""Stored features in process: 20 in 2 views, of one applicant and of 100, from SQLite and from Redis where 50,000 applicants are published.

Against Feast's `get_online_features` over the same bytes, and against the vectors it computes ahead (`precompute_online`), which it can
make in Redis only: elsewhere it does not find its entities. All contestants end with plain Python values. Feast writes both stores; SQLite
is then packed as a publication packs it, and measured unpacked as well. The gate: everybody asked has equal values.
"""

from __future__ import annotations

import atexit
import random
import socket
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import plain_feast
from entries import Entry, Figures, compare
from feast import FeatureService, FeatureStore
from redis_server import Server
from rounds import interleaved

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Applicant, Outcome, Request, Stored, Table, days
from feature_repo.packing import pack
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from serving.online.redis import RedisFeatures
from serving.online.sqlite import SqliteFeatures
from serving.online.store import OnlineStore

ROWS = {"1 row": 1, "100 rows": 100}
WORKLOADS = tuple(f"{rows}, {store}" for store in ("SQLite", "SQLite as Feast leaves it", "Redis") for rows in ROWS)
GOALS = {"1 row, SQLite": 5.0, "100 rows, SQLite": 15.0, "1 row, Redis": 5.0, "100 rows, Redis": 8.0}
AIM, APPLICANTS, MISSING, ROUNDS, SECONDS, CHECKED = 3.0, 50_000, 0.05, 7, 0.4, 10_000
DRAW = random.Random(1)  # noqa: S311 - who is asked for, alike in every run
PEOPLE = [f"applicant-{number:06}" for number in range(APPLICANTS)]
DEFAULT, AHEAD = "get_online_features", "get_online_features, precompute_online"


def view(name: str) -> Table:
    columns = [Stored(f"{name}_{number}", raw=f"{name}{number}", reason="Its history is poor", nullable=True) for number in range(10)]
    return Table(name, file=f"{name}.csv", time=EventTime("at"), columns=(Applicant(raw="id"), *columns))


ASKING = Table("asking", file="asking.csv", time=EventTime("at", develop_until=date(2023, 12, 31), out_of_time_from=date(2024, 1, 1)),
               columns=(Applicant(raw="id"), Request("amount", raw="a", low=0, high=1, reason="It is much")))
PORTFOLIO = Portfolio(name="read", title="Nobody's loans: how quickly is what is stored read?",
                      tables=(ASKING, view("left"), view("right")),
                      outcome=Outcome(raw="y", bad=("1",), good=("0",), matures_after=days(1),
                                      observed_until=datetime(2024, 12, 31, tzinfo=UTC)))


def run(workload: str) -> list[Entry]:
    rows, store = workload.split(", ")
    peers, ours = contestants(store)
    gate = all(equal(ours, peer) for peer in peers.values())
    asked = {"ours": ours.read_many if ROWS[rows] > 1 else lambda some: [ours.read(some[0])], **peers}
    figures = interleaved({name: partial(timed, ask, ROWS[rows]) for name, ask in asked.items()}, ROUNDS)
    return [compare("features", workload, Figures(figures["ours"], name, figures[name], "us", goal(workload, name)), gate=gate)
            for name in peers]


def goal(workload: str, peer: str) -> float:
    return AIM if peer == AHEAD else GOALS.get(workload, 1.0)


def contestants(store: str) -> tuple[dict[str, Callable[[list[str]], Any]], OnlineStore]:
    """How each peer is asked, and our reader of the same bytes."""
    if store == "Redis":
        folder, server = kept("Redis")
        feast = feasts(folder, server.address)
        peers = {DEFAULT: partial(asked, feast, feast.get_feature_service(PORTFOLIO.name)), AHEAD: partial(asked, feast, ahead(feast))}
        return peers, RedisFeatures(server.address, PORTFOLIO, 5.0)
    folder, _ = kept(store)
    feast = feasts(folder)
    if store == "SQLite":
        pack(folder / "online.db", PORTFOLIO)
    peer = partial(asked, feast, feast.get_feature_service(PORTFOLIO.name))
    return {DEFAULT: peer}, SqliteFeatures(folder / "online.db", PORTFOLIO)


@cache
def kept(store: str) -> tuple[Path, Server | None]:
    """A folder and, for Redis, a server, which last as long as the bench."""
    folder = tempfile.TemporaryDirectory(prefix="tally-bench-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    if store != "Redis":
        return Path(folder.name), None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(Path(folder.name), port)
    atexit.register(server.end)
    return Path(folder.name), server


@cache
def feasts(folder: Path, address: str = "") -> FeatureStore:
    """Plain Feast, published by its own command."""
    views = drawn(folder / "views")
    store = plain_feast.opened(PORTFOLIO, views, folder, address)
    plain_feast.materialize(store, PORTFOLIO, views)
    return store


@cache
def ahead(store: FeatureStore) -> FeatureService:
    """The same features as vectors that Feast has computed ahead."""
    views = [store.get_feature_view(table.name) for table in PORTFOLIO.views]
    service = FeatureService(name="ahead", features=views, precompute_online=True)
    with plain_feast.quiet():
        store.apply([service])
        store.precompute_feature_service("ahead")
    return store.get_feature_service("ahead")


def drawn(folder: Path) -> Path:
    """One row of everybody in every view; one value in twenty is missing."""
    folder.mkdir()
    chance = np.random.default_rng(1)
    for table in PORTFOLIO.views:
        times = pd.Series(pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(chance.integers(0, 10**12, APPLICANTS), "us"))
        times = times.astype("datetime64[us, UTC]")
        values = {column.name: np.where(chance.random(APPLICANTS) < MISSING, np.nan, chance.normal(0, 1e4, APPLICANTS))
                  for column in table.stored}
        frame = {APPLICANT_ID: PEOPLE, EVENT_TIME: times, CREATED_TIME: times, table.as_of: times.astype("int64") / 1e6, **values}
        pd.DataFrame(frame).to_parquet(folder / f"{table.name}.parquet")
    return folder


def asked(store: FeatureStore, service: FeatureService, some: list[str]) -> dict[str, list[Any]]:
    """As those do who hold the service's object, so that the registry is not asked each time. Vectors of before know full names only."""
    rows = [{APPLICANT_ID: one} for one in some]
    answer: dict[str, list[Any]] = store.get_online_features(service, rows, full_feature_names=service.precompute_online).to_dict()
    return answer


def equal(ours: OnlineStore, peer: Callable[[list[str]], Any]) -> bool:
    some = draws(CHECKED)
    return all(alike(ours.read_many(some[at:at + 100]), peer(some[at:at + 100])) for at in range(0, len(some), 100))


def alike(ours: list[dict[str, Any]], theirs: dict[str, list[Any]]) -> bool:
    """Whether all values are equal, and none is missing on either side."""
    columns = {name.rpartition("__")[2]: values for name, values in theirs.items() if name != APPLICANT_ID}
    return columns == {name: [one[name] for one in ours] for name in ours[0]}


def draws(count: int) -> list[str]:
    return DRAW.choices(PEOPLE, k=count)


def timed(ask: Callable[[list[str]], Any], rows: int) -> float:
    """Microseconds of a question, the median of those a while has room for."""
    taken, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        some = draws(rows)
        began = time.perf_counter()
        ask(some)
        taken.append(time.perf_counter() - began)
    return median(taken) * 1e6
