"""No older value over a newer one, and nothing by halves, whichever store is written."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest
import redis

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import decode, entity_key, redis_field, redis_key
from feature_repo.writers import Rows, View, Writer, writer

VIEW = View("toy", "tides", ("depth", "flag"))
MAKE = """CREATE TABLE toy_tides (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, vector_value BLOB, event_ts timestamp,
created_ts timestamp, PRIMARY KEY (entity_key, feature_name))"""
MINUTE = 60 * 10**6
NOON = 1_712_750_400 * 10**6


class Online(NamedTuple):
    """A store that is written and read here, in one question."""

    database: Path
    address: str

    def open(self) -> Writer:
        return writer(self.database, self.address)

    def read(self, applicant: str) -> dict[str, float | str | None]:
        names = (VIEW.as_of, *VIEW.columns)
        if self.address:
            with closing(redis.Redis.from_url(self.address)) as client:
                found = client.hmget(redis_key("toy", applicant), *(redis_field("tides", name) for name in names))
            return {name: decode(value) for name, value in zip(names, found, strict=True) if value is not None}
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return {name: decode(value) for name, value in connection.execute(
                "SELECT feature_name, value FROM toy_tides WHERE entity_key = ?", (entity_key(applicant),))}


@pytest.fixture(params=["sqlite", "redis"])
def online(request, tmp_path) -> Iterator[Online]:
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "online.db")) as connection:
            connection.execute(MAKE)
        yield Online(tmp_path / "online.db", "")
        return
    server = request.getfixturevalue("redis_server")
    server.client.flushdb()
    yield Online(Path(), server.address)


def row(applicant: str, at: int, depth: float | None, created: int | None = None) -> Rows:
    return Rows([applicant], [at], [created], [[depth], [None if depth is None else f"flag of {depth}"]])


@pytest.mark.parametrize("at", [NOON, 0, -MINUTE, -(10**6), -4_000_000_000 * 10**6 + 1])
def test_a_newer_row_is_taken_and_an_older_one_is_not_to_the_microsecond(online, at):
    with online.open() as writes:
        counts = [writes.write(VIEW, row("p", at + shift, float(shift))) for shift in (0, 1, -1, 0, 2)]

    assert counts == [1, 1, 0, 0, 1]
    assert online.read("p") == {VIEW.as_of: (at + 2) / 10**6, "depth": 2.0, "flag": "flag of 2.0"}


def test_of_equal_times_the_later_created_counts_and_where_nobody_knows_the_later_write(online):
    with online.open() as writes:
        created = [NOON + MINUTE, NOON, NOON + MINUTE, None, NOON, NOON - MINUTE]
        counts = [writes.write(VIEW, row("p", NOON, float(number), then)) for number, then in enumerate(created)]

    assert counts == [1, 0, 1, 1, 1, 0]
    assert online.read("p")["depth"] == 4.0


def test_of_one_applicant_in_one_write_the_newest_row_counts_wherever_it_stands(online):
    several = Rows(["p", "q", "p", "p", "p"], [NOON, NOON, NOON + 1, NOON + 1, NOON - 1], [None, None, MINUTE, 0, None],
                   [[0.0, 1.0, 2.0, 3.0, 4.0], [None] * 5])
    with online.open() as writes:
        assert writes.write(VIEW, several) == 2

    assert (online.read("p")["depth"], online.read("q")["depth"]) == (2.0, 1.0)


def test_a_row_replaces_all_of_its_view_and_only_its_view(online):
    with online.open() as writes:
        writes.write(VIEW, row("p", NOON, 1.0))
        if online.address:
            writes.write(View("toy", "winds", ("depth",)), Rows(["p"], [NOON + 9], [None], [[5.0]]))
        writes.write(VIEW, row("p", NOON + 1, None))

    assert online.read("p") == {VIEW.as_of: (NOON + 1) / 10**6, "depth": None, "flag": None}


def test_many_rows_of_which_some_are_older(online):
    people = [f"p{number}" for number in range(1_500)]
    with online.open() as writes:
        assert writes.write(VIEW, Rows(people, [NOON] * 1_500, [None] * 1_500, [[0.0] * 1_500, ["a"] * 1_500])) == 1_500
        times = [NOON + (1 if number % 3 else -1) for number in range(1_500)]
        assert writes.write(VIEW, Rows(people, times, [None] * 1_500, [[1.0] * 1_500, ["b"] * 1_500])) == 1_000

    assert [online.read(person)["depth"] for person in people[:6]] == [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]


def test_how_far_a_publication_has_come_is_known_until_another_begins_or_its_rows_are_gone(online):
    with online.open() as writes:
        assert writes.progress(VIEW, "one") == 0
        writes.write(VIEW, row("p", NOON, 1.0), ("one", 500))
        assert (writes.progress(VIEW, "one"), writes.progress(VIEW, "two")) == (500, 0)
        writes.write(VIEW, row("q", NOON, 1.0), ("two", 7))
        assert (writes.progress(VIEW, "one"), writes.progress(VIEW, "two")) == (0, 7)
        if online.address:
            redis.Redis.from_url(online.address).flushdb()
        else:
            sqlite3.connect(online.database, isolation_level=None).execute("DELETE FROM toy_tides")
        assert writes.progress(VIEW, "two") == 0


def test_a_store_that_cannot_be_written_is_an_error_that_tells_no_secret(tmp_path):
    for address in ("redis://:secret@127.0.0.1:1/0", "http://secret", ""):
        with pytest.raises(FeatureError, match="online features") as caught:
            writer(tmp_path / "none.db", address, 0.2).write(VIEW, row("p", NOON, 1.0))
        assert "secret" not in str(caught.value)


def test_however_many_write_at_once_no_older_value_ever_replaces_a_newer_one(online):
    """Four processes write rows of random times, whose values say their time, while this one reads all along."""
    people = [f"p{number}" for number in range(8)]
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        writing = [pool.submit(_write_at_random, online, people, seed) for seed in range(4)]
        seen = {person: [online.read(person)] for person in people}
        while not all(one.done() for one in writing):
            for person in people:
                seen[person].append(online.read(person))
        written = [times for one in writing for times in [one.result()]]

    for number, person in enumerate(people):
        vectors = [vector for vector in [*seen[person], online.read(person)] if vector]
        assert all(vector["depth"] == vector[VIEW.as_of] and vector["flag"] == f"{vector['depth']}" for vector in vectors)
        assert all(earlier["depth"] <= later["depth"] for earlier, later in pairwise(vectors))
        assert online.read(person)["depth"] == max(times[number] for times in written)
    assert sum(len({vector["depth"] for vector in vectors if vector}) for vectors in seen.values()) > len(people)


def _write_at_random(online: Online, people: list[str], seed: int) -> list[float]:
    """The latest time that was written for each, by one writer: single rows as a push, and all of them as a publication."""
    draw, newest = random.Random(seed), [0.0] * len(people)  # noqa: S311 - no secret
    ends = time.monotonic() + 1.5
    with online.open() as writes:
        while time.monotonic() < ends:
            places = range(len(people)) if draw.random() < 0.3 else [draw.randrange(len(people))]
            times = [NOON + int(draw.expovariate(1 / 2e6)) for _ in places]
            values = [at / 10**6 for at in times]
            writes.write(VIEW, Rows([people[place] for place in places], times, [None] * len(times), [values, [f"{v}" for v in values]]))
            for place, value in zip(places, values, strict=True):
                newest[place] = max(newest[place], value)
    return newest
