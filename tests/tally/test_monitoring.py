"""`tally monitor --as-of`: every window once and in order, as its day could know it; what cannot be judged says so and stops nothing."""

from __future__ import annotations

import json
import re

import msgspec
import numpy as np
import pandas as pd
import pytest
from borrowers import brought
from decided import append
from decided import scored as recorded
from monitored import times

from feature_repo.contract import BAD
from feature_repo.errors import DataError, TallyError
from governance import events
from governance.ledger.entries import Entry, canonical
from governance.observations import MonitoringBreached
from monitoring.alerts.alert import REPORTED
from monitoring.assessors import ASSESSORS
from tally import monitoring

REPORTS = [one.name for one in ASSESSORS]


@pytest.fixture
def home(home_of_2023):
    return home_of_2023


def test_windows_are_caught_up_with_once_and_labels_count_as_of_the_day(home):
    january = home.frame[home.frame["decided_at"] < "2023-02-01"].dropna(subset=[BAD])
    home.outcomes("early.csv", january.head(300), "2023-04-25", "2023-05-01T00:00:00+00:00")
    told = home.run("monitor", "--as-of", "2023-05-01")
    assert "as of 2023-05-01: 4 windows of a month, 19 reports made" in told
    assert sorted(path.name for path in (home.reports / "monitoring").iterdir()) == ["2023-01", "2023-02", "2023-03", "2023-04"]
    first = home.report("2023-01", "performance")
    assert first["matured"] == sum(january.head(300)["decided_at"] <= pd.Timestamp("2023-01-25", tz="UTC"))
    assert any("seen until 2023-05-02" in sentence for sentence in first["found"])

    before, book = home.files(), len(list(home.book.events()))
    assert "0 reports made" in home.run("monitor", "--as-of", "2023-05-01")
    assert home.files() == before
    assert len(list(home.book.events())) == book

    home.outcomes("late.csv", january, "2023-06-01", "2023-06-02T00:00:00+00:00")
    assert "0 reports made" in home.run("monitor", "--as-of", "2023-05-01")
    assert home.files() == before
    home.run("monitor", "--as-of", "2023-06-30")
    assert home.report("2023-01", "performance")["matured"] == len(january)
    assert home.report("2023-02", "performance")["matured"] == 0
    assert home.files()["monitoring/2023-01/" + home.release.id[:12] + "/drift.json"] == before[
        "monitoring/2023-01/" + home.release.id[:12] + "/drift.json"]
    home.run("monitor", "--as-of", "2023-05-01")
    again = home.files()
    assert {name: again[name] for name in before if name.endswith(".json")} == {
        name: body for name, body in before.items() if name.endswith(".json")}


def test_every_report_is_issued_and_an_empty_window_says_so(home):
    home.run("monitor", "--as-of", "2023-05-01")
    issued = {event.report for _, event in events.every(home.book.events()) if isinstance(event, events.ReportIssued)}
    assert issued == {f"monitoring/{window}/{home.release.id[:12]}/{name}" for window in ("2023-01", "2023-02", "2023-04")
                      for name in REPORTS} | {"monitoring/2023-03/decisions"}
    empty = json.loads((home.reports / "monitoring" / "2023-03" / "decisions.json").read_bytes())
    assert empty["verdict"] == "insufficient"
    assert "No decision of mill from 2023-03-01 to 2023-03-31 is in the record." in empty["found"]
    verdict = json.loads((home.reports / "verdict.json").read_bytes())
    assert [one["window"] for one in verdict["windows"]] == ["2023-01", "2023-02", "2023-03", "2023-04"]
    assert {one["report"] for one in verdict["windows"][0]["reports"]} == set(REPORTS)


