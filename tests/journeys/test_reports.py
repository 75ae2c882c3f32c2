"""The reports, their summary and the dashboard opened in a real browser, wide and narrow: they draw, they say the key figures, and the
console stays silent.

A report forbids itself every fetch by its Content-Security-Policy, so one that tried would be heard on the console.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from borrowers import brought

from monitoring import reports, timeline, workspace
from monitoring.stages import baseline, drift, fairness, performance, summary
from tally import operations, processes, servers

STAGES = ("drift", "performance", "fairness")
PAGES = (*STAGES, "summary")
WIDE, NARROW = 1400, 800
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--virtual-time-budget=10000", "--enable-logging=stderr")
MEASURE = "<script>setTimeout(() => document.body.append('WIDTH' + document.documentElement.scrollWidth + 'WIDTH'), 5000)</script>"


@pytest.fixture(scope="module")
def written(mill_model: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports on the mill's window, and their summary."""
    at, folder = mill_model, tmp_path_factory.mktemp("reports")
    window, figures = folder / "window.parquet", [folder / f"{name}.json" for name in STAGES]
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(at.evaluate.parent)
        baseline.main("mill", at.assemble, at.split, at.release, folder)
        drift.main("mill", window, at.release, folder / "drift.json", folder / "drift.html")
        performance.main("mill", window, at.release, folder / "record", folder / "performance.json", folder / "performance.html",
                         folder / "plots")
        fairness.main("mill", window, at.release, at.vault, folder / "fairness.json", folder / "fairness.html")
        summary.main("mill", window, at.release, *figures, folder / "summary.json", folder / "summary.html")
    return folder


@pytest.fixture(scope="module")
def opened(written: Path) -> dict[str, SimpleNamespace]:
    """Per page: figures, the text a reader sees, how many plots were drawn, what the console said."""
    return {name: SimpleNamespace(figures=json.loads((written / f"{name}.json").read_bytes()),
                                  **look(f"file://{written}/{name}.html", written, WIDE)) for name in PAGES}


@pytest.fixture(scope="module")
def dashboard(written: Path) -> Iterator[str]:
    """The address of the mill's project in Evidently's interface, started and ended as `tally monitor` and `tally stop` do."""
    folder, run = written / "evidently", written / "run"
    workspace.put(folder, "mill", timeline.by_month(written))
    with socket.socket() as probe, pytest.MonkeyPatch.context() as patch:
        probe.bind(("127.0.0.1", 0))
        patch.setenv("TALLY_DASHBOARD_PORT", str(probe.getsockname()[1]))
        server = servers.dashboard(folder, workspace.digest(folder))
    yield f"{processes.ensure(server, run)}/projects/{next(path.name for path in folder.iterdir() if path.is_dir())}"
    assert processes.stop(run, "dashboard")


def look(address: str, profile: Path, width: int) -> dict[str, object]:
    browser = shutil.which("chromium")
    assert browser, "the reports are opened in Chromium: apt-get install chromium"
    command = [browser, *OPTIONS, f"--window-size={width},2000", f"--user-data-dir={profile / 'profile'}", "--dump-dom", address]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", run.stdout[run.stdout.index("<body") :], flags=re.DOTALL)
    plain = html.unescape(re.sub(r"<[^>]+>", " ", body))
    return {"text": words(plain), "plain": plain, "plots": body.count('class="main-svg"'), "console": re.findall("CONSOLE.*", run.stderr)}


def words(text: str) -> str:
    """Letters, figures and signs alone: markup and line breaks apart."""
    return "".join(text.replace("**", "").split())


@pytest.mark.parametrize("stage", STAGES)
def test_it_draws_and_the_console_stays_silent(opened, stage):
    assert opened[stage].console == []
    assert opened[stage].plots >= 2


@pytest.mark.parametrize("name", PAGES)
def test_its_figures_are_figures_and_it_is_small(opened, written, name):
    assert not re.findall(r"\b(?:NaN|nan|undefined|Infinity)\b", opened[name].plain)
    assert opened[name].console == []
    assert (written / f"{name}.html").stat().st_size < 5_000_000


@pytest.mark.parametrize("name", PAGES)
def test_in_a_narrow_window_it_does_not_run_out_of_it(written, tmp_path, name):
    page = (written / f"{name}.html").read_text()
    open_to_scripts = re.sub("default-src 'none'; style-src", "default-src 'none'; script-src 'unsafe-inline'; style-src", page)
    (tmp_path / "page.html").write_text(open_to_scripts.replace("</body>", f"{MEASURE}</body>", 1))
    seen = look(f"file://{tmp_path}/page.html", tmp_path, NARROW)
    assert int(seen["plain"].split("WIDTH")[1]) <= NARROW
    assert seen["console"] == []


def test_the_summary_says_what_changed_how_sure_what_it_costs_and_what_to_do(opened):
    page = opened["summary"]
    for sentence in page.figures["found"]:
        question, said = sentence.removeprefix("**").split(":** ", 1)
        assert words(question) in page.text
        assert words(said) in page.text
    lent = page.figures["lent"]
    assert words(f"{lent['approved']:,} of {lent['decisions']:,} applications were approved") in page.text
    assert all(words(one["subject"].replace("_", " ")) in page.text for one in page.figures["concerns"][:8])


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_dashboard_draws_every_panel_over_the_windows(dashboard, written, tmp_path, width):
    seen, titles = look(dashboard, tmp_path, width), [panel.title for panel in workspace._drawn(timeline.by_month(written))]
    assert len(titles) >= 4
    assert [title for title in titles if title not in seen["plain"]] == []
    assert seen["console"] == []
    assert "NaN" not in seen["plain"]


def test_the_index_links_to_the_dashboard_where_it_runs_and_says_what_starts_it_where_it_does_not(dashboard, written, tmp_path):
    for run, links in ((written / "run", [dashboard.partition("/projects")[0]]), (tmp_path / "run", [])):
        operations.index(SimpleNamespace(reports=tmp_path / "reports", run=run))
        page = (tmp_path / "reports" / "index.html").read_text()
        assert re.findall(r'href="([^"]+)"', page) == links
        assert "make monitor</code> starts it" in page


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
    assert any("Content Security Policy" in said for said in look(f"file://{page}", tmp_path, WIDE)["console"])
