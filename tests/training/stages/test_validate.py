"""The validate stage: good data passes with the same bytes every time; a warning is said and stops nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from invented import brought

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, Severity
from feature_repo.errors import ParamsError
from feature_repo.portfolios import load
from training.stages import ingest, validate

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path, monkeypatch, data_dir):
    """A working directory with params.yaml and the ingested real file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_DATA_DIR", str(data_dir))
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    ingest.main("card_default", tmp_path / "ingest", tmp_path / "vault")
    return tmp_path


def run(home, out="validate"):
    validate.main("card_default", home / "ingest", home / "vault", home / out)
    return msgspec.json.decode((home / out / "verdict.json").read_bytes())


def test_the_real_file_keeps_every_promise_but_repeats_rows_and_the_verdict_and_its_report_are_the_same_each_time(home, capsys):
    first, second = run(home), run(home, "again")

    assert first["success"]
    assert first["failures"] == []
    assert [(each["rule"], each["count"], each["of"]) for each in first["warnings"]] == [("repeats", 35, 30_000)]
    assert first["rows"] == {load("card_default").applications.name: 30_000, "vault": 30_000}
    assert (home / "validate" / "verdict.json").read_bytes() == (home / "again" / "verdict.json").read_bytes()
    assert (home / "validate" / "docs" / "index.html").read_bytes() == (home / "again" / "docs" / "index.html").read_bytes()
    assert f"{first['checks']} checks passed" in capsys.readouterr().out
    assert first == second


def test_no_applicant_and_no_amount_of_the_real_file_is_in_the_report(home):
    run(home)
    docs = (home / "validate" / "docs" / "index.html").read_text()

    for amount in ("29239", "14027", "13559", "46990", "-165580", "964511"):
        assert amount not in docs
    assert APPLICANT_ID in docs
    assert EVENT_TIME in docs


def test_breaks_in_how_the_real_file_was_recorded_are_in_the_verdict_the_line_and_the_report(home, capsys):
    ingest.main("sba_504", home / "loans", home / "kept")
    capsys.readouterr()
    validate.main("sba_504", home / "loans", home / "kept", home / "verdict")

    printed, report = capsys.readouterr().out, (home / "verdict" / "docs" / "index.html").read_text()
    verdict = msgspec.json.decode((home / "verdict" / "verdict.json").read_bytes())
    breaks = [each for each in verdict["warnings"] if each["rule"] == "break"]
    assert [(each["count"], each["of"], each["seen"]) for each in breaks] == [
        (37_924, 54_805, "100% missing until 2001, 77% missing in 2002, 4% missing from 2003"),
        (16_850, 54_805, "55% missing until 1999, 33% missing in 2000, 0% missing from 2001")]
    assert next(each for each in verdict["warnings"] if each["rule"] == "repeats")["count"] == 7
    assert all(each["seen"] in printed and each["seen"] in report for each in breaks)
    assert verdict["success"]


def orchard_files(folder, steep):
    """An application every second day from 2017 until outcomes stop counting, the first ones too steep; the slope's severity is warn."""
    days = pd.date_range("2017-01-01", "2020-06-30", freq="2D")
    ends = np.random.default_rng(7).choice(["lost", "kept"], len(days), p=[0.4, 0.6])
    rows = [f"p{n} {day:%d.%m.%Y} g{n} {20 + n % 300} {'AP'[n % 2]} C {91 if n < steep else n % 60} 39 N x {ends[n]}"
            for n, day in enumerate(days)]
    (folder / "plots.txt").write_text("\n".join(rows) + "\n")
    harvests = [f"g{n};{day - pd.Timedelta(days=30):%Y-%m-%d} 00:00:00+0000;1.{n % 1000:03}" for n, day in enumerate(days)]
    (folder / "harvests.csv.gz").write_bytes(gzip.compress("\n".join(["grower;day;tönnen", *harvests]).encode("latin-1")))
    return len(days)


def test_a_column_of_severity_warn_goes_on_and_is_in_the_verdict(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TALLY_DATA_DIR", str(tmp_path))
    total = orchard_files(tmp_path, steep=3)
    with brought():
        ingest.main("orchard", home / "plots", home / "kept")
        validate.main("orchard", home / "plots", home / "kept", home / "verdict")
        slope = load("orchard").requests[-1]

    verdict = msgspec.json.decode((home / "verdict" / "verdict.json").read_bytes())
    assert slope.severity is Severity.WARN
    assert (verdict["success"], verdict["failures"]) == (True, [])
    assert {"table": "plots", "column": slope.name, "rule": "range", "count": 3, "of": total,
            "allowed": "allowed 0 to 90", "seen": "3 above"} in verdict["warnings"]
    assert f"outside the bounds: {slope.name} (3 of {total} rows" in capsys.readouterr().out


@pytest.mark.parametrize(("key", "value"), [("leakage_auc", 0.4), ("sample", 0), ("least_coverage", "half"), ("least_recent", 2),
                                            ("recent_days", 0), ("least_outcomes", 4),
                                            ("copy_auc", 2), ("missing_jump", 0), ("period_rows", 0), ("leek", 1)])
def test_params_that_make_no_sense_are_refused_by_name(home, key, value):
    params = msgspec.yaml.decode((home / "params.yaml").read_bytes())
    (home / "params.yaml").write_bytes(msgspec.yaml.encode({**params, "validate": {**params["validate"], key: value}}))

    with pytest.raises(ParamsError, match=key):
        run(home)