def test_each_report_in_alert_is_a_breach_in_the_record_once(home):
    column = next(column for column in home.mill.raw_inputs if not column.is_level)
    drifted = home.frame.head(600).assign(**{column.name: column.high}, decided_at=times("2023-05-02", "2023-05-25", 600))
    append(home.book, recorded(drifted.assign(decision_id="may " + drifted["decision_id"]), home.mill, home.release))
    home.run("monitor", "--as-of", "2023-05-31")
    verdict = json.loads((home.reports / "verdict.json").read_bytes())
    flagged = {(one["window"], made["report"]) for one in verdict["windows"] for made in one["reports"]
               if made["verdict"] == "alert" and made["report"] in REPORTED}
    home.run("monitor", "--as-of", "2023-05-31", "--again")
    said = [event for _, event in events.every(home.book.events()) if isinstance(event, MonitoringBreached)]

    assert ("2023-05", "drift") in flagged
    assert sorted((one.window, one.report) for one in said) == sorted(flagged)
    assert {one.release_id for one in said} == {home.release.id}


def test_alerts_are_of_the_newest_windows_and_owned_as_params_say(home):
    params = msgspec.yaml.decode((home.path / "params.yaml").read_bytes())
    rule = {"verdict": "insufficient", "severity": "note", "owner": "models", "days": 1}
    params["alerts"] = {"windows": 2, "rules": [rule], "silences": []}
    (home.path / "params.yaml").write_bytes(msgspec.yaml.encode(params))
    home.run("monitor", "--as-of", "2023-05-01")
    told = home.run("alerts")
    insufficient = [name for name in REPORTS if name in REPORTED and home.report("2023-04", name)["verdict"] == "insufficient"]
    standing = [line for line in (home.reports / "alerts.prom").read_text().splitlines() if line.startswith("tally_monitoring_alert{")]
    assert sorted(line.split('kind="')[1].split('"')[0] for line in standing) == sorted(insufficient) != []
    assert all('window="2023-04"' in line for line in standing)
    assert all(f"- {name} of the portfolio: no exit is set for its owner models" in told for name in insufficient)


