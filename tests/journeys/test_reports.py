"""The three reports opened in a real browser: they draw, they say the key figures, and the console stays silent.

A report forbids itself every fetch by its Content-Security-Policy, so one that tried would be heard on the console.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from borrowers import brought

from monitoring import reports
from monitoring.stages import baseline, drift, fairness, performance

STAGES = ("drift", "performance", "fairness")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--virtual-time-budget=10000", "--window-size=1400,2000",
           "--enable-logging=stderr")


@pytest.fixture(scope="module")
def opened(mill_model: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimpleNamespace]:
    """Per report: figures, the text a reader sees, how many plots were drawn, what the console said."""
    at, folder = mill_model, tmp_path_factory.mktemp("reports")
    window = folder / "window.parquet"
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(at.evaluate.parent)
        baseline.main("mill", at.assemble, at.split, at.release, folder)
        drift.main("mill", window, at.release, folder / "drift.json", folder / "drift.html")
        performance.main("mill", window, at.release, folder / "record", folder / "performance.json", folder / "performance.html")
        fairness.main("mill", window, at.release, at.vault, folder / "fairness.json", folder / "fairness.html")
    figures = {stage: json.loads((folder / f"{stage}.json").read_bytes()) for stage in STAGES}
    return {stage: SimpleNamespace(figures=figures[stage], **look(folder / f"{stage}.html")) for stage in STAGES}


def look(page: Path) -> dict[str, object]:
    browser = shutil.which("chromium")
    assert browser, "the reports are opened in Chromium: apt-get install chromium"
    command = [browser, *OPTIONS, f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", f"file://{page}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", run.stdout[run.stdout.index("<body") :], flags=re.DOTALL)
    text = words(html.unescape(re.sub(r"<[^>]+>", " ", body)))
    return {"text": text, "plots": body.count('class="main-svg"'), "console": re.findall("CONSOLE.*", run.stderr)}


def words(text: str) -> str:
    """Letters, figures and signs alone: markup and line breaks apart."""
    return "".join(text.replace("**", "").split())


@pytest.mark.parametrize("stage", STAGES)
def test_it_draws_and_the_console_stays_silent(opened, stage):
    assert opened[stage].console == []
    assert opened[stage].plots >= 2


@pytest.mark.parametrize("stage", STAGES)
def test_it_says_what_was_found(opened, stage):
    for sentence in opened[stage].figures["found"]:
        assert words(sentence.removeprefix("- ")) in opened[stage].text


def test_the_drift_report_shows_every_column_with_its_worst_month(opened):
    for column in opened["drift"].figures["columns"]:
        judged = [cell for cell in column["months"] if cell["verdict"] != "insufficient"] or column["months"]
        peak = max(judged, key=lambda cell: cell["psi"])
        assert f"{column['column']}{column['kind']}{column['verdict']}" in opened["drift"].text
        assert f"{peak['month']}{peak['decisions']}{peak['psi']:.3f}" in opened["drift"].text


def test_the_performance_report_shows_every_month(opened):
    for month in opened["performance"].figures["performance"]["months"]:
        share = f"{month['matured'] / month['decisions']:.1%}"
        assert f"{month['month']}{month['decisions']}{month['matured']}{share}{month['bad']}" in opened["performance"].text


def test_the_performance_report_leads_from_estimate_to_truth(opened):
    for span in opened["performance"].figures["estimate"]["spans"]:
        share = f"{span['matured'] / span['decisions']:.1%}"
        assert f"{span['month']}{span['on_book']}{span['decisions']}{span['matured']}{share}{span['bad']}" in opened["performance"].text
    assert "Fromestimatetotruth:Giniandbadratebymonthofdecision" in opened["performance"].text
    assert "estimatedfromPDs" in opened["performance"].text


def test_the_fairness_report_shows_every_group_with_its_ratio(opened):
    for attribute in opened["fairness"].figures["attributes"]:
        for group in attribute["groups"]:
            assert words(f"{group['group']}{group['decisions']}{group['approval_rate']['value']:.2f}") in opened["fairness"].text
            if group["adverse_impact"]:
                assert f"{group['adverse_impact']['value']:.3f}(" in opened["fairness"].text
    assert "29CFR1607.4(D)" in opened["fairness"].text


def test_a_report_that_would_fetch_is_heard(tmp_path):
    """The silence above means something: the same policy, broken once."""
    page = tmp_path / "page.html"
    page.write_text(f"<html>{reports.HEAD.format(reports.POLICY, 't', '')}</head><body><img src='http://127.0.0.1:9/x.png'></body></html>")
    assert any("Content Security Policy" in said for said in look(page)["console"])
