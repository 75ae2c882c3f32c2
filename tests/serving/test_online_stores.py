"""One suite for both online stores, against Feast's own bytes: what Feast answers we answer, for everybody, alone and together."""

from __future__ import annotations

import sqlite3
import sys
import threading
from dataclasses import replace

import numpy as np
import odd_views
import plain_feast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import decode, encode, redis_key
from feature_repo.packing import pack
from serving.online import vectors
from serving.online.redis import RedisFeatures
from serving.online.sqlite import SqliteFeatures

PEOPLE = 10_000
STRANGERS = ["nobody", "", " ", "p1 ", "P1", "anna'; --", "\u0000"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
VALUES = st.lists(st.one_of(st.none(), st.floats(), TEXTS), min_size=1, max_size=30)


@pytest.fixture(scope="module", params=["sqlite", "packed", "redis"])
def stored(request, harbour, tmp_path_factory):
    """The portfolio, Feast's store of 10,000 people, how ours is opened, and the people."""
    folder = tmp_path_factory.mktemp(request.param)
    people = odd_views.applicants(PEOPLE)
    views = odd_views.write(harbour, people, folder / "views")
    address = request.getfixturevalue("redis_server").address if request.param == "redis" else ""
    feast = plain_feast.opened(harbour, views, folder / "home", address)
    plain_feast.materialize(feast, harbour, views)
    if request.param == "packed":
        assert pack(folder / "home" / "online.db", harbour) > PEOPLE
    opened = (lambda portfolio=harbour: RedisFeatures(address, portfolio, 5.0)) if address else (
        lambda portfolio=harbour: SqliteFeatures(folder / "home" / "online.db", portfolio, 5.0))
    return harbour, feast, opened, people


def bits(vector: dict) -> dict:
    """Numbers as their bytes, so that -0.0, rounding and types would show."""
    return {name: value if value is None or isinstance(value, str) else (type(value), np.float64(value).tobytes())
            for name, value in vector.items()}


def told(value):
    """Feast tells NaN as it is; a decision knows no value and NaN as one thing."""
    return None if value is not None and value != value else value  # noqa: PLR0124


def test_everybody_has_the_values_feast_answers(stored):
    portfolio, feast, opened, people = stored
    everybody = [*people, *STRANGERS]
    np.random.default_rng(1).shuffle(everybody)
    expected = [bits({name: told(value) for name, value in one.items()}) for one in plain_feast.asked(feast, portfolio, everybody)]
    store = opened()
    together = [vector for at in range(0, len(everybody), 100) for vector in store.read_many(everybody[at:at + 100])]

    assert [bits(one) for one in together] == expected
    assert [bits(store.read(one)) for one in everybody[:2_000]] == expected[:2_000]
    assert sum(value is not None for one in expected for value in one.values()) > PEOPLE
    store.close()


def test_a_question_may_be_large_empty_or_name_one_person_twice(stored):
    _, _, opened, people = stored
    store = opened()
    some = [people[at] for at in (3, 1, 3, 2)]

    assert store.read_many(some) == [store.read(one) for one in some]
    assert store.read_many([]) == []
    assert store.read_many(people) == [vector for one in range(0, PEOPLE, 500) for vector in store.read_many(people[one:one + 500])]
    store.close()


def test_a_stranger_has_no_values_and_no_other_portfolio_has_ours(stored):
    portfolio, _, opened, people = stored
    names = [name for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))]
    store = opened()

    assert [store.read(one) for one in [*STRANGERS, "\ud800"]] == [dict.fromkeys(names)] * (len(STRANGERS) + 1)
    assert list(store.read(people[1])) == names
    store.probe()
    store.close()


def test_a_column_that_is_new_has_no_value_and_one_that_is_gone_is_not_told(stored):
    portfolio, _, opened, people = stored
    first, *others = portfolio.views
    *kept, last = first.stored
    changed = replace(first, columns=(*(column for column in first.columns if column is not last), replace(last, name="newcomer")))
    other = opened(replace(portfolio, tables=(portfolio.applications, changed, *others)))
    ours = opened()

    for now, before in zip(other.read_many(people[:200]), ours.read_many(people[:200]), strict=True):
        assert now == {**{name: value for name, value in before.items() if name != last.name}, "newcomer": None}
    assert kept
    other.close()
    ours.close()


def test_threads_read_side_by_side(stored):
    _, _, opened, people = stored
    store = opened()
    expected = {one: store.read(one) for one in people[:20]}
    wrong: list[str] = []

    def reader() -> None:
        wrong.extend(one for _ in range(50) for one, values in expected.items() if store.read(one) != values)
        wrong.extend("many" for _ in range(20) if store.read_many(list(expected)) != list(expected.values()))
        store.close()

    threads = [threading.Thread(target=reader) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_portfolio_without_stored_columns_asks_nothing(harbour, tmp_path):
    bare = replace(harbour, tables=harbour.tables[:1])
    for store in (SqliteFeatures(tmp_path / "none.db", bare), RedisFeatures("redis://127.0.0.1:1/0", bare, 0.1)):
        store.probe()
        assert store.read_many(["a", "b"]) == [{}, {}]


def test_a_store_nobody_published_into_is_an_error_and_not_a_store_of_strangers(harbour, redis_server, tmp_path):
    sqlite3.connect(tmp_path / "online.db").close()
    for store in (SqliteFeatures(tmp_path / "online.db", harbour), RedisFeatures(f"redis://127.0.0.1:{redis_server.port}/9", harbour, 5.0)):
        with pytest.raises(FeatureError, match="publish"):
            store.probe()


def test_what_feast_would_not_write_is_an_error_that_names_nobody(stored):
    portfolio, feast, opened, _ = stored
    column, table = portfolio.views[0].stored[0].name, f"{portfolio.name}_{portfolio.views[0].name}"
    key = "someone wrong"
    if isinstance(opened(), RedisFeatures):
        client = feast.provider.online_store._get_client(feast.config.online_store)
        client.set(redis_key(portfolio.name, key), b"no hash")
    else:
        from feature_repo.feast_bytes import entity_key

        with sqlite3.connect(feast.config.online_store.path) as connection:
            connection.execute(f'INSERT INTO "{table}" (entity_key, feature_name, value) VALUES (?, ?, ?)',  # noqa: S608
                               (entity_key(key), column, b"\x18\x05"))
        connection.close()
    with pytest.raises(FeatureError) as error:
        opened().read(key)
    assert key not in str(error.value)


@given(VALUES)
def test_many_values_at_once_are_each_alone(values):
    raw = [encode(value) for value in values]
    expected = bits(dict(enumerate(map(decode, raw))))

    assert bits(dict(enumerate(vectors.values([one or None for one in raw])))) == expected
    assert bits(dict(enumerate(vectors.listed(b",".join(raw), len(raw))))) == expected


@given(st.binary(max_size=60), st.integers(1, 4))
def test_bytes_of_any_kind_are_values_or_an_error(raw, count):
    try:
        found = vectors.listed(raw, count)
    except FeatureError:
        return
    assert len(found) == count


def test_serving_needs_neither_feast_nor_pandas_for_either_store():
    import subprocess

    script = ("import sys, serving.online.reads, serving.features\n"
              "print({'feast', 'pandas', 'duckdb', 'pyarrow', 'google.protobuf'} & set(sys.modules))")
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip() == "set()"