def test_the_index_links_every_report_on_a_window_the_newest_first(home):
    from tally import pages

    home.run("monitor", "--as-of", "2023-03-31")
    (home.reports.parent / "soak").mkdir()  # measurements, and no page
    pages.write_index(home.reports.parent)
    index = (home.reports.parent / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 2 * len(REPORTS) + 1
    assert re.findall("<h2>([^<]+)", index) == [home.mill.name]
    assert all((home.reports.parent / link).is_file() for link in links)
    assert index.index("2023-03:") < index.index("2023-02:") < index.index("2023-01:")


def test_overrides_and_segments_are_in_the_report_with_a_minimum_sample(home):
    name = home.frame.loc[(home.frame["outcome"] == "decline").to_numpy(), "decision_id"].iloc[0]
    how = ("--outcome", "approve", "--code", "documents", "--reason", "seen")
    home.run("override", name, *how, who="ulla", now="2023-02-01T00:00:00+00:00")
    home.run("monitor", "--as-of", "2023-03-31")
    found = home.report("2023-01", "decisions")
    assert (found["overrides"]["low_side"]["hits"], found["overrides"]["codes"]) == (1, {"documents": 1})
    assert any("1 of" in sentence and "Overridden" in sentence for sentence in found["found"])
    grains = {one["value"]: one for one in found["segments"] if one["column"] == home.mill.segments[0]}
    assert sum(one["decisions"] for one in grains.values()) == found["decisions"]
    assert all((one["approved"] is None) == (one["decisions"] < 30) for one in grains.values())


def test_what_cannot_be_read_is_said_in_the_report_and_by_the_command(home):
    append(home.book, [Entry("decision", "odd", canonical({"decided_at": "yesterday"}))])
    told = home.run("monitor", "--as-of", "2023-05-01")
    assert "2023-04, decisions: not counted: 1 unreadable (entries odd)" in told
    assert any("1 unreadable (entries odd)" in sentence for sentence in home.report("2023-04", "decisions")["found"])


ODD = {  # month: what is odd, and the one outcome of all its decisions
    "2022-01": (lambda frame: frame.assign(sacks=np.nan, sacks_per_stone=np.nan), 0.0),
    "2022-02": (lambda frame: frame.assign(grain="chaff"), 1.0),
    "2022-03": (lambda frame: frame.assign(pd=0.2, margin=-1.4), 0.0),
    "2022-04": (lambda frame: frame.assign(outcome="decline"), 1.0),
}


def test_odd_windows_get_a_statement_and_never_a_crash(home):
    found = []
    for number, (month, (odd, outcome)) in enumerate(ODD.items()):
        frame = odd(home.frame.iloc[number * 250 : number * 250 + 250]).assign(**{BAD: outcome})
        found.append(frame.assign(decision_id=f"{month} " + frame["decision_id"], decided_at=times(f"{month}-02", f"{month}-25", 250)))
    frame = pd.concat(found)
    append(home.book, recorded(frame, home.mill, home.release))
    home.outcomes("o.csv", frame, "2022-09-01", "2022-10-01T00:00:00+00:00")
    home.run("monitor", "--as-of", "2022-10-31")
    for month in ODD:
        reports = {name: home.report(month, name) for name in REPORTS}
        assert "all matured outcomes are" in " ".join(reports["performance"]["found"]).lower()
        assert reports["performance"]["verdict"] != "ok"
        assert all(one["found"] and one["verdict"] for one in reports.values())
        assert [sentence for one in reports.values() for sentence in one["found"] if "a bug" in sentence] == []


def test_a_release_that_is_gone_and_a_bug_are_said_in_place_of_the_report_and_tried_again(home, monkeypatch):
    placed = home.path / home.mill.name / "releases" / home.release.id
    aside = placed.rename(placed.with_name("aside"))
    told = home.run("monitor", "--as-of", "2023-01-31")
    assert told.count("2023-01, ") == len(REPORTS)
    assert home.report("2023-01", "drift")["verdict"] == "insufficient"
    aside.rename(placed)

    def broken(portfolio, decisions, release, figures, report):
        raise ZeroDivisionError

    monkeypatch.setattr(monitoring, "ASSESSORS", [one._replace(judge=broken) if one.name == "drift" else one for one in ASSESSORS])
    told = home.run("monitor", "--as-of", "2023-01-31")
    assert "2023-01, drift: ZeroDivisionError at" in told
    assert home.report("2023-01", "performance")["portfolio"] == home.mill.name
    monkeypatch.undo()
    with brought():
        monkeypatch.chdir(home.path)
        for name, value in {"TALLY_HOME": str(home.path), "TALLY_PORTFOLIO": home.mill.name}.items():
            monkeypatch.setenv(name, value)
        assert "2 reports made" in home.run("monitor", "--as-of", "2023-01-31")  # the summary says anew what drift says
    assert "release_id" in home.report("2023-01", "drift")


def test_a_day_that_is_not_over_is_refused(home):
    with pytest.raises(DataError, match="2023-05-01 is not over"):
        home.run("monitor", "--as-of", "2023-05-01", now="2023-05-01T12:00:00+00:00")
    with pytest.raises(DataError, match="takes a day"):
        home.run("monitor", "--as-of", "someday")
    assert "as of 2023-01-31" in home.run("monitor", "--as-of", "yesterday", now="2023-02-01T03:00:00+00:00")


def test_nothing_decided_yet_is_said(home):
    told = home.run("monitor", "--as-of", "2022-12-31", "--grain", "day")
    assert "As of 2022-12-31 no window of a day has ended in which mill decided anything." in told


def test_two_runs_at_once_are_refused(home):
    from tally import windows

    with windows.alone(home.path / home.mill.name / "windows"), pytest.raises(TallyError, match="another run"):
        home.run("monitor", "--as-of", "2023-01-31")

