"""The join held against Feast's own DuckDB store, row for row; planted futures; and pushes, which the files of a view never see."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.types import Float64, Int64, String
from viewed import MICROSECOND, NOON

from feature_repo import asof, runs
from feature_repo.errors import FeatureError
from feature_repo.opening import quiet

OURS = "feature_repo.offline_store.TallyOfflineStore"
WHO = Entity(name="applicant", join_keys=["applicant_id"], value_type=ValueType.STRING)
BRANCH = Entity(name="branch", join_keys=["branch_id"], value_type=ValueType.INT64)
PEOPLE = [f"{name}{i}" for i in range(12) for name in ("p", "Ærø ", "顧客", "🙂'\"\\")]
ZONES = ["UTC", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Africa/Monrovia"]
NEAR = [timedelta(microseconds=away) for away in (-1, 0, 1)] + [timedelta(hours=away) for away in (-14, -5, 12)]


WAYS = {"comparing": (1e9, 1e9), "searching": (0, 0), "sorting": (0, 0)}  # from how many rows of an entity on, to have it gone this way


def go(monkeypatch, way: str) -> None:
    """Let every join go one of the ways there are."""
    for name, value in zip(("SEVERAL", "CROWDED"), WAYS[way], strict=True):
        monkeypatch.setattr(asof, name, value)
    found = runs.find
    monkeypatch.setattr(runs, "find", (lambda *_: None) if way == "sorting" else lambda *given: searched(found(*given)))


def searched(found):
    assert found is not None, "the file is in order"
    return found


@pytest.fixture
def stores(tmp_path) -> Callable[..., tuple[FeatureStore, FeatureStore]]:
    """Our store and Feast's over the same views, made from frames."""
    def make(*views: FeatureView | FeatureService, journal: str | None = None) -> tuple[FeatureStore, FeatureStore]:
        return tuple(opened(tmp_path / name, settings, views) for name, settings in
                     (("ours", {"type": OURS, "journal": journal}), ("feasts", {"type": "duckdb"})))
    return make


def opened(home: Path, settings: dict[str, str | None], views: tuple[FeatureView | FeatureService, ...]) -> FeatureStore:
    home.mkdir()
    with quiet():
        store = FeatureStore(config=RepoConfig(project="p", provider="local", registry=str(home / "registry.db"), offline_store=settings,
                                               online_store={"type": "sqlite", "path": str(home / "online.db")},
                                               entity_key_serialization_version=3))
        store.apply([WHO, BRANCH, *views])
    return store


def view(name: str, frame: pd.DataFrame, folder: Path, *, ttl: timedelta = timedelta(0), by: Entity = WHO) -> FeatureView:
    """A view over a frame; where the frame has `created`, that decides between rows of one time."""
    path, created = folder / f"{name}.parquet", "created" if "created" in frame else ""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    kinds = {"float64": Float64, "int64": Int64, "object": String}
    fields = [Field(name=column, dtype=kinds[str(kind)]) for column, kind in frame.dtypes.items() if str(kind) in kinds]
    source = FileSource(name=name, path=str(path), timestamp_field="event_timestamp", created_timestamp_column=created)
    return FeatureView(name=name, entities=[by], ttl=ttl, source=source, schema=fields)


def moments(chance: np.random.Generator, size: int) -> pd.Series:
    """Few distinct instants a microsecond or some hours around noons, so that boundaries and ties are common."""
    days = [NOON + timedelta(days=int(day)) for day in chance.integers(0, 6, size)]
    return pd.Series([day + NEAR[away] for day, away in zip(days, chance.integers(0, len(NEAR), size), strict=True)])


