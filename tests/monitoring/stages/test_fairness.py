"""Fairness of the mill, through the real stage: figures for machines that are always the same bytes, and a page for people."""

from __future__ import annotations

import json

import pytest

from monitoring.stages import fairness


@pytest.fixture
def run(at_home, tmp_path):
    def once(name):
        fairness.main("mill", at_home.window, at_home.release, at_home.vault, tmp_path / f"{name}.json", tmp_path / f"{name}.html")
        return (tmp_path / f"{name}.json").read_bytes(), (tmp_path / f"{name}.html").read_text()
    return once


def test_the_same_window_gives_the_same_figures_and_a_page(run, mill):
    figures, page = run("one")
    assert run("two")[0] == figures
    found = json.loads(figures)
    assert [one["attribute"] for one in found["attributes"]] == [column.name for column in mill.protected]
    assert found["attributes"][0]["development"].keys() >= set(mill.protected[0].group_names) - {mill.protected[0].reference}
    assert len(page) < 5_000_000


def test_decisions_the_vault_knows_no_group_of_are_said(run):
    found = json.loads(run("one")[0])
    assert found["attributes"][0]["unknown"] > 0
    assert any("left out" in sentence for sentence in found["found"])


def test_live_decisions_without_a_vault_are_no_pass(at_home, exported, tmp_path):
    fairness.main("mill", exported, at_home.release, at_home.vault, tmp_path / "live.json", tmp_path / "live.html")
    found = json.loads((tmp_path / "live.json").read_bytes())
    assert found["verdict"] == "insufficient"
    assert found["found"][0].startswith("**Fairness: insufficient.** No decision of this window has protected attributes in the vault")
    assert {one["unknown"] for one in found["attributes"]} == {found["decisions"]}
