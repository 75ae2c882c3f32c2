"""What reports of a window stand on besides decisions: the check of stored values that speaks for it, the vault where one is due."""

from __future__ import annotations

import json
import sqlite3

import pytest
from decided import append

from governance import events
from governance.events import Actor, ColumnParity, ParityChecked
from governance.observations import MonitoringBreached, VaultRead


@pytest.fixture
def home(home_of_2023):
    return home_of_2023


@pytest.fixture
def check(home):
    """Puts a check into the record: of so many decisions from a day to another, some apart in the first stored column."""
    names = [column.name for table in home.mill.views for column in table.stored]

    def record(first, last, apart, came):
        columns = [ColumnParity(name, 600, hits, 0.13 if hits else 0.005, {"another value": hits} if hits else {})
                   for name, hits in zip(names, [apart] + [0] * len(names), strict=False)]
        said = ParityChecked(by=Actor("parity", "process"), at="", decisions=600, since="", confidence=0.95, columns=tuple(columns),
                             first=f"{first}T00:00:00+00:00", last=f"{last}T00:00:00+00:00", came_at=f"{came}T12:00:00+00:00")
        append(home.book, [events.entry(said, f"{first} to {last}")])
        return names[0]
    return record


def verdicts(home, *windows):
    return [home.report(window, "parity")["verdict"] for window in windows]


def test_a_check_is_judged_in_the_windows_it_compared_and_from_the_day_on_that_it_came(home, check):
    column = check("2023-01-05", "2023-01-20", 60, "2023-02-03")
    home.run("monitor", "--as-of", "2023-02-02")
    assert verdicts(home, "2023-01") == ["insufficient"]
    home.run("monitor", "--as-of", "2023-02-28")
    home.run("alerts")
    (concern,) = [one for one in home.report("2023-01", "summary")["concerns"] if one["kind"] == "parity"]

    assert verdicts(home, "2023-01", "2023-02") == ["alert", "insufficient"]
    assert (concern["subject"], concern["verdict"], concern["effect"], concern["owner"]) == (column, "alert", None, "features")
    assert ("2023-01", "parity") in {(one.window, one.report) for _, one in events.every(home.book.events())
                                     if isinstance(one, MonitoringBreached)}
    told = json.loads((home.reports / "verdict.json").read_bytes())["windows"][0]["reports"]
    assert [one["verdict"] for one in told if one["report"] == "parity"] == ["alert"]
    with sqlite3.connect(home.path / home.mill.name / "alerts.db") as journal:
        raised = [json.loads(row[0]) for row in journal.execute("SELECT alert FROM alerts")]
    assert [(one["subject"], one["owner"]) for one in raised if one["kind"] == "parity"] == [(column, "features")]


def test_a_check_of_later_decisions_does_not_speak_for_a_window_that_one_ended_in(home, check):
    check("2023-01-05", "2023-01-31", 60, "2023-01-31")
    check("2023-01-31", "2023-02-27", 0, "2023-02-27")
    home.run("monitor", "--as-of", "2023-02-28")
    assert verdicts(home, "2023-01", "2023-02") == ["alert", "ok"]


@pytest.mark.parametrize(("checks", "verdict"), [
    ([("2023-01-10", "2023-02-10", 60), ("2023-01-25", "2023-02-24", 0)], "alert"),
    ([("2023-01-25", "2023-02-24", 60), ("2023-01-10", "2023-02-10", 0)], "ok"),
    ([("2023-01-01", "2023-02-10", 60), ("2023-01-01", "2023-02-11", 0)], "ok"),
], ids=["the larger share before", "the larger share after", "of equal shares the newest"])
def test_where_no_check_ended_in_a_window_the_one_that_shares_most_of_it_counts(home, check, checks, verdict):
    for first, last, apart in checks:
        check(first, last, apart, "2023-02-26")
    home.run("monitor", "--as-of", "2023-02-28")
    assert verdicts(home, "2023-01") == [verdict]


def reads(home):
    return [(event.purpose, event.rows, event.by.name) for _, event in events.every(home.book.events()) if isinstance(event, VaultRead)]


def fill_vault(home):
    column = home.mill.protected[0]
    home.frame.head(900)[["decision_id"]].assign(**{column.name: list(column.group_names) * 450}).to_csv(home.path / "v.csv", index=False)
    home.run("vault", "import", home.path / "v.csv", now="2023-03-01T00:00:00+00:00")


def test_the_vault_is_read_for_reports_that_are_due_and_each_read_is_in_the_record(home):
    fill_vault(home)
    home.run("monitor", "--as-of", "2023-03-31")
    within = sum(home.frame["decided_at"] < "2023-02-01")
    assert reads(home) == [("monitoring of window 2023-01", within, "monitor"), ("monitoring of window 2023-02", 900 - within, "monitor")]
    assert sum(group["decisions"] for group in home.report("2023-01", "fairness")["attributes"][0]["groups"]) == within
    home.run("monitor", "--as-of", "2023-03-31")
    assert len(reads(home)) == 2
    assert not list((home.path / home.mill.name / "windows").glob(".draft*"))


def test_for_a_report_that_looks_at_nobodys_group_the_vault_is_not_read(home, check):
    fill_vault(home)
    home.run("monitor", "--as-of", "2023-03-31")
    before = reads(home)
    check("2023-01-05", "2023-01-20", 60, "2023-03-01")
    told = home.run("monitor", "--as-of", "2023-03-31")
    assert "2 reports made" in told  # parity, and the summary, which says what fairness found
    assert verdicts(home, "2023-01") == ["alert"]
    assert home.report("2023-01", "summary")["groups"] is not None
    assert reads(home) == before
