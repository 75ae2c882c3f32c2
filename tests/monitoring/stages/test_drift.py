"""Drift of the mill, through the real stage: figures for machines that are always the same bytes, and a page for people."""

from __future__ import annotations

import json

import msgspec
import pandas as pd
import pytest

from monitoring.stages import drift


@pytest.fixture
def run(at_home, tmp_path):
    def once(name):
        drift.main("mill", at_home.window, at_home.release, tmp_path / f"{name}.json", tmp_path / f"{name}.html")
        return (tmp_path / f"{name}.json").read_bytes(), (tmp_path / f"{name}.html").read_text()
    return once


def test_the_same_window_gives_the_same_figures_and_a_page(run, watched):
    figures, page = run("one")
    assert run("two")[0] == figures
    found = json.loads(figures)
    assert found["release_id"] == watched.release.id
    assert found["columns_in_alert"] + found["columns_to_watch"] <= len(found["columns"])
    assert found["limits"]["psi"]["alert"] == 0.25
    assert len(page) < 5_000_000
    assert all(column["column"] in page for column in found["columns"])


def test_a_month_under_the_minimum_is_named(run):
    found = json.loads(run("one")[0])
    few = [cell["month"] for cell in found["columns"][0]["months"] if cell["decisions"] < found["limits"]["minimum"]]
    assert few
    assert any("No verdict" in sentence and all(month in sentence for month in few) for sentence in found["found"])


def test_faults_the_door_and_what_moved_the_log_odds_are_told_beside_drift(run, watched):
    figures, page = run("one")
    found = json.loads(figures)
    months = [cell["month"] for cell in found["columns"][0]["months"]]
    assert found["quality_verdict"] == "ok"
    assert found["columns_with_faults"] == 0
    assert [door["month"] for door in found["doors"]] == months
    assert {each["column"] for each in found["attribution"]} == {column.name for column in watched.portfolio.inputs}
    assert [len(each["months"]) for each in found["attribution"]] == [len(months)] * len(watched.portfolio.inputs)
    assert sum(found["development"]["bands"].values()) == pytest.approx(1)
    assert all(title in page for title in ("Who came through the door", "What moved the log-odds of bad"))


def test_an_input_that_moved_the_log_odds_alone_is_in_the_verdict_of_the_report(at_home, watched, tmp_path, monkeypatch):
    """A model may weigh a little drift so much that the score moves: whoever reads the headline has to see that too."""
    frame, column = pd.read_parquet(at_home.window), watched.portfolio.requests[0].name
    frame.assign(**{column: frame[column] * 1.1}).to_parquet(tmp_path / "moved.parquet")
    params = msgspec.yaml.decode((at_home.folder / "params.yaml").read_bytes())
    params["drift"] |= {"minimum": 150, "psi": {"watch": 1.0, "alert": 1.0},
                        "attribution": {"shift": {"watch": 0.001, "alert": 0.002}, "sample": 2_000}}
    (tmp_path / "params.yaml").write_bytes(msgspec.yaml.encode(params))
    monkeypatch.chdir(tmp_path)
    drift.main("mill", tmp_path / "moved.parquet", at_home.release, tmp_path / "moved.json", tmp_path / "moved.html")
    found = json.loads((tmp_path / "moved.json").read_text())

    assert (found["drift_verdict"], found["quality_verdict"]) == ("ok", "ok")
    assert found["attribution_verdict"] == found["verdict"] == "alert"


def test_a_fault_of_data_alone_is_in_the_verdict_of_the_report(at_home, watched, tmp_path):
    """Few values of a level that development did not have alarm no PSI, and everybody who reads the headline has to see them."""
    frame = pd.read_parquet(at_home.window)
    column = next(column for column in watched.portfolio.raw_inputs if column.is_level)
    frame.loc[frame.index[::100], column.name] = "unheard of"
    frame.to_parquet(tmp_path / "faulty.parquet")
    drift.main("mill", tmp_path / "faulty.parquet", at_home.release, tmp_path / "faulty.json", tmp_path / "faulty.html")
    found = json.loads((tmp_path / "faulty.json").read_text())

    assert found["drift_verdict"] == "ok"
    assert found["quality_verdict"] == found["verdict"] == "watch"
