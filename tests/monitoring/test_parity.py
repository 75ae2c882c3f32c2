"""Recorded vectors beside the join: what is the same, what is not and in what way, over real stores and a real ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from viewed import NOON, featurized, known

from feature_repo import pushed
from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.pushed import Pushed
from feature_repo.store import publish
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry, canonical
from governance.ledger.writer import Ledger
from monitoring import parity, parity_report
from monitoring.parity import Drawn, Kind, Vector
from serving.online.sqlite import SqliteFeatures
from training.assembly import save, view

PEOPLE = [f"{name}{i}" for i in range(750) for name in ("p", "Ærø ", "顧客", "🙂'\"\\")]
DECIDED = datetime(2024, 4, 20, 9, 30, 0, 123_456, tzinfo=UTC)


@pytest.fixture(scope="module")
def views(harbour, invent, tmp_path_factory) -> Path:
    return featurized(harbour, invent(harbour, PEOPLE, seed=5), tmp_path_factory.mktemp("parity"))


def decide(portfolio, online: Path, book_folder: Path, at: datetime = DECIDED) -> list:
    """Decisions of everybody on what the online store has, in a ledger; their records."""
    features, book = SqliteFeatures(online / "online.db", portfolio), open_book(book_folder / portfolio.name / "ledger")
    said = [Entry(DECISION, f"d{place}", canonical({"applicant_id": who, "decided_at": at.isoformat(timespec="milliseconds"),
                                                    "stored": features.read(who)})) for place, who in enumerate(PEOPLE)]
    ledger = Ledger(book)
    ledger.append(said).result(30)
    ledger.close()
    records = list(book.records({DECISION}))
    book.close()
    features.close()
    return records


def found(portfolio, records, views, journal=Path("nowhere"), size=10_000) -> dict[str, parity.Column]:
    return {one.column: one for one in parity.compare(portfolio, parity.draw(records, size, seed=1), views, journal, 0.95)}


def test_what_was_published_is_what_the_join_says_in_every_column(harbour, views, tmp_path):
    publish(harbour, views, tmp_path / "feast")
    columns = found(harbour, decide(harbour, tmp_path / "feast", tmp_path), views)

    assert [*columns] == [name for table in harbour.views for name in (table.as_of, *(column.name for column in table.stored))]
    assert {(one.compared, one.mismatched) for one in columns.values()} == {(len(PEOPLE), 0)}
    assert all(one.upper < 0.0011 for one in columns.values())


def test_one_percent_of_other_values_in_one_column_is_found(harbour, views, tmp_path):
    skewed, (table, *others) = tmp_path / "skewed", harbour.views
    skewed.mkdir()
    for other in others:
        (skewed / f"{other.name}.parquet").symlink_to(views / f"{other.name}.parquet")
    frame = pd.read_parquet(views / f"{table.name}.parquet")
    column = table.stored[0].name
    newest = frame.loc[frame.groupby(APPLICANT_ID)[EVENT_TIME].idxmax()]
    planted = newest[newest[column].notna()].index[: len(PEOPLE) // 100]
    frame.loc[planted, column] = np.nextafter(frame.loc[planted, column], 9)  # the last bit
    frame.to_parquet(skewed / f"{table.name}.parquet")
    publish(harbour, skewed, tmp_path / "feast")
    columns = found(harbour, decide(harbour, tmp_path / "feast", tmp_path), views)

    assert {name: one.kinds for name, one in columns.items() if one.mismatched} == {column: {Kind.VALUE: len(PEOPLE) // 100}}
    assert columns[column].low < 0.01 < columns[column].upper
    assert f"**{column}** in 30 (1.0%): another value 30" in "".join(
        parity_report.findings(Drawn([None] * 3000, 3000, 0, "2024-04-20"), [*columns.values()], 300))


def test_each_way_to_differ_has_its_name(toy, tmp_path):
    at = [NOON - timedelta(days=day) for day in (3, 2, 1)]
    views = known(toy, tmp_path, [("value", at[0], 1.0), ("as of", at[0], 1.0), ("as of", at[1], 2.0), ("offline", at[0], 1.0),
                                  ("same", at[0], np.nan), ("older but equal", at[0], 1.0), ("older but equal", at[1], 1.0),
                                  ("future", NOON + timedelta(milliseconds=1), 1.0)])
    (table,), column = toy.views, toy.stored[0].name
    first = at[0].timestamp()
    stored = {"value": (first, 1.5), "as of": (first, 1.0), "offline": (None, None), "online": (first, 1.0), "same": (first, None),
              "older but equal": (first, 1.0), "future": (None, None)}
    vectors = [Vector(who, NOON, NOON, {table.as_of: as_of, column: value}) for who, (as_of, value) in stored.items()]
    as_of, value = parity.compare(toy, Drawn(vectors, 7, 0, ""), views, tmp_path / "pushed.db", 0.95)

    assert value.kinds == {Kind.VALUE: 1, Kind.ONLINE: 1, Kind.OFFLINE: 1, Kind.AS_OF: 1}
    assert as_of.kinds == {Kind.ONLINE: 1, Kind.OFFLINE: 1, Kind.AS_OF: 2}
    assert (value.compared, value.mismatched) == (7, 4)


def test_what_was_pushed_counts_from_when_it_was_known(toy, tmp_path):
    """One decision before a push that is about the time before it, one after, and one after a later correction of the same moment."""
    views, journal = known(toy, tmp_path, [("p", NOON - timedelta(days=9), 1.0)]), tmp_path / "pushed.db"
    (table,), column, about = toy.views, toy.stored[0].name, NOON - timedelta(days=1)
    for created, value in ((NOON, 2.0), (NOON + timedelta(hours=2), 3.0)):
        pushed.append(journal, table.name, [Pushed("p", _us(about), _us(created), {column: value})])
    old, new = (NOON - timedelta(days=9)).timestamp(), about.timestamp()
    moments = [NOON - timedelta(minutes=1), NOON + timedelta(hours=1), NOON + timedelta(hours=3)]
    vectors = [Vector("p", at, at, {table.as_of: as_of, column: value})
               for at, as_of, value in zip(moments, (old, new, new), (1.0, 2.0, 3.0), strict=True)]

    assert [one.mismatched for one in parity.compare(toy, Drawn(vectors, 3, 0, ""), views, journal, 0.95)] == [0, 0]


def test_a_decision_made_before_a_delivered_row_was_corrected_is_held_against_the_row_as_it_was_delivered(toy, tmp_path):
    (table,), column = toy.views, toy.stored[0].name
    delivered = pd.DataFrame([("p", NOON, 1.0)], columns=[APPLICANT_ID, EVENT_TIME, column])
    correction = pd.DataFrame([("p", NOON, NOON + timedelta(hours=2), 2.0)], columns=[APPLICANT_ID, EVENT_TIME, CREATED_TIME, column])
    save(view(toy, table, delivered, correction), tmp_path / f"{table.name}.parquet")
    vectors = [Vector("p", at, at, {table.as_of: NOON.timestamp(), column: value})
               for at, value in ((NOON + timedelta(hours=1), 1.0), (NOON + timedelta(hours=3), 2.0))]

    assert [one.mismatched for one in parity.compare(toy, Drawn(vectors, 2, 0, ""), tmp_path, tmp_path / "pushed.db", 0.95)] == [0, 0]


def test_a_service_that_lives_in_another_time_knows_what_was_pushed_by_the_clock_on_the_wall(toy, tmp_path):
    views, journal = known(toy, tmp_path, [("p", NOON - timedelta(days=9), 1.0)]), tmp_path / "pushed.db"
    (table,), column, wall = toy.views, toy.stored[0].name, datetime(2026, 1, 1, tzinfo=UTC)
    pushed.append(journal, table.name, [Pushed("p", _us(NOON), _us(wall), {column: 2.0})])
    before, after = ((wall + timedelta(hours=hours)) for hours in (-1, 1))
    vectors = [Vector("p", NOON, before, {table.as_of: (NOON - timedelta(days=9)).timestamp(), column: 1.0}),
               Vector("p", NOON, after, {table.as_of: NOON.timestamp(), column: 2.0})]

    assert [one.mismatched for one in parity.compare(toy, Drawn(vectors, 2, 0, ""), views, journal, 0.95)] == [0, 0]


def test_decisions_without_the_store_and_erased_ones_are_left_out_and_counted(toy, tmp_path):
    class Said:
        def __init__(self, stored, *, erased=False):
            self.erased, self.recorded_at = erased, "2024-04-10T12:00:00.000000+00:00"
            self.content = {"applicant_id": "p", "decided_at": NOON.isoformat(), "recorded_at": self.recorded_at, "stored": stored}

    drawn = parity.draw([Said(None, erased=True), Said(None), Said({}), Said({"a": 1.0})], 10, seed=1)

    assert (len(drawn.vectors), drawn.of, drawn.unread) == (1, 3, 2)
    assert "none of them made on stored values" in parity_report.findings(parity.draw([Said(None)], 10, 1), [], 300)[0]


def test_every_decision_is_as_likely_to_be_drawn(harbour, views, tmp_path):
    publish(harbour, views, tmp_path / "feast")
    records = decide(harbour, tmp_path / "feast", tmp_path)
    thirds = np.zeros(3)
    for seed in range(20):
        drawn = parity.draw(records, 300, seed)
        assert len({one.applicant_id for one in drawn.vectors}) == 300
        thirds += np.histogram([PEOPLE.index(one.applicant_id) for one in drawn.vectors], bins=3, range=(0, len(PEOPLE)))[0]

    assert (np.abs(thirds / 6000 - 1 / 3) < 0.03).all()


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0.001, 0.2))
def test_the_bounds_hold_the_share(of, part, tail):
    hits = round(of * part)
    low, high = (parity.bound(hits, of, tail, upper=upper) for upper in (False, True))

    assert 0 <= low <= hits / of <= high <= 1


def _us(moment) -> int:
    return round(moment.timestamp() * 1e6)
