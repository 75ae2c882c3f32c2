"""The summary of the mill, through the real stages: the same bytes again, findings in order of cost, and no report left out."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from borrowers import brought

from feature_repo.errors import DataError
from monitoring.stages import drift, fairness, performance, summary

REPORTS = ("drift", "performance", "fairness")


@pytest.fixture(scope="module")
def shifted(monitored, mill, tmp_path_factory):
    """The window with its amounts grown by half in the second part, and the reports on it."""
    folder = tmp_path_factory.mktemp("shifted")
    frame, window = pd.read_parquet(monitored.window).sort_values("decided_at"), folder / "window.parquet"
    late = frame.index[len(frame) // 2 :]
    grown = mill.requests[0].name
    frame.loc[late, grown] *= 1.5
    frame.to_parquet(window)
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(monitored.folder)
        drift.main("mill", window, monitored.release, folder / "drift.json", folder / "drift.html")
        performance.main("mill", window, monitored.release, folder / "none", folder / "performance.json", folder / "performance.html",
                         folder / "plots")
        fairness.main("mill", window, monitored.release, monitored.vault, folder / "fairness.json", folder / "fairness.html")
    return SimpleNamespace(window=window, folder=folder, column=grown)


@pytest.fixture
def run(at_home, shifted, tmp_path):
    def once(name):
        reports = [shifted.folder / f"{each}.json" for each in REPORTS]
        summary.main("mill", shifted.window, at_home.release, *reports, tmp_path / f"{name}.json", tmp_path / f"{name}.html")
        return (tmp_path / f"{name}.json").read_bytes(), (tmp_path / f"{name}.html").read_text()
    return once


def test_the_same_window_gives_the_same_figures_and_page(run):
    assert run("one") == run("two")


def test_what_shifted_is_told_with_what_it_costs_and_the_dearest_first(run, shifted):
    figures, page = run("one")
    found = json.loads(figures)
    told = [(one["subject"], one["part"]) for one in found["concerns"]]
    assert (shifted.column, "shift") in told
    costs = [abs(one["effect"]["value"]) for one in found["concerns"] if one["effect"]]
    assert costs == sorted(costs, reverse=True)
    assert all(one["owner"] and one["days"] for one in found["concerns"])
    assert found["loss_given_default"] == 0.45
    assert "Findings by their effect on expected loss" in page
    assert "None" not in page
    assert "nan" not in page


def test_every_column_that_a_report_flags_is_in_the_summary(run, shifted):
    columns = json.loads((shifted.folder / "drift.json").read_bytes())["columns"]
    flagged = {column["column"] for column in columns if {column["verdict"], column["quality"]} & {"watch", "alert"}}
    told = json.loads(run("one")[0])["concerns"]
    assert flagged == {one["subject"] for one in told if one["kind"] == "drift"}


def test_a_report_that_could_not_judge_is_named_and_is_no_pass(at_home, shifted, tmp_path):
    (tmp_path / "fairness.json").write_text('{"portfolio": "mill", "verdict": "insufficient", "found": ["No group is known."]}')
    summary.main("mill", shifted.window, at_home.release, shifted.folder / "drift.json", shifted.folder / "performance.json",
                 tmp_path / "fairness.json", tmp_path / "summary.json", tmp_path / "summary.html")
    assert "Not judged, which is not a pass: fairness." in json.loads((tmp_path / "summary.json").read_bytes())["found"][1]


def test_a_report_that_is_missing_is_named(at_home, shifted, tmp_path):
    with pytest.raises(DataError, match=r"drift.json cannot be read .*run the stage drift again"):
        summary.main("mill", shifted.window, at_home.release, tmp_path / "drift.json", shifted.folder / "performance.json",
                     shifted.folder / "fairness.json", tmp_path / "summary.json", tmp_path / "summary.html")
