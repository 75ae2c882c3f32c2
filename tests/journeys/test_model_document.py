"""The model document of a real run: nothing on it is typed, everything is as its source says, and it opens and prints."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import cited
import pytest

from training import citation, document
from training.citation import Cited

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--virtual-time-budget=5000", "--enable-logging=stderr")
LARGEST = 3_000_000
TYPED = {"SHA-256", "/v1/release", "26-2", "2026-13", "17", "2026", "11-7", "5(b", "2", "2027", "10", "11", "13", "15", "72"}


@pytest.fixture(scope="module")
def project(small_project):
    small_project.repro("document")
    return small_project


@pytest.fixture(scope="module")
def path(project):
    return project.path / "reports" / project.portfolio / "model.html"


@pytest.fixture(scope="module")
def page(project):
    return cited.require_document(project)


def test_every_value_is_what_its_source_says_and_a_changed_source_is_seen(project, page):
    files = cited.read(project)
    measures = files["release/measures.json"].cited_value
    changed = {**measures, "test": {**measures["test"], "gini": measures["test"]["gini"] + 0.01}}
    other = {**files, "release/measures.json": Cited(changed, "release/measures.json")}

    assert cited.stale(page, files) == []
    assert {line.partition(":")[0] for line in cited.stale(page, other)} == {"release/measures.json#/test/gini"}


def test_no_number_is_typed(page):
    """What is not cited is prose: the digits in it are those of rules and names, and of the release's own id."""
    words = re.sub(r"\s+", " ", " ".join(page.words))
    release = re.compile(r"\b[0-9a-f]{64}\b|[\w/-]+\.(?:json|csv|yaml)")
    digits = set(re.findall(r"\S*\d\S*", release.sub(" ", words)))

    assert {each.strip(".,;:()") for each in digits} - TYPED == set()


def test_it_shows_what_the_release_is_and_every_input_with_its_reason(project, page):
    shown = {pointer: text for pointer, _, text in page.values}
    contract = json.loads(project.data("evaluate", "release", "contract.json").read_text())
    texts = set(shown.values())

    assert json.loads(project.data("register", "card.json").read_text())["release_id"] in " ".join(page.words)
    assert {column["name"] for column in contract["inputs"]} <= texts
    assert {column["reason"] for column in contract["inputs"]} <= texts
    assert {rule["reason"] for rule in contract["rules"]} <= texts


def test_every_evidence_of_the_release_is_on_it(project, page):
    files = cited.read(project)
    named = {pointer.partition("#")[0] for pointer, _, _ in page.values}
    evidence = {f"release/{name}" for name in document.EVIDENCE} | set(document.unknown(files))

    assert {name for name in evidence & set(files) if files[name]} <= named


def test_it_opens_with_a_silent_console_fetches_nothing_and_is_small(path, tmp_path):
    browser = shutil.which("chromium")
    assert browser, "the document is opened in Chromium: apt-get install chromium"
    command = [browser, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{path}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    assert re.findall("CONSOLE.*", run.stderr) == []
    assert "<script" not in run.stdout
    assert re.findall(r'(?:src|href)="(?!#)', run.stdout) == []
    assert path.stat().st_size < LARGEST
    ids = re.findall(r'\bid="([^"]*)"', run.stdout)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', run.stdout)) <= set(ids)


def test_it_prints_on_numbered_pages(path, tmp_path):
    into = [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer"]
    subprocess.run([shutil.which("chromium"), *OPTIONS, *into, f"file://{path}"], capture_output=True, timeout=120, check=True)

    printed = (tmp_path / "page.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", printed)) > 8
    assert "counter(page)" in path.read_text()


def test_evidence_that_is_not_there_is_said_to_be_missing_and_evidence_nobody_knows_is_shown(project, tmp_path):
    files = {name: file for name, file in cited.read(project).items() if name != "release/monotonicity.json"}
    files["release/novel.json"] = Cited({"deep": {"share": 0.123456, "rows": [{"a": 1, "b": None}]}}, "release/novel.json")
    document.write(tmp_path / "model.html", portfolio=project.portfolio, release_id="0" * 64, files=files, digests={}, drawings={},
                   unknown=list(document.unknown(files)), missing=document.missing(files), dated=True)
    page = cited.Page((tmp_path / "model.html").read_text())

    assert "Proof of directions" in document.missing(files)
    assert "that the trained model obeys the declared directions." in " ".join(page.words)
    assert ("release/novel.json#/deep/share", "number", citation.formatted(0.123456, "number")) in page.values
    assert ("release/novel.json#/deep/rows/0/a", "count", "1") in page.values
