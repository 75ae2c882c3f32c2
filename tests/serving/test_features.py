"""Stored features inside the call: Feast's bytes without Feast, and what their age means for the decision."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from feature_repo.contract import WhenStale
from feature_repo.errors import FeatureError
from feature_repo.portfolios import load
from feature_repo.store import publish
from serving.features import OnlineFeatures, fresh
from training.assembly import save, view

NOW = datetime(2024, 4, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def published(harbour, invent, tmp_path_factory):
    """The harbour's online store, and its features."""
    folder = tmp_path_factory.mktemp("online")
    tables = invent(harbour, ["anna", "björn"])
    for table in harbour.views:
        save(view(harbour, table, tables[table.name]), folder / f"{table.name}.parquet")
    publish(harbour, folder, folder / "home")
    return folder / "home" / "online.db"


def known(portfolio, age: timedelta) -> dict:
    """A value in every stored column, of that age."""
    values = {column.name: column.level_names[0] if column.is_level else 1.5 for column in portfolio.stored}
    return {**values, **{table.as_of: (NOW - age).timestamp() for table in portfolio.views}}


def those(portfolio, *policies: WhenStale, ageing: bool = False) -> tuple[str, ...]:
    """Stored columns of these policies; `ageing`: of those, the ones with an age limit."""
    return tuple(column.name for column in portfolio.stored if column.when_stale in policies and (column.fresh_for or not ageing))


def test_a_scoring_worker_imports_neither_feast_nor_pandas():
    script = "import sys, serving.features; print({'feast', 'pandas', 'duckdb', 'pyarrow', 'google.protobuf'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip() == "set()"


def test_an_unknown_applicant_has_no_values(harbour, published):
    online = OnlineFeatures(published, harbour)
    names = [*(column.name for column in harbour.stored), *(table.as_of for table in harbour.views)]

    for applicant in ("nobody", "", "\ud800", "anna'; --"):
        assert online.read(applicant) == dict.fromkeys(names)
    assert set(online.read("björn")) == set(names)
    assert online.read("björn")[harbour.views[0].as_of] is not None


def test_reading_never_writes(harbour, published):
    online = OnlineFeatures(published, harbour)
    online.read("anna")

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        online._connection().execute("CREATE TABLE x (y)")


def test_threads_read_side_by_side(harbour, published):
    online = OnlineFeatures(published, harbour)
    expected = {applicant: online.read(applicant) for applicant in ("anna", "björn")}
    wrong: list[str] = []

    def reader() -> None:
        wrong.extend(applicant for _ in range(200) for applicant, values in expected.items() if online.read(applicant) != values)
        online.close()

    threads = [threading.Thread(target=reader) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_publish_in_progress_blocks_no_reader(harbour, published):
    online = OnlineFeatures(published, harbour)
    before = online.read("anna")
    writer = sqlite3.connect(published)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute(f"DELETE FROM {harbour.name}_{harbour.views[0].name}")  # noqa: S608
    try:
        assert OnlineFeatures(published, harbour).read("anna") == before
    finally:
        writer.rollback()
        writer.close()


def test_a_store_that_is_missing_foreign_or_held_is_one_clear_error_soon(harbour, tmp_path):
    database = tmp_path / "online.db"
    online = OnlineFeatures(database, harbour)
    with pytest.raises(FeatureError, match="cannot be read"):
        online.read("anna")
    assert not database.exists()
    database.write_bytes(b"not a database" * 1_000)
    with pytest.raises(FeatureError, match="not a database"):
        online.read("anna")
    database.unlink()
    holder = sqlite3.connect(database, isolation_level=None)
    with pytest.raises(FeatureError, match="no such table"):
        online.read("anna")
    for table in harbour.views:
        holder.execute(f"CREATE TABLE {harbour.name}_{table.name} (entity_key, feature_name, value)")
    holder.execute("BEGIN EXCLUSIVE")
    began = time.perf_counter()
    with pytest.raises(FeatureError, match="locked"):
        online.read("anna")
    assert time.perf_counter() - began < 2
    holder.execute("ROLLBACK")
    assert set(online.read("anna").values()) == {None}
    holder.close()


def test_fresh_values_pass_untouched_and_without_their_times(harbour):
    values = known(harbour, timedelta(days=10))

    assert fresh(harbour, values, NOW) == ({column.name: values[column.name] for column in harbour.stored}, (), ())


def test_an_old_value_is_none_and_reported_by_its_policy(harbour):
    judged = fresh(harbour, known(harbour, timedelta(days=31)), NOW)

    assert judged.doubtful == those(harbour, WhenStale.REFER, WhenStale.REQUEST, ageing=True)
    assert judged.refused == those(harbour, WhenStale.REFUSE, ageing=True)
    assert {name for name, value in judged.values.items() if value is None} == {*judged.doubtful, *judged.refused}


def test_a_value_of_the_future_is_not_used(harbour):
    judged = fresh(harbour, known(harbour, -timedelta(microseconds=1)), NOW)

    assert set(judged.values.values()) == {None}
    assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored}


def test_a_missing_value_is_a_doubt_unless_it_may_be_missing(harbour):
    for values in (dict.fromkeys(known(harbour, timedelta(0))), {**dict.fromkeys(known(harbour, timedelta(0))), **{
            table.as_of: NOW.timestamp() for table in harbour.views}}):
        judged = fresh(harbour, values, NOW)

        assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored if not column.nullable}
        assert judged.refused == those(harbour, WhenStale.REFUSE)


def test_an_unreachable_store_leaves_every_column_in_doubt(harbour):
    judged = fresh(harbour, None, NOW)

    assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored}
    assert set(judged.values.values()) == {None}


def test_the_request_speaks_only_for_columns_that_let_it_and_only_where_the_store_does_not(harbour):
    said = dict.fromkeys([column.name for column in harbour.stored], 7.0)
    old, current = (fresh(harbour, known(harbour, timedelta(days=age)), NOW, said) for age in (31, 1))
    (own_words,) = those(harbour, WhenStale.REQUEST, ageing=True)

    assert old.values[own_words] == 7.0
    assert own_words not in old.doubtful
    assert [name for name, value in old.values.items() if value == 7.0] == [own_words]
    assert 7.0 not in current.values.values()
    assert fresh(harbour, None, NOW, said).values[own_words] == 7.0


def test_nothing_ages_in_a_portfolio_without_time():
    undated = load("card_default")

    assert fresh(undated, known(undated, timedelta(days=9_000)), NOW)[1:] == ((), ())


def test_the_time_zone_of_the_decision_does_not_matter_and_its_absence_is_refused(harbour):
    values = known(harbour, timedelta(days=10))
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))

    assert fresh(harbour, values, tokyo) == fresh(harbour, values, NOW)
    with pytest.raises(FeatureError, match="time zone"):
        fresh(harbour, values, NOW.replace(tzinfo=None))
