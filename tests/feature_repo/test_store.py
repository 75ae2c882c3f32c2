"""What is known now: the traps of Feast, each held."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feast import FeatureView
from viewed import MICROSECOND, NOON, asked, featurized, known

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.definitions import objects
from feature_repo.errors import FeatureError
from feature_repo.offline import history
from feature_repo.portfolios import load
from feature_repo.store import publish
from serving.online.sqlite import SqliteFeatures


def test_a_portfolio_without_stored_columns_needs_no_store(harbour, tmp_path):
    bare = replace(harbour, tables=harbour.tables[:1])
    frame = asked(("p", NOON))

    assert history(bare, frame, tmp_path / "nowhere").equals(frame)
    assert publish(bare, tmp_path / "nowhere", tmp_path / "home") == {}
    assert not (tmp_path / "home").exists()


def test_missing_views_are_named_with_the_stage_that_makes_them(harbour, tmp_path):
    with pytest.raises(FeatureError, match=rf"{harbour.views[0].name}\.parquet.*featurize"):
        publish(harbour, tmp_path, tmp_path / "home")


def test_a_view_without_rows_joins_and_publishes_nothing(toy, tmp_path):
    views = known(toy, tmp_path, [])

    assert history(toy, asked(("p", NOON)), views)[toy.stored[0].name].isna().all()
    assert publish(toy, views, tmp_path / "home") == {toy.views[0].name: 0}
    assert set(SqliteFeatures(tmp_path / "home" / "online.db", toy).read("p").values()) == {None}


def test_publish_writes_the_latest_value_of_everyone_however_old(toy, tmp_path):
    views = known(toy, tmp_path, [("old", NOON - pd.Timedelta(3_000, "D"), 1.0), ("p", NOON, 3.0), ("p", NOON - MICROSECOND, 2.0)])
    written = publish(toy, views, tmp_path / "home")
    online = SqliteFeatures(tmp_path / "home" / "online.db", toy)

    assert written == {toy.views[0].name: 2}
    assert (tmp_path / "home" / "registry.db").is_file()
    assert [online.read(applicant)[toy.stored[0].name] for applicant in ("old", "p")] == [1.0, 3.0]


def test_publish_loses_no_one_beyond_the_first_batch(toy, tmp_path):
    people = [f"p{i}" for i in range(25_000)]
    views = known(toy, tmp_path, [(person, NOON, float(i)) for i, person in enumerate(people)])

    assert publish(toy, views, tmp_path / "home") == {toy.views[0].name: 25_000}
    online = SqliteFeatures(tmp_path / "home" / "online.db", toy)
    assert [online.read(person)[toy.stored[0].name] for person in people] == list(range(25_000))


def test_publish_again_brings_the_new_values_and_is_otherwise_harmless(toy, tmp_path):
    publish(toy, known(toy, tmp_path, [("p", NOON, 1.0), ("q", NOON, 5.0)]), tmp_path / "home")
    publish(toy, known(toy, tmp_path, [("p", NOON, 1.0), ("q", NOON, 5.0)]), tmp_path / "home")
    publish(toy, known(toy, tmp_path, [("p", NOON + MICROSECOND, np.nan), ("q", NOON, 5.0)]), tmp_path / "home")
    online = SqliteFeatures(tmp_path / "home" / "online.db", toy)

    assert [online.read(applicant)[toy.stored[0].name] for applicant in ("p", "q")] == [None, 5.0]


def test_a_second_portfolio_beside_it_leaves_the_first_ones_values(toy, tmp_path):
    other = replace(toy, name="other")
    for each, value in ((toy, 1.0), (other, 2.0)):
        publish(each, known(each, tmp_path / each.name, [("p", NOON, value)]), tmp_path / "home")

    assert SqliteFeatures(tmp_path / "home" / "online.db", toy).read("p")[toy.stored[0].name] == 1.0
    assert SqliteFeatures(tmp_path / "home" / "online.db", other).read("p")[toy.stored[0].name] == 2.0


def test_what_the_contract_no_longer_declares_leaves_the_online_store(harbour, invent, tmp_path):
    views = featurized(harbour, invent(harbour, ["p"]), tmp_path)
    publish(harbour, views, tmp_path / "home")
    publish(replace(harbour, tables=harbour.tables[:2]), views, tmp_path / "home")
    with sqlite3.connect(tmp_path / "home" / "online.db") as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert {name for name in tables if name.startswith(harbour.name)} == {f"{harbour.name}_{harbour.views[0].name}"}


def test_relative_paths_mean_the_same_from_any_folder(toy, monkeypatch, tmp_path):
    known(toy, tmp_path / "views", [("p", NOON, 1.0)])
    monkeypatch.chdir(tmp_path)
    publish(toy, Path("views"), Path("home"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sources = [thing.batch_source.path for thing in objects(toy, tmp_path / "views").values() if isinstance(thing, FeatureView)]

    assert SqliteFeatures(tmp_path / "home" / "online.db", toy).read("p")[toy.stored[0].name] == 1.0
    assert all(Path(source).is_absolute() and Path(source).is_file() for source in sources)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_machines_time_zone_changes_nothing(invent, tmp_path):
    portfolio = load("card_default")
    views = featurized(portfolio, invent(portfolio, ["1", "2"]), tmp_path)
    script = """if True:
        import sys; from pathlib import Path; import pandas as pd
        from feature_repo.portfolios import load; from feature_repo.offline import history; from feature_repo.store import publish
        views, home, portfolio = Path(sys.argv[1]), Path(sys.argv[2]), load(sys.argv[3])
        publish(portfolio, views, home)
        history(portfolio, pd.read_parquet(views.parent / "applications.parquet"), views).to_parquet(home / "found.parquet")
    """
    subprocess.run([sys.executable, "-c", script, views, tmp_path / "home", portfolio.name],
                   env={**os.environ, "TZ": "America/Los_Angeles"}, check=True, capture_output=True)
    kept = pd.read_parquet(views / f"{portfolio.views[0].name}.parquet").drop(columns=[EVENT_TIME, CREATED_TIME])
    expected = kept.set_index(APPLICANT_ID)
    found = pd.read_parquet(tmp_path / "home" / "found.parquet").set_index(APPLICANT_ID)
    online = SqliteFeatures(tmp_path / "home" / "online.db", portfolio)
    served = pd.DataFrame([online.read(applicant) for applicant in expected.index], index=expected.index, dtype=float)

    pd.testing.assert_frame_equal(found[expected.columns].sort_index(), expected)
    pd.testing.assert_frame_equal(served[expected.columns], expected)
