"""Performance of the mill, through the real stage: figures for machines that are always the same bytes, and a page for people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from projects import ROOT

from feature_repo.contract import days
from feature_repo.sources import Early
from governance.release import verify
from monitoring import window
from monitoring.stages import performance
from serving.scoring.parts import Policy

RECORD = Path("outcome-record.parquet")  # never read: the mill declares no early sign


@pytest.fixture
def run(at_home, tmp_path):
    def once(name):
        performance.main("mill", at_home.window, at_home.release, RECORD, tmp_path / f"{name}.json", tmp_path / f"{name}.html",
                         tmp_path / name)
        return (tmp_path / f"{name}.json").read_bytes(), (tmp_path / f"{name}.html").read_text()
    return once


def test_the_same_window_gives_the_same_figures_and_a_page(run):
    figures, page = run("one")
    assert run("two")[0] == figures
    found = json.loads(figures)
    assert 0 < found["matured"] < found["decisions"]
    assert found["gini"] == found["performance"]["total"]["gini"]["value"]
    assert len(page) < 5_000_000


def test_segments_of_the_contract_are_in_the_figures_and_on_the_page(run, mill):
    figures, page = run("one")
    found = json.loads(figures)["performance"]["segments"]
    assert {one["column"] for one in found} == set(mill.segments)
    assert sum(one["decisions"] for one in found) == json.loads(figures)["decisions"]
    assert all(f"{one['column']}: {one['value']}" in page for one in found)


def test_the_way_from_estimate_to_truth_is_a_table_that_dvc_draws(run, tmp_path):
    """Every vintage has its estimate; what outcomes showed stands beside it where they matured, the same figures as in the report."""
    found = json.loads(run("one")[0])
    drawn = pd.read_csv(tmp_path / "one" / "from_estimate.csv").set_index(["panel", "series", "label"])
    for span in found["estimate"]["spans"]:
        assert drawn.loc[("Gini", "estimated from PDs", span["month"]), "value"] == pytest.approx(span["estimated"]["gini"]["value"])
        assert (("bad rate", "realised", span["month"]) in drawn.index) is (span["bad_rate"] is not None)
    assert (drawn["low"] <= drawn["value"]).all()
    template = json.loads((ROOT / ".dvc" / "plots" / "from_estimate.json").read_text())
    axes = {"<DVC_METRIC_X>", "<DVC_METRIC_Y>", "rev"}
    assert {"panel", "series", "low", "high"} <= fields(template) <= {*axes, *drawn.reset_index().columns}


def fields(of):
    """Every column that a template draws."""
    below = of.values() if isinstance(of, dict) else of if isinstance(of, list) else ()
    own = {of["field"]} if isinstance(of, dict) and isinstance(of.get("field"), str) else set()
    return own.union(*(fields(each) for each in below))


def test_months_whose_outcomes_are_too_young_are_said(run):
    found = json.loads(run("one")[0])
    young = [month["month"] for month in found["performance"]["months"] if not month["matured"]]
    assert young
    assert any("No outcome has matured yet" in sentence for sentence in found["found"])


def test_live_decisions_without_an_outcome_are_no_pass(at_home, exported, tmp_path):
    performance.main("mill", exported, at_home.release, RECORD, tmp_path / "live.json", tmp_path / "live.html", tmp_path / "plots")
    found = json.loads((tmp_path / "live.json").read_bytes())
    assert found["verdict"] == "insufficient"
    assert found["found"][0] == "**Performance cannot be measured: insufficient.** No outcome has matured."
    assert "narrower range of PDs" in found["reading"]


def test_a_window_that_could_not_be_judged_as_a_whole_is_no_pass_though_a_band_is_ok(at_home, mill, tmp_path):
    """Of 300 good loans at PDs of 2% the best band is as its PDs say; without a bad one that says nothing of ranking, nor of the whole."""
    frame = pd.read_parquet(at_home.window).sort_values("decided_at")
    best = verify(at_home.release).read("policy.json", Policy).bands[0].name
    good = frame[window.matured(frame, mill)].tail(300).assign(pd=0.02, band=best, bad=0.0)
    pd.concat([good, frame.tail(1).assign(bad=float("nan"))]).to_parquet(tmp_path / "good.parquet")  # the newest, so that the others mature
    performance.main("mill", tmp_path / "good.parquet", at_home.release, RECORD, tmp_path / "p.json", tmp_path / "p.html", tmp_path)
    found = json.loads((tmp_path / "p.json").read_bytes())
    assert found["performance"]["bands"][0]["calibration_verdict"] == "ok"
    assert (found["matured"], found["bad"], found["outcomes_verdict"], found["verdict"]) == (300, 0, "insufficient", "insufficient")


def test_an_early_sign_above_the_pds_is_in_the_verdict_of_the_report_and_told_apart_from_outcomes(at_home, mill, tmp_path, monkeypatch):
    sign = Early(raw="x", yes=("y",), no=("n",), matures_after=days(1), meaning="a sack was lost in the first days")
    signed = replace(mill, outcome=replace(mill.outcome, early=sign))
    monkeypatch.setattr(performance, "load", lambda _: signed)
    monkeypatch.setattr(performance, "require_interface", lambda *_: None)  # of a release trained on a contract with the sign
    frame = pd.read_parquet(at_home.window)
    matured = pd.Series(window.matured(frame, mill))
    frame.assign(early=frame["bad"].where(matured, 1.0)).to_parquet(tmp_path / "record.parquet")
    performance.main("mill", at_home.window, at_home.release, tmp_path / "record.parquet", tmp_path / "p.json", tmp_path / "p.html",
                     tmp_path)
    found = json.loads((tmp_path / "p.json").read_bytes())
    assert found["early"]["young"]["verdict"] == "watch"
    assert (found["outcomes_verdict"], found["verdict"]) == ("ok", "watch")
