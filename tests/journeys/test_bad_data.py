"""Kinds of bad data, planted in raw files: each stops the run with exit code 1 and one line, and nothing goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo import wording
from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME, Application
from feature_repo.errors import run_stage
from feature_repo.portfolios import load
from feature_repo.verdict import Broken
from training.raw import RAW
from training.stages import ingest, validate

ROOT = Path(__file__).parents[2]
NAME = "consumer_loans"
PORTFOLIO = load(NAME)
LOANS, BUREAU, _ = PORTFOLIO.tables
ROWS = 4_000
CANARY, CANARY_NUMBER = "Jane-Canary-1971", 47_110_815.0


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A working directory in which ingest has made and read the raw files once."""
    home = tmp_path_factory.mktemp("simulated")
    params = msgspec.yaml.decode((ROOT / "params.yaml").read_bytes())
    params["ingest"]["rows"] = ROWS
    (home / "params.yaml").write_bytes(msgspec.yaml.encode(params))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        ingest.main(NAME, home / "ingest", home / "vault")
    return home


@pytest.fixture
def home(simulated, tmp_path, monkeypatch):
    """A copy of it to spoil."""
    shutil.copytree(simulated, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def number(check):
    """The first number column of the applications that fits."""
    return next(column for column in PORTFOLIO.requests if not column.is_level and check(column))


AMOUNT = number(lambda column: column.low >= 0 and not column.nullable and column.missing == ())
RESCALED = max((column for column in PORTFOLIO.requests if column.usual), key=lambda column: column.high / column.usual[1])
LEVEL = next(column for column in PORTFOLIO.requests if column.is_level and not column.other)
KEY = LOANS.select(Application)[0].raw


def some(value, rows=3):
    """Put `value` into the first rows of a column."""
    return lambda column: pd.Series([value] * rows + column.tolist()[rows:], index=column.index, dtype=object)


def copying(frame):
    bad = (frame[PORTFOLIO.outcome.raw] == PORTFOLIO.outcome.bad[0]).astype(float)
    return frame.assign(**{AMOUNT.raw: AMOUNT.usual[0] + 1_000 * bad + np.arange(len(frame)) % 10})


def rescaled(frame):
    factor = 3 * RESCALED.usual[1] / pd.to_numeric(frame[RESCALED.raw]).median()
    return frame.assign(**{RESCALED.raw: (pd.to_numeric(frame[RESCALED.raw]) * factor).clip(upper=RESCALED.high)})


def changed(name, change):
    return lambda frame: frame.assign(**{name: change(frame[name])})


FAULTS = {
    "wrong type": (changed(AMOUNT.raw, some(CANARY)), AMOUNT.name, "type", 3),
    "out of range": (changed(AMOUNT.raw, some(CANARY_NUMBER)), AMOUNT.name, "range", 3),
    "unseen level": (changed(LEVEL.raw, some(CANARY)), LEVEL.name, "level", 3),
    "nulls where none may be": (changed(AMOUNT.raw, some("")), AMOUNT.name, "not_null", 3),
    "duplicate key": (changed(KEY, some(CANARY)), APPLICATION_ID, "unique", 3),
    "future date": (changed(LOANS.time.raw, some("2999-12-31")), EVENT_TIME, "future", 3),
    "negative amount": (changed(AMOUNT.raw, some(-CANARY_NUMBER, 2)), AMOUNT.name, "range", 2),
    "unit change": (rescaled, RESCALED.name, "usual_median", ROWS),
    "truncated file": (lambda frame: frame.head(900), "", "row_count", 900),
    "file truncated at a row's end": (lambda frame: frame.head(ROWS * 4 // 5), EVENT_TIME, "recent", 0),
    "extra column": (lambda frame: frame.assign(surprise=CANARY), "surprise", "undeclared_column", ROWS),
    "missing column": (lambda frame: frame.drop(columns=AMOUNT.raw), AMOUNT.name, "missing_column", ROWS),
    "copied outcome": (copying, AMOUNT.name, "copy", None),
    "unknown outcome": (changed(PORTFOLIO.outcome.raw, some(CANARY)), BAD, "type", 3),
}


def spoil(change):
    path = RAW / NAME / LOANS.file
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def stage(module, home, monkeypatch, *names):
    """The stage as its command runs it: exit code, what was printed."""
    monkeypatch.setattr(sys, "argv", [module.__name__, NAME, *(str(home / name) for name in names)])
    try:
        run_stage(module.main)
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_data_stops_the_run_with_one_line_that_says_what_and_where(home, monkeypatch, capsys, fault):
    change, column, rule, count = FAULTS[fault]
    spoil(change)
    assert stage(ingest, home, monkeypatch, "ingest", "vault") == 0, "ingest never judges"
    capsys.readouterr()

    code, (out, err) = stage(validate, home, monkeypatch, "ingest", "vault", "validate"), capsys.readouterr()

    verdict = msgspec.json.decode((home / "validate" / "verdict.json").read_bytes())
    broken = next(each for each in verdict["failures"] if (each["column"], each["rule"]) == (column, rule))
    assert code == 1
    assert out == ""
    assert err.count("\n") == 1
    assert not verdict["success"]
    (sentence, _), *_ = wording.sentences([Broken(**broken)])
    assert sentence in err
    assert (f"{broken['count']} of {broken['of']} rows" in sentence) != (rule in wording.ROWLESS)
    assert count in (None, broken["count"])
    assert str(home / "validate" / "docs" / "index.html") in err
    assert_no_canary(home, err)


def assert_no_canary(home, err):
    paths = [home / "ingest" / "ingest.json", *(path for path in (home / "validate").rglob("*") if path.is_file())]
    for text in [err, *(path.read_text() for path in paths)]:
        for canary in (CANARY, "47110815", "47,110,815", "4.711"):
            assert canary not in text


def test_a_file_cut_off_in_a_row_stops_ingest_with_the_row(home, monkeypatch, capsys):
    path = RAW / NAME / LOANS.file
    lines = path.read_text().splitlines()[:1_000]
    path.write_text("\n".join([*lines, lines[-1][:20]]))

    assert stage(ingest, home, monkeypatch, "ingest", "vault") == 1
    err = capsys.readouterr().err
    assert f"{LOANS.file}, row 1001" in err
    assert err.count("\n") == 1


def test_a_parquet_file_without_its_end_stops_ingest(home, monkeypatch, capsys):
    path = RAW / NAME / BUREAU.file
    path.write_bytes(path.read_bytes()[:-100])

    assert stage(ingest, home, monkeypatch, "ingest", "vault") == 1
    assert BUREAU.file in capsys.readouterr().err


def test_a_stored_table_that_stops_early_is_found_though_every_row_of_it_is_good(home, monkeypatch, capsys):
    path = RAW / NAME / BUREAU.file
    rows = pd.read_parquet(path)
    rows[rows[BUREAU.time.raw] <= rows[BUREAU.time.raw].quantile(0.7)].to_parquet(path)
    ingest.main(NAME, home / "ingest", home / "vault")

    assert stage(validate, home, monkeypatch, "ingest", "vault", "validate") == 1
    assert f"coverage: rows reach some of the applications only: {BUREAU.name} (" in capsys.readouterr().err


def test_a_warning_lets_the_run_go_on_and_is_in_the_verdict_and_the_line(home, monkeypatch, capsys):
    spoil(changed(AMOUNT.raw, some(AMOUNT.usual[1] + 1, 7)))
    ingest.main(NAME, home / "ingest", home / "vault")
    before = msgspec.json.decode((home / "ingest" / "ingest.json").read_bytes())["tables"][LOANS.name]["rows"]

    assert stage(validate, home, monkeypatch, "ingest", "vault", "validate") == 0
    verdict = msgspec.json.decode((home / "validate" / "verdict.json").read_bytes())
    warned = {each["column"]: each for each in verdict["warnings"] if each["rule"] == "usual"}
    assert verdict["success"]
    assert {each["rule"] for each in verdict["warnings"]} == {"usual"}, "a clean history has no breaks, and no honest input leaks"
    assert warned[AMOUNT.name]["count"] >= 7
    assert before == ROWS
    assert f"unusual values: {AMOUNT.name} (" in capsys.readouterr().out


def test_the_real_command_says_it_in_one_line_too(home):
    spoil(changed(AMOUNT.raw, some(CANARY)))
    ingest.main(NAME, home / "ingest", home / "vault")
    command = [sys.executable, "-m", "training.stages.validate", NAME, "ingest", "vault", "validate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONWARNINGS": ""})

    assert done.returncode == 1
    said = f"{NAME}: {LOANS.name}: cannot be read as a number: {AMOUNT.name} (3 of {ROWS} rows, under 0.1%; 1 distinct text). "
    assert done.stderr.startswith(f"DataError: {said}")
    assert done.stderr.endswith("; report: validate/docs/index.html\n")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
