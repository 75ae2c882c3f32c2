"""Publishing in bulk: what Feast would have written, through kills and repeats, and Feast's own commands kept from older values."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import plain_feast
import pytest
import redis
from feast.data_source import PushMode
from viewed import MICROSECOND, NOON, featurized, known

from feature_repo import definitions, pushed
from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import decode, redis_field, redis_key
from feature_repo.opening import ONLINE, opened, quiet
from feature_repo.portfolios import load
from feature_repo.publishing import complete, fill
from feature_repo.store import publish
from feature_repo.writers import Rows, view_of, writer
from serving.online.sqlite import SqliteFeatures

PEOPLE = ["p", "q", "ä重", " ", "x" * 300, *(f"p{number}" for number in range(300))]


@pytest.fixture(params=["sqlite", "redis"])
def address(request) -> Iterator[str]:
    """Of an empty Redis, or nothing: SQLite in the home."""
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.client.flushdb()
        yield server.address
    else:
        yield ""


def held(portfolio, home: Path, address: str) -> list[Any]:
    """All that Feast reads of a store, to the byte."""
    if address:
        with closing(redis.Redis.from_url(address)) as client:
            return [(person, {field: value for field, value in client.hgetall(redis_key(portfolio.name, person)).items()
                              if not field.startswith(b"_created:")}) for person in PEOPLE]
    with closing(sqlite3.connect(home / "online.db")) as connection:
        columns = "entity_key, feature_name, value, value_text, vector_value, event_ts"
        return [connection.execute(f'SELECT {columns} FROM "{portfolio.name}_{table.name}" ORDER BY 1, 2').fetchall()  # noqa: S608
                for table in portfolio.views]


def test_what_is_written_is_what_feast_writes_to_the_byte(harbour, invent, address, tmp_path):
    views = featurized(harbour, invent(harbour, PEOPLE), tmp_path)
    plain_feast.materialize(plain_feast.opened(harbour, views, tmp_path / "theirs", address), harbour, views)
    expected = held(harbour, tmp_path / "theirs", address)
    if address:
        redis.Redis.from_url(address).flushdb()
    publish(harbour, views, tmp_path / "ours", address)

    assert held(harbour, tmp_path / "ours", address) == expected
    assert all(expected)


def test_feast_reads_it_and_its_registry_tells_how_far_it_is_and_never_that_it_cannot_be_read(harbour, invent, address, tmp_path):
    views = featurized(harbour, invent(harbour, PEOPLE), tmp_path)
    publish(harbour, views, tmp_path / "home", address)
    store = opened(harbour, tmp_path / "home", address)
    for table in harbour.views:
        rows = pd.read_parquet(views / f"{table.name}.parquet")
        latest = rows.sort_values(EVENT_TIME).groupby(APPLICANT_ID).last().loc[PEOPLE, table.as_of].tolist()
        found = store.get_feature_view(table.name)

        assert [row[table.as_of] for row in plain_feast.asked(store, harbour, PEOPLE)] == latest
        assert found.materialization_intervals == [(rows[EVENT_TIME].min(), rows[EVENT_TIME].max())]
        assert found.state.name == "AVAILABLE_ONLINE"


def test_a_killed_publication_goes_on_where_it_stopped(toy, address, tmp_path):
    """SIGKILL in the middle; what was written then is not written again, and all of it is there in the end."""
    people = [f"p{number:05}" for number in range(40_000)]
    views = known(toy, tmp_path / "views", [(person, NOON, float(number)) for number, person in enumerate(people)])
    script = """if True:
        import os, signal, sys; from dataclasses import replace; from pathlib import Path
        sys.path.insert(0, sys.argv[4]); from invented import brought
        with brought() as name:
            from feature_repo.portfolios import load; from feature_repo import publishing, store
            harbour = load(name)
        table = harbour.views[0]
        kept = tuple(c for c in table.columns if getattr(c, "name", None) in {None, harbour.stored[0].name})
        toy = replace(harbour, tables=(harbour.tables[0], replace(table, columns=kept)))
        prepared, chunks = publishing._rows, []
        def counted(*given):
            chunks.append(1)
            if len(chunks) == int(sys.argv[5]):
                os.kill(os.getpid(), signal.SIGKILL)
            return prepared(*given)
        publishing._rows = counted
        store.publish(toy, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
        print(len(chunks))
    """
    def run(kill_at: int) -> subprocess.CompletedProcess[str]:
        arguments = [views, tmp_path / "home", address, Path(__file__).parents[1], str(kill_at)]
        return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)

    assert run(9).returncode == -signal.SIGKILL
    with writer(tmp_path / "home" / "online.db", address) as online:
        assert not complete(toy, views, online)
    done = run(0)
    with writer(tmp_path / "home" / "online.db", address) as online:
        assert complete(toy, views, online)

    assert 16 - 8 <= int(done.stdout) <= 16 - 6, done.stderr  # of 16 chunks; one may have been prepared and one written meanwhile
    store = opened(toy, tmp_path / "home", address)
    assert [row[toy.stored[0].name] for row in plain_feast.asked(store, toy, people)] == list(range(40_000))


def test_a_store_that_lost_its_rows_is_not_taken_for_published(toy, address, tmp_path):
    views = known(toy, tmp_path, [("p", NOON, 1.0)])
    publish(toy, views, tmp_path / "home", address)
    if address:
        redis.Redis.from_url(address).flushdb()
    else:
        (tmp_path / "home" / "online.db").unlink()
    with writer(tmp_path / "home" / "online.db", address) as online:
        assert not complete(toy, views, online)


def test_what_was_pushed_is_newer_than_what_is_published_and_comes_back_to_a_store_that_was_lost(toy, address, tmp_path):
    views = known(toy, tmp_path, [("p", NOON, 1.0), ("q", NOON, 1.0)])
    (table,), (name,) = toy.views, (column.name for column in toy.stored)
    at, now = int(NOON.timestamp() * 10**6), int(time.time() * 10**6)
    rows = [pushed.Pushed(person, moment, now, {name: 2.0}) for person, moment in (("p", at), ("q", at - 1), ("r", at))]
    pushed.append(tmp_path / "home" / pushed.JOURNAL, table.name, rows)
    for _ in range(2):
        publish(toy, views, tmp_path / "home", address)
        found = plain_feast.asked(opened(toy, tmp_path / "home", address), toy, ["p", "q", "r"])
        assert [row[name] for row in found] == [2.0, 1.0, 2.0]


def test_feasts_own_writing_never_puts_an_older_value_over_a_newer_one(toy, address, tmp_path):
    views = known(toy, tmp_path / "views", [("p", NOON, 1.0), ("q", NOON, 1.0)])
    (table,), (name,) = toy.views, (column.name for column in toy.stored)
    publish(toy, views, tmp_path / "home", address)
    store = opened(toy, tmp_path / "home", address)

    def rows(at: pd.Timestamp, value: float, *people: str) -> pd.DataFrame:
        return pd.DataFrame({APPLICANT_ID: people, EVENT_TIME: at, CREATED_TIME: pd.Timestamp.now(UTC), table.as_of: at.timestamp(),
                             name: value})

    def values() -> list[Any]:
        return [row[name] for row in plain_feast.asked(store, toy, ["p", "q", "r"])]

    store.push(f"{table.name}_push", rows(NOON + MICROSECOND, 2.0, "p", "r"), to=PushMode.ONLINE_AND_OFFLINE)
    assert values() == [2.0, 1.0, 2.0]
    store.push(f"{table.name}_push", rows(NOON - MICROSECOND, 3.0, "p", "q", "r"), to=PushMode.ONLINE)
    store.write_to_online_store(table.name, rows(NOON - MICROSECOND, 3.0, "p", "q", "r"))
    with quiet():
        store.materialize(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC))
    assert values() == [2.0, 1.0, 2.0]
    kept = pushed.read(tmp_path / "home" / pushed.JOURNAL, table.name)
    assert [(applicant, stored) for applicant, _, _, stored in kept] == [("p", {name: 2.0}), ("r", {name: 2.0})]


@pytest.mark.parametrize("to", [PushMode.ONLINE, PushMode.OFFLINE, PushMode.ONLINE_AND_OFFLINE])
def test_an_infinite_value_that_is_pushed_through_feast_is_refused_and_is_nowhere(toy, address, tmp_path, to):
    publish(toy, known(toy, tmp_path / "views", [("p", NOON, 1.0)]), tmp_path / "home", address)
    (table,), (name,) = toy.views, (column.name for column in toy.stored)
    later = NOON + MICROSECOND
    rows = pd.DataFrame({APPLICANT_ID: ["p"], EVENT_TIME: later, CREATED_TIME: later, table.as_of: later.timestamp(), name: -math.inf})
    store = opened(toy, tmp_path / "home", address)
    with pytest.raises(FeatureError, match="infinite"):
        store.push(f"{table.name}_push", rows, to=to)

    assert plain_feast.asked(store, toy, ["p"])[0][name] == 1.0
    assert not list(pushed.read(tmp_path / "home" / pushed.JOURNAL, table.name))


def test_however_feast_materialises_while_others_publish_and_push_no_older_value_replaces_a_newer_one(toy, address, tmp_path):
    """Values say their own time. Two deliveries are published in turn and one is materialised, over and over, beside rising pushes."""
    (table,), (name,), people = toy.views, (column.name for column in toy.stored), [f"p{number}" for number in range(20)]
    home = tmp_path / "home"
    deliveries = [known(toy, tmp_path / f"{day}", [(who, NOON + timedelta(days=day), (NOON + timedelta(days=day)).timestamp())
                                                   for who in people]) for day in (0, 1)]
    publish(toy, deliveries[0], home, address)
    pushing = threading.Event()

    def materialised() -> None:
        store = opened(toy, home, address)
        while not pushing.is_set():
            store.materialize(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC))

    def published() -> None:
        for number in count():  # the rows alone: Feast's registry is one file, and whoever reads it while it is written reads half
            with writer(home / ONLINE, address) as online:
                fill(toy, deliveries[number % 2], online)
            if pushing.is_set() and number % 2:
                return

    seen: dict[str, list[float]] = {who: [] for who in people}
    with ThreadPoolExecutor(2) as pool, writer(home / ONLINE, address) as pushes, quiet():
        working = [pool.submit(work) for work in (materialised, published)]
        for step in range(60):
            at = [round((NOON + timedelta(hours=step * chance(step, place))).timestamp() * 1e6) for place in range(len(people))]
            pushes.write(view_of(toy, table), Rows(people, at, [None] * len(people), [[moment / 1e6 for moment in at]]))
            for who, found in zip(people, told(toy, home, address, people), strict=True):
                assert found[name] == found[table.as_of]
                seen[who].append(found[name])
        pushing.set()
        [work.result() for work in working]
    last = [found[name] for found in told(toy, home, address, people)]

    assert all(earlier <= later for values in seen.values() for earlier, later in pairwise(values))
    assert last == [max((NOON + timedelta(days=1)).timestamp(), *seen[who]) for who in people]


def chance(step: int, place: int) -> float:
    return random.Random(f"{step} {place}").random()  # noqa: S311 - no secret


def told(portfolio, home: Path, address: str, people: list[str]) -> list[dict[str, Any]]:
    """What a scoring worker reads: Feast itself refuses a view that it materialises."""
    if not address:
        with closing(SqliteFeatures(home / ONLINE, portfolio)) as online:
            return [online.read(who) for who in people]
    (table,) = portfolio.views
    names = (table.as_of, *(column.name for column in table.stored))
    fields = [redis_field(table.name, column) for column in names]
    with closing(redis.Redis.from_url(address)) as client:
        found = [client.hmget(redis_key(portfolio.name, who), *fields) for who in people]
    return [dict(zip(names, map(decode, row), strict=True)) for row in found]


def test_plain_feasts_commands_find_the_same_store_and_spare_what_is_newer(invent, address, tmp_path):
    """`feast apply` and `feast materialize` as anybody runs them, in a checkout of its own."""
    portfolio = load("card_default")
    (table,), name = portfolio.views, portfolio.stored[0].name
    shutil.copytree(Path(definitions.__file__).parent, tmp_path / "feature_repo", ignore=shutil.ignore_patterns("__pycache__"))
    views, home = tmp_path / "data" / portfolio.name / "featurize" / "views", tmp_path / "var" / portfolio.name / "feast"
    featurized(portfolio, invent(portfolio, ["1", "2"]), views.parent)
    home.mkdir(parents=True)
    environment = {**os.environ, "TALLY_PORTFOLIO": portfolio.name, "TALLY_FEATURES": address}
    feast = [Path(sys.executable).with_name("feast"), "-c", "feature_repo"]

    def did(*command: str) -> str:
        return subprocess.run([*feast, *command], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    def values() -> list[Any]:
        return [row[name] for row in plain_feast.asked(opened(portfolio, home, address), portfolio, ["1", "2"])]

    did("apply")
    did("materialize", "1999-01-01T00:00:00", "2001-01-01T00:00:00")
    first = values()
    store = opened(portfolio, home, address)
    newer = pd.read_parquet(views / f"{table.name}.parquet").head(1).assign(**{name: -1.0, CREATED_TIME: pd.Timestamp.now(UTC)})
    store.push(f"{table.name}_push", newer, to=PushMode.ONLINE)
    did("materialize", "1999-01-01T00:00:00", "2001-01-01T00:00:00")

    assert first[0] is not None
    assert values() == [-1.0, first[1]]
