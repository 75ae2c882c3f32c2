"""The dashboard's workspace: a window is one run however often it is put, its tests are the verdicts, its metrics keep their identity."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from governance.limits import Verdict
from monitoring import workspace
from monitoring.timeline import Moment, Point


def moment(month, psi=0.1, verdict=Verdict.OK):
    return Moment(f"2023-{month:02d}", datetime(2023, month, 1, 12, tzinfo=UTC), "r1", (Point("any column", "highest PSI", psi),),
                  {"drift": verdict, "performance": Verdict.INSUFFICIENT})


@pytest.fixture
def runs(tmp_path):
    """The runs of the project, by window, as Evidently reads them."""
    def read():
        return {found["name"]: found for path in sorted(tmp_path.glob("*/snapshots/*.json")) if (found := json.loads(path.read_text()))}
    return read


def test_a_window_is_one_run_however_often_it_is_put(tmp_path, runs):
    assert workspace.put(tmp_path, "p", [moment(1), moment(2)]) == 2
    before = workspace.digest(tmp_path)
    assert workspace.put(tmp_path, "p", [moment(1), moment(2)]) == 0
    assert workspace.digest(tmp_path) == before
    assert sorted(runs()) == ["2023-01", "2023-02"]


def test_a_window_whose_figure_changed_is_written_anew_and_one_that_is_gone_is_gone(tmp_path, runs):
    workspace.put(tmp_path, "p", [moment(1), moment(2)])
    assert workspace.put(tmp_path, "p", [moment(2, psi=0.4)]) == 1
    assert list(runs()) == ["2023-02"]


def test_a_run_that_a_killed_run_left_by_halves_is_written_anew(tmp_path, runs):
    workspace.put(tmp_path, "p", [moment(1)])
    path = next(tmp_path.glob("*/snapshots/*.json"))
    path.write_text(path.read_text()[:100])
    assert workspace.put(tmp_path, "p", [moment(1)]) == 1
    assert list(runs()) == ["2023-01"]


def test_a_window_stands_at_its_first_day(tmp_path, runs):
    workspace.put(tmp_path, "p", [moment(3)])
    assert runs()["2023-03"]["timestamp"].startswith("2023-03-01")


def test_tests_are_the_verdicts_of_the_reports(tmp_path, runs):
    workspace.put(tmp_path, "p", [moment(1), moment(2, verdict=Verdict.WATCH), moment(3, verdict=Verdict.ALERT)])
    found = {window: {test["title"]: test["state"] for test in run["tests_widgets"][1]["params"]["tests"]}
             for window, run in runs().items()}
    assert found["2023-01"] == {"drift: ok": "success", "performance: insufficient": "error"}
    assert found["2023-02"]["drift: watch"] == "warning"
    assert found["2023-03"]["drift: alert"] == "fail"


def test_a_metric_is_the_same_metric_in_every_window(tmp_path, runs):
    workspace.put(tmp_path, "p", [moment(1), moment(2, psi=0.5, verdict=Verdict.ALERT)])
    first, second = (set(run["metric_results"]) for run in runs().values())
    assert first == second
