"""The ingest stage: real files to the platform's columns, the same bytes every time, and one line where it cannot."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, Applicant
from feature_repo.errors import DataError, ParamsError, run_stage
from feature_repo.portfolios import load
from feature_repo.pushed import Pushed, append
from training.pushes import journal
from training.raw import RAW
from training.stages import ingest

ROOT = Path(__file__).parents[3]
ROWS = 2_000


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working directory with params.yaml."""
    monkeypatch.chdir(tmp_path)
    params = msgspec.yaml.decode((ROOT / "params.yaml").read_bytes())
    params["ingest"]["rows"] = ROWS
    (tmp_path / "params.yaml").write_bytes(msgspec.yaml.encode(params))
    return tmp_path


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_card_default_comes_whole_with_the_documented_default_rate(home, data_dir, monkeypatch):
    monkeypatch.setenv("TALLY_DATA_DIR", str(data_dir))
    ingest.main("card_default", home / "ingest", home / "vault")

    table = load("card_default").applications
    frame = pd.read_parquet(home / "ingest" / f"{table.name}.parquet")
    assert len(frame) == frame[APPLICATION_ID].nunique() == 30_000
    assert frame[BAD].sum() == 6_636
    described = msgspec.json.decode((home / "ingest" / "ingest.json").read_bytes())["tables"][table.name]
    assert described["sha256"] in table.sha256
    assert described["undeclared"] == []
    assert set(described["missing"].values()) == {0.0}


def test_a_simulated_portfolio_is_made_where_its_raw_files_belong_and_read_the_same_each_time(home):
    for run in ("first", "second"):
        ingest.main("consumer_loans", home / run / "ingest", home / run / "vault")

    assert files(home / "first") == files(home / "second")
    portfolio = load("consumer_loans")
    written = {path.stem for path in (home / "first" / "ingest").glob("*.parquet")}
    assert written == {*(table.name for table in portfolio.tables), "outcome-record"}
    assert len(pd.read_parquet(home / "first" / "ingest" / f"{portfolio.applications.name}.parquet")) == ROWS


def test_what_was_pushed_comes_with_the_delivered_tables(home, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(home / "var"))
    portfolio = load("consumer_loans")
    (table, *_) = portfolio.views
    append(journal(portfolio), table.name, [Pushed("nobody", 0, 1, {column.name: None for column in table.stored})])
    ingest.main(portfolio.name, home / "ingest", home / "vault")

    assert pd.read_parquet(home / "ingest" / f"pushed-{table.name}.parquet")[APPLICANT_ID].tolist() == ["nobody"]


def test_the_truth_of_a_simulation_and_the_protected_columns_never_reach_the_tables(home):
    ingest.main("consumer_loans", home / "ingest", home / "vault")

    portfolio = load("consumer_loans")
    written = {name for path in (home / "ingest").glob("*.parquet") for name in pd.read_parquet(path).columns}
    truth = set(pd.read_parquet(RAW / portfolio.name / "truth" / "truth.parquet").columns)
    keys = {portfolio.application_key.raw, portfolio.applications.select(Applicant)[0].raw}
    assert keys < truth
    assert not written & (truth - keys)
    assert not written & {column.name for column in portfolio.protected}
    assert all(name not in (home / "ingest" / "ingest.json").read_text() for name in (column.name for column in portfolio.protected))


def test_a_file_that_is_not_there_or_cut_off_is_one_line(home, monkeypatch, capsys):
    monkeypatch.delenv("TALLY_DATA_DIR", raising=False)
    monkeypatch.setattr("sys.argv", ["ingest", "card_default", str(home / "ingest"), str(home / "vault")])
    with pytest.raises(SystemExit) as stop:
        run_stage(ingest.main)

    assert stop.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1

    ingest.main("consumer_loans", home / "ingest", home / "vault")
    table = load("consumer_loans").views[0]
    path = RAW / "consumer_loans" / table.file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=table.file):
        ingest.main("consumer_loans", home / "ingest", home / "vault")


def test_an_unknown_key_of_params_is_refused(home):
    params = msgspec.yaml.decode((home / "params.yaml").read_bytes())
    (home / "params.yaml").write_bytes(msgspec.yaml.encode({**params, "ingest": {**params["ingest"], "sede": 7}}))

    with pytest.raises(ParamsError, match="sede"):
        ingest.main("consumer_loans", home / "ingest", home / "vault")
    assert not (home / "ingest").exists()
