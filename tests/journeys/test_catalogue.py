"""The catalogue opened in a real browser: every column once, the figures those of the data, nobody's value, and a silent console."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from borrowers import borrowers, brought, write_inputs, write_params
from invented import invented
from sklearn.metrics import roc_auc_score
from viewed import featurized

from feature_repo.contract import BAD, Input
from training.stages import catalogue, split

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--virtual-time-budget=5000", "--enable-logging=stderr")
ROWS = 5_000


@pytest.fixture(scope="module")
def opened(mill, tmp_path_factory):
    """The stage's figures, its page as Chromium has it, the console, and the frame with the development part's rows."""
    folder = tmp_path_factory.mktemp("catalogue")
    at = SimpleNamespace(**{name: folder / name for name in ("assemble", "validate", "vault")})
    frame = borrowers(mill, ROWS)
    write_inputs(at, mill, frame)
    write_params(folder / "params.yaml", {})
    tables = {table.name: {"rows": ROWS, "sha256": "0" * 64, "missing": {column.name: 0.05 for column in table.select(Input)}}
              for table in mill.tables}
    featurized(mill, invented(mill, ["p"]), folder / "featurize")
    (folder / "ingest.json").write_text(json.dumps({"tables": tables}))
    figures, page = folder / "catalogue.json", folder / "catalogue.html"
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        split.main("mill", at.assemble, folder / "split")
        catalogue.main("mill", folder / "ingest.json", at.validate / "verdict.json", folder / "featurize", at.assemble, folder / "split",
                       at.vault, figures, page)
    parts = pd.read_parquet(folder / "split" / "parts.parquet")
    develops, makes = (parts["period"] == "development").to_numpy(), (parts["part"] == "development").to_numpy()
    return SimpleNamespace(figures=json.loads(figures.read_bytes()), page=page, applied=frame[develops], made=frame[makes], frame=frame,
                           vault=pd.read_parquet(at.vault / "protected.parquet"), **look(page))


def look(page):
    browser = shutil.which("chromium")
    assert browser, "the catalogue is opened in Chromium: apt-get install chromium"
    command = [browser, *OPTIONS, f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", f"file://{page}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    articles = re.findall(r'<article[^>]*data-column="([^"]*)"[^>]*>(.*?)</article>', run.stdout, re.DOTALL)
    sections = {name: text_of(body) for name, body in articles}
    named = re.findall(r'data-column="([^"]*)"', run.stdout)
    return {"dom": run.stdout, "sections": sections, "named": named, "console": re.findall("CONSOLE.*", run.stderr)}


def text_of(body):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def entry(opened, name):
    (found,) = [column for sheet in opened.figures["tables"] for column in sheet["columns"] if column["name"] == name and column["figures"]]
    return found["figures"]


def test_it_opens_with_a_silent_console_and_is_small(opened):
    assert opened.console == []
    assert opened.page.stat().st_size < 2_000_000
    assert "<script" not in opened.dom
    assert re.findall(r'(?:src|href)="(?!#)', opened.dom) == []


def test_every_column_of_the_contract_is_on_it_once(opened, mill):
    inputs = [column.name for column in (*mill.inputs, *mill.protected)]
    ids = re.findall(r'\bid="([^"]*)"', opened.dom)

    assert sorted(opened.sections) == sorted(inputs)
    assert [name for name in opened.named if name in inputs] == [name for name in dict.fromkeys(opened.named) if name in inputs]
    assert len(ids) == len(set(ids))
    assert len(opened.named) == sum(len(table.columns) for table in mill.tables) + len(mill.derived_columns) + 3  # two times, the outcome
    assert set(re.findall(r'href="#([^"]*)"', opened.dom)) <= set(ids)


def test_missing_rates_are_those_of_the_applications(opened, mill):
    for column in mill.inputs:
        missing = opened.applied[column.name].isna().mean()
        assert entry(opened, column.name)["missing"] == pytest.approx(missing, abs=1e-6)
        assert f"missing {missing:.2%} of applicants" in opened.sections[column.name]


def test_the_information_value_and_the_auc_are_those_of_the_development_outcomes(opened):
    made, figures = opened.made, entry(opened, "ice_days")
    cuts = opened.applied["ice_days"].dropna().quantile(np.arange(1, 10) / 10, interpolation="lower").to_numpy()
    at = np.where(made["ice_days"].isna(), 99, np.digitize(made["ice_days"], cuts))
    counted = pd.crosstab(at, made[BAD].to_numpy())
    shares = counted / counted.sum()
    value = float(((shares[1.0] - shares[0.0]) * np.log(shares[1.0] / shares[0.0])).sum())
    there = made.dropna(subset="ice_days")

    assert figures["information"] == pytest.approx(value, abs=0.003)  # a quantile may lie one row further
    assert figures["auc"] == pytest.approx(roc_auc_score(there[BAD], there["ice_days"]), abs=0.02)  # and this leaves the missing out
    assert f"information value {figures['information']:.3f}" in opened.sections["ice_days"]
    assert f"AUC alone {figures['auc']:.3f}" in opened.sections["ice_days"]
    assert "direction observed agrees" in opened.sections["ice_days"]


def test_a_level_shows_its_bad_rate(opened):
    for level, rows in opened.made.groupby("grain"):
        assert re.search(rf"\b{level} \S+ {len(rows):,} {rows[BAD].mean():.1%}", opened.sections["grain"])


def test_groups_are_counted_and_their_reference_named(opened):
    counts = opened.vault["guild"].fillna("not stated").value_counts()

    for group in ("town reference", "country", "not stated"):
        assert f"{group} {counts[group.split(' ref')[0]]:,}" in opened.sections["guild"]


def test_rules_and_formulas_are_shown_as_they_are_computed(opened):
    shown = text_of(opened.dom)

    assert "ice_days > 190" in shown
    assert "formula sacks / stones" in opened.sections["sacks_per_stone"]


def test_no_persons_value_and_no_key_is_on_it(opened, mill):
    text = json.dumps(opened.figures) + opened.dom
    numbers = [column for column in mill.raw_inputs if not column.is_level]
    extremes = {f"{value:.6g}" for column in numbers for value in opened.frame[column.name].agg(["min", "max"])}
    told = {f"{each:g}" for column in numbers for each in (column.low, column.high, *column.special)}

    assert not re.search(r"\b[ap]\d{6}\b", text)
    assert [value for value in extremes - told if re.search(rf"(?<![\d.]){re.escape(value)}(?!\d)", text)] == []


def test_it_prints(opened, tmp_path):
    into = [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}"]
    subprocess.run([shutil.which("chromium"), *OPTIONS, *into, f"file://{opened.page}"], capture_output=True, timeout=120, check=True)

    assert (tmp_path / "page.pdf").stat().st_size > 20_000
