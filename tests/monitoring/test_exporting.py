"""Windows of the record: every decision in one, equal bytes from an equal record whatever the store, and nothing left out in silence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import msgspec
import pandas as pd
import pytest
from decided import append, entries

from feature_repo.portfolios import load
from governance.ledger.book import open_book
from governance.ledger.entries import Entry, canonical
from monitoring import exporting, window
from monitoring.calendar import Grain, begin, closed
from monitoring.exporting import Left, Windows, export, left_of

PORTFOLIO = "card_default"
TIMES = [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=11 * number) for number in range(180)]
CONTRACT = load(PORTFOLIO)


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_release):
    return make_release(tmp_path_factory.mktemp("exporting") / "made", PORTFOLIO, intercept=-2.0)


@pytest.fixture
def home(tmp_path, made):
    append(open_book(tmp_path / PORTFOLIO / "ledger"), entries(made, TIMES))
    return tmp_path / PORTFOLIO


def windows(home, grain=Grain.MONTH) -> Windows:
    return Windows(home / "windows", grain)


def exported(home, grain=Grain.MONTH, span=exporting.ALWAYS):
    book = open_book(home / "ledger")
    try:
        return export(book, CONTRACT, windows(home, grain), span)
    finally:
        book.close()


def bytes_of(home, grain=Grain.MONTH):
    return {path.name: path.read_bytes() for path in windows(home, grain).folder.iterdir()}


def spoil(home, statement, *values):
    """What somebody with the files could do, and without our triggers."""
    (path,) = (home / "ledger").glob("*.db")
    with closing(sqlite3.connect(path)) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)


@pytest.mark.parametrize("grain", list(Grain))
def test_every_decision_is_in_the_window_of_its_business_time_and_a_stage_can_read_it(home, made, grain):
    found = exported(home, grain)
    assert [one.start for one in found] == sorted({begin(at, grain) for at in TIMES})
    assert sum(one.decisions for one in found) == len(TIMES)
    for one in found:
        frame = window.read(one.path, CONTRACT, made, columns=tuple(window.schema(CONTRACT).names))
        assert {begin(at, grain) for at in frame["decided_at"]} == {one.start}
        assert frame["application_id"].equals(frame["decision_id"])
    assert pd.read_parquet(found[0].path)[[column.name for column in CONTRACT.inputs]].notna().to_numpy().mean() > 0.9


def test_equal_records_give_equal_bytes_and_a_second_export_touches_nothing(home, monkeypatch):
    monkeypatch.setattr(exporting, "AT_ONCE", 7)
    monkeypatch.setattr(exporting, "GROUP", 20)
    exported(home)
    before = bytes_of(home)
    times = {path: path.stat().st_mtime_ns for path in windows(home).folder.iterdir()}
    monkeypatch.setattr(exporting, "AT_ONCE", 50)
    exported(home, span=(datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)))
    exported(home)
    assert bytes_of(home) == before
    assert {path: path.stat().st_mtime_ns for path in windows(home).folder.iterdir()} == times
    assert {path.stat().st_mode & 0o777 for path in times} == {0o600}


def test_postgresql_gives_the_bytes_that_sqlite_gives(home, made, postgres, tmp_path):
    exported(home)
    book = open_book(tmp_path / "other" / PORTFOLIO / "ledger", postgres.make())
    append(book, entries(made, TIMES))
    export(book, CONTRACT, windows(tmp_path / "other"))
    book.close()
    assert bytes_of(tmp_path / "other") == bytes_of(home)


def test_a_span_exports_the_whole_windows_it_touches_and_no_other(home):
    found = exported(home, span=(datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)))
    assert [one.start for one in found] == [date(2026, 2, 1)]
    assert found[0].decisions == sum(at.month == 2 for at in TIMES)


def test_what_cannot_be_read_is_counted_and_named_by_its_entry_never_by_its_content(home, made):
    (at,) = [number for number, time in enumerate(TIMES) if time.month == 2][:1]
    names = [f"{made.id[:6]}-{at + place:05}" for place in (0, 2, 3)]
    spoil(home, "UPDATE entries SET body = ? WHERE id = ?", b'{"decision_id": "of a stranger"}', names[0])
    spoil(home, "UPDATE entries SET body = x'7b', salt = salt WHERE id = ?", names[1])
    spoil(home, "UPDATE entries SET body = x'', salt = x'' WHERE id = ?", names[2])
    append(open_book(home / "ledger"), [Entry("decision", "odd", canonical({"applicant_id": "somebody"}))])
    january, february, *_, last = exported(home)
    assert january.left == Left(altered=1, entries=(names[0],))
    assert february.left == Left(erased=1, altered=1, entries=(names[1],))
    assert last.left == Left(unreadable=1, entries=("odd",))
    assert sum(one.decisions for one in exported(home)) == len(TIMES) - 3
    assert left_of(february.path) == february.left
    assert february.left.said == f"1 erased, 1 altered since they were recorded (entries {names[1]})"
    assert b"stranger" not in b"".join(bytes_of(home).values())
    assert b"somebody" not in b"".join(bytes_of(home).values())


def test_a_record_of_which_all_was_erased_leaves_a_window_that_says_so(home):
    exported(home, Grain.DAY)
    spoil(home, "UPDATE entries SET body = x'', salt = x'' WHERE kind = 'decision'")
    (one,) = exported(home, Grain.DAY)
    assert (one.decisions, one.left) == (0, Left(erased=len(TIMES)))
    assert len(bytes_of(home, Grain.DAY)) == 1


def test_decisions_of_an_older_interface_lack_a_newer_input_and_those_of_another_kind_are_not_read(home, made):
    content = msgspec.json.decode(entries(made, TIMES[:1])[0].body)
    level = next(column.name for column in CONTRACT.inputs if not column.is_level)
    append(open_book(home / "ledger"), [
        Entry("decision", name, canonical({**content, "decision_id": name, "values": values}))
        for name, values in {"older": {}, "other": {level: "a text"}}.items()])
    found = exported(home)
    assert found[0].decisions == sum(at.month == 1 for at in TIMES) + 1
    assert sum(one.left.unreadable for one in found) == 1


def test_windows_are_closed_when_their_last_day_is_over():
    assert list(closed(date(2026, 1, 1), Grain.MONTH, datetime(2026, 3, 1, tzinfo=UTC))) == [date(2026, 1, 1), date(2026, 2, 1)]
    assert list(closed(date(2026, 1, 1), Grain.MONTH, datetime(2026, 2, 28, 23, tzinfo=UTC))) == [date(2026, 1, 1)]
    assert begin(datetime(2027, 1, 3, 23, tzinfo=UTC), Grain.WEEK) == date(2026, 12, 28)