def facts(chance: np.random.Generator, name: str, size: int, *, created: bool, in_order: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame({"applicant_id": chance.choice(PEOPLE, size), "event_timestamp": moments(chance, size),
                          f"{name}_number": np.where(chance.random(size) < 0.2, np.nan, chance.normal(size=size)),
                          f"{name}_text": np.where(chance.random(size) < 0.2, None, chance.choice(["ja", "näin", ""], size).astype(object)),
                          f"{name}_count": chance.integers(0, 10**15, size)})
    key = ["applicant_id", "event_timestamp"]
    if created:
        frame["created"] = frame["event_timestamp"] + pd.to_timedelta(chance.choice([-1, 0, 1, 86_400_000_000], size), unit="us")
        key.append("created")
    alone = frame.drop_duplicates(key)  # of rows alike in all of these Feast takes any
    return alone.sort_values(key, ignore_index=True) if in_order else alone.reset_index(drop=True)


def asked(chance: np.random.Generator, size: int, zone: str = "UTC") -> pd.DataFrame:
    who = np.where(chance.random(size) < 0.15, "nobody", chance.choice(PEOPLE, size)).astype(object)
    frame = pd.DataFrame({"applicant_id": who, "event_timestamp": moments(chance, size).dt.tz_convert(zone),
                          "guarantor": chance.choice(PEOPLE, size), "branch_id": chance.integers(0, 4, size)})
    return pd.concat([frame, frame.sample(size // 5, random_state=1)], ignore_index=True).assign(row=np.arange(size + size // 5))


def both_of(pair: tuple[FeatureStore, FeatureStore], rows: pd.DataFrame, features: Any, **options: bool) -> list[pd.DataFrame]:
    with quiet():
        found = [store.get_historical_features(rows.copy(), features, **options).to_df() for store in pair]
    return [found[0], found[1].sort_values("row", ignore_index=True)]


def both(pair: tuple[FeatureStore, FeatureStore], rows: pd.DataFrame, features: list[str], **options: bool) -> pd.DataFrame:
    """Our answer, after it was found equal to Feast's in values and types, whole and in order."""
    ours, feasts = both_of(pair, rows, features, **options)
    assert ours["row"].tolist() == list(range(len(rows)))
    pd.testing.assert_frame_equal(ours, feasts, check_exact=True)
    return ours


def of(*names: str) -> list[str]:
    return [f"{name}:{name}_{kind}" for name in names for kind in ("number", "text", "count")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_feasts_own(stores, tmp_path, monkeypatch, seed, way):
    go(monkeypatch, way)
    chance = np.random.default_rng(seed)
    pair = stores(view("plain", facts(chance, "plain", 400, created=False), tmp_path),
                  view("dated", facts(chance, "dated", 400, created=True), tmp_path),
                  view("short", facts(chance, "short", 400, created=True), tmp_path, ttl=timedelta(days=1)))

    found = both(pair, asked(chance, 300, ZONES[seed]), of("plain", "dated", "short"))

    assert 0.1 < found["short_number"].isna().mean() < 0.9


@pytest.mark.parametrize("seed", range(2))
def test_what_was_created_later_is_left_out_where_feast_is_asked_to(stores, tmp_path, seed):
    chance = np.random.default_rng(seed)
    pair = stores(view("dated", facts(chance, "dated", 400, created=True), tmp_path))
    rows = asked(chance, 300)

    assert not both(pair, rows, of("dated"), filter_by_created_timestamp=True).equals(both(pair, rows, of("dated")))


def test_two_people_of_one_row_two_kinds_of_key_and_full_names(stores, tmp_path):
    chance = np.random.default_rng(1)
    plain = view("plain", facts(chance, "plain", 400, created=False), tmp_path)
    sizes = pd.DataFrame({"branch_id": [0, 1, 1], "event_timestamp": [NOON, NOON, NOON + timedelta(days=2)], "size": [1.0, 2.0, 3.0]})
    branch = view("branch", sizes, tmp_path, by=BRANCH)
    backer = plain.with_name("backer").with_join_key_map({"applicant_id": "guarantor"})
    roles = FeatureService(name="roles", features=[plain.with_name("own"), branch, backer])
    ours, feasts = both_of(stores(plain, branch, roles), asked(chance, 300), roles, full_feature_names=True)

    pd.testing.assert_frame_equal(ours, feasts, check_exact=True)
    assert {"own__plain_number", "backer__plain_number", "branch__size"} <= {*ours.columns}
    assert not ours["own__plain_number"].equals(ours["backer__plain_number"])


@pytest.mark.parametrize("spell", [
    lambda times: times.dt.tz_localize(None), lambda times: times.astype("datetime64[us, UTC]"),
    lambda times: times.dt.strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
    lambda times: pd.Series([time.tz_convert(zone) for time, zone in zip(times, ZONES * 100, strict=False)], dtype=object),
], ids=["without a zone", "microseconds", "text", "a zone a row"])
def test_moments_may_be_spelled_as_feast_lets_them(stores, tmp_path, spell):
    chance = np.random.default_rng(2)
    pair = stores(view("plain", facts(chance, "plain", 400, created=False), tmp_path))
    rows = asked(chance, 200)
    extra = pd.Series(pd.Categorical(["a", None] * (len(rows) // 2)))

    assert both(pair, rows.assign(event_timestamp=spell(rows["event_timestamp"]), extra=extra), of("plain"))["plain_number"].notna().any()


def test_a_file_whose_moments_have_no_zone_means_utc(stores, tmp_path):
    frame = facts(np.random.default_rng(5), "plain", 400, created=True)
    bare = frame.assign(event_timestamp=frame["event_timestamp"].dt.tz_localize(None), created=frame["created"].dt.tz_localize(None))
    pair = stores(view("plain", bare, tmp_path))

    both(pair, asked(np.random.default_rng(5), 200), of("plain"), filter_by_created_timestamp=True)


def test_rows_without_a_key_or_a_moment_have_no_values(stores, tmp_path):
    chance = np.random.default_rng(3)
    pair = stores(view("plain", facts(chance, "plain", 400, created=False), tmp_path))
    rows = asked(chance, 100)
    rows.loc[::3, "applicant_id"] = None
    rows.loc[::7, "event_timestamp"] = pd.NaT

    assert both(pair, rows, of("plain")).loc[::3, "plain_count"].isna().all()


@pytest.mark.parametrize("away", NEAR, ids=str)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("way", WAYS)
def test_no_planted_future_leaks(tmp_path, monkeypatch, away, zone, way):
    """Every person has a fact that is true, and one from a moment later that says so; asked in every zone, at the boundary itself."""
    go(monkeypatch, way)
    at = pd.Series([NOON + timedelta(days=day) for day in range(20)]) + away
    people = [f"p{day}" for day in range(20)]
    planted = [pd.DataFrame({"applicant_id": people, "event_timestamp": (at + lag).dt.tz_convert(zone), "true": lag <= timedelta(0)})
               for lag in (-timedelta(days=40), timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(days=400))]
    pq.write_table(pa.Table.from_pandas(pd.concat(planted).sort_values(["applicant_id", "event_timestamp"])), tmp_path / "view.parquet")
    source = asof.Source(path=tmp_path / "view.parquet", keys=(("applicant_id", "applicant_id"),), time="event_timestamp",
                         features=(("true", "true"), ("event_timestamp", "when")))
    rows = pa.table({"applicant_id": people, "at": at})
    found = asof.join(rows, "at", [source]).to_pandas()
    before = asof.join(rows.set_column(1, "at", pa.array(at - timedelta(microseconds=1))), "at", [source]).to_pandas()

    assert found["true"].all()
    assert (found["when"] == at).all()
    assert (before["when"] == at - timedelta(days=40)).all()


def test_a_feature_named_as_a_column_of_the_rows_is_refused(stores, tmp_path):
    ours, _ = stores(view("plain", facts(np.random.default_rng(3), "plain", 40, created=False), tmp_path))
    with pytest.raises(FeatureError, match="plain_count"):
        ours.get_historical_features(asked(np.random.default_rng(3), 10).assign(plain_count=1), of("plain"))


def test_what_the_join_has_no_words_for_is_feasts_own(stores, tmp_path):
    frame = pd.DataFrame({"event_timestamp": [NOON], "rate": [0.5]})
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "rates.parquet")
    everywhere = FeatureView(name="rates", entities=[], ttl=timedelta(0), schema=[Field(name="rate", dtype=Float64)],
                             source=FileSource(name="rates", path=str(tmp_path / "rates.parquet"), timestamp_field="event_timestamp"))
    pair = stores(everywhere)

    assert pair[0].get_feature_view("rates").name == "rates"
    assert both(pair, asked(np.random.default_rng(3), 20), ["rates:rate"])["rate"].notna().any()


def test_a_push_is_joined_and_leaves_the_file_alone(stores, tmp_path):
    """Kept in the journal; the later push for a moment counts, and over what the file has for it."""
    kept = pd.DataFrame({"applicant_id": ["p", "q"], "event_timestamp": NOON, "plain_as_of": NOON.timestamp(), "size": [1.0, 2.0]})
    plain = view("plain", kept, tmp_path)
    ours, _ = stores(plain, journal=str(tmp_path / "pushed.db"))
    before = (tmp_path / "plain.parquet").read_bytes()
    later = NOON + timedelta(hours=1)
    for who, when, size in (("p", NOON, 10.0), ("p", NOON, 11.0), ("p", later, None), ("new", NOON, 3.0)):
        pushed = pd.DataFrame({"applicant_id": [who], "event_timestamp": [when], "plain_as_of": [when.timestamp()], "size": [size]})
        ours.write_to_offline_store("plain", pushed.astype({"size": float}))
    rows = pd.DataFrame({"applicant_id": ["p", "p", "p", "q", "new"], "event_timestamp": [NOON - MICROSECOND, NOON, later, later, later]})
    with quiet():
        found = ours.get_historical_features(rows, ["plain:size", "plain:plain_as_of"]).to_df()

    np.testing.assert_array_equal(found["size"], [np.nan, 11.0, np.nan, 2.0, 3.0])
    np.testing.assert_array_equal(found["plain_as_of"], [np.nan, NOON.timestamp(), later.timestamp(), NOON.timestamp(), NOON.timestamp()])
    assert (tmp_path / "plain.parquet").read_bytes() == before


def test_a_push_that_contradicts_its_own_time_or_has_no_place_is_refused(stores, tmp_path):
    kept = pd.DataFrame({"applicant_id": ["p"], "event_timestamp": [NOON], "plain_as_of": [NOON.timestamp()], "size": [1.0]})
    plain = view("plain", kept, tmp_path)
    ours, _ = stores(plain)
    with pytest.raises(FeatureError, match="journal"):
        ours.write_to_offline_store("plain", kept)
    ours.config.offline_store.journal = str(tmp_path / "pushed.db")
    for wrong in (kept.assign(plain_as_of=0.0), kept.assign(applicant_id=None)):
        with pytest.raises(FeatureError, match="plain"):
            ours.write_to_offline_store("plain", wrong)
    assert not (tmp_path / "pushed.db").exists()


def test_the_answer_can_be_kept_as_a_saved_dataset(stores, tmp_path):
    ours, _ = stores(view("plain", facts(np.random.default_rng(3), "plain", 100, created=False), tmp_path))
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # Feast calls its saved datasets new
        job = ours.get_historical_features(asked(np.random.default_rng(3), 50), of("plain"))
        ours.create_saved_dataset(job, "kept", SavedDatasetFileStorage(str(tmp_path / "kept.parquet")))

    assert pq.read_table(tmp_path / "kept.parquet").equals(job.to_arrow())


def test_a_file_that_is_in_no_order_is_not_searched(stores, tmp_path, monkeypatch):
    monkeypatch.setattr(asof, "SEVERAL", 0)
    chance = np.random.default_rng(7)
    tables = [facts(chance, name, 400, created=created, in_order=False) for name, created in (("plain", False), ("dated", True))]
    order = ["applicant_id", "event_timestamp", "created"]
    later_first = facts(chance, "ties", 400, created=True).sort_values(order, ascending=[True, True, False])
    backwards = facts(chance, "backwards", 400, created=False).sort_values(order[:2], ascending=[True, False])
    names = ("plain", "dated", "ties", "backwards")
    pair = stores(*(view(name, frame, tmp_path) for name, frame in zip(names, (*tables, later_first, backwards), strict=True)))
    rows = asked(chance, 300)
    keys, at = (pa.array(rows[name]) for name in ("applicant_id", "event_timestamp"))

    both(pair, rows, of(*names))
    for name, created in zip(names, (None, "created", "created", None), strict=True):
        assert runs.find(tmp_path / f"{name}.parquet", ("applicant_id", "event_timestamp", created), keys, at, None) is None
