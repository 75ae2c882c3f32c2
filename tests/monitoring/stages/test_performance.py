"""Performance of the mill, through the real stage: figures for machines that are always the same bytes, and a page for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitoring.stages import performance

RECORD = Path("outcome-record.parquet")  # never read: the mill declares no early sign


@pytest.fixture
def run(at_home, tmp_path):
    def once(name):
        performance.main("mill", at_home.window, at_home.release, RECORD, tmp_path / f"{name}.json", tmp_path / f"{name}.html")
        return (tmp_path / f"{name}.json").read_bytes(), (tmp_path / f"{name}.html").read_text()
    return once


def test_the_same_window_gives_the_same_figures_and_a_page(run):
    figures, page = run("one")
    assert run("two")[0] == figures
    found = json.loads(figures)
    assert 0 < found["matured"] < found["decisions"]
    assert found["gini"] == found["performance"]["total"]["gini"]["value"]
    assert len(page) < 5_000_000


def test_months_whose_outcomes_are_too_young_are_said(run):
    found = json.loads(run("one")[0])
    young = [month["month"] for month in found["performance"]["months"] if not month["matured"]]
    assert young
    assert any("No outcome has matured yet" in sentence for sentence in found["found"])


def test_live_decisions_without_an_outcome_are_no_pass(at_home, exported, tmp_path):
    performance.main("mill", exported, at_home.release, RECORD, tmp_path / "live.json", tmp_path / "live.html")
    found = json.loads((tmp_path / "live.json").read_bytes())
    assert found["verdict"] == "insufficient"
    assert found["found"][0] == "**Performance cannot be measured: insufficient.** No outcome has matured."
    assert "narrower range of PDs" in found["reading"]
