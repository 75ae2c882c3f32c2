"""A real file whose column tells the outcome: the run stops with the reason, until the contract says what that column is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd
import pytest

from feature_repo import portfolios
from feature_repo.contract import Applicant, Ignored, Outcome, Request, Table, days
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from training.stages import ingest, validate

ROOT = Path(__file__).parents[2]
EVERY = 10
TERM, MIRROR, RECOVERED = "Term", "Mirror", "Recovered"
REASON = "It speaks against you"


@pytest.fixture(scope="module")
def files(data_dir, tmp_path_factory):
    """Every tenth 7(a) loan, its term cut short where charged off; beside it the outcome, and what was recovered of some bad ones."""
    folder = tmp_path_factory.mktemp("files")
    loans = pd.read_csv(data_dir / "sba_7a_volume" / "sba_7a_volume.csv.gz").iloc[::EVERY]
    bad = loans["MIS_Status"] == "CHGOFF"
    some = bad & (bad.cumsum() <= 90)
    loans.assign(**{MIRROR: (bad * 5 + 1).to_numpy(), RECOVERED: loans["GrAppv"].where(some)}).to_csv(folder / "loans.csv", index=False)
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch, files):
    """Ingest and validate the loans under what is declared of the three columns: the verdict, what stopped it, the report."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_DATA_DIR", str(files))
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())

    def judge(*columns):
        monkeypatch.setattr(portfolios, "load", lambda _: loans(*columns))
        ingest.main("loans", tmp_path / "ingest", tmp_path / "vault")
        try:
            validate.main("loans", tmp_path / "ingest", tmp_path / "vault", tmp_path / "validate")
            stopped = ""
        except DataError as error:
            stopped = str(error)
        report = (tmp_path / "validate" / "docs" / "index.html").read_text()
        return msgspec.json.decode((tmp_path / "validate" / "verdict.json").read_bytes()), stopped, report

    return judge


def loans(*columns):
    declared = {column.raw for column in columns}
    rest = {"NewExist", "NaicsSector", "RevLineCr", "LowDoc", "SBA_Appv", TERM, MIRROR, RECOVERED} - declared
    ignored = [Ignored(raw=raw, because="of no use here") for raw in sorted(rest)]
    table = Table("loans", file="loans.csv", columns=(
        Applicant(raw="SourceRow"), Request("amount", raw="GrAppv", low=0, reason=REASON), *columns, *ignored))
    return Portfolio(name="loans", title="Loans", tables=(table,),
                     outcome=Outcome(raw="MIS_Status", bad=("CHGOFF",), good=("P I F",), matures_after=days(0)))


def term(**more):
    return Request("term", raw=TERM, low=0, reason=REASON, **more)


def broken(found):
    return [(each["column"], each["rule"]) for each in found]


def test_a_term_that_defaults_cut_short_stops_the_run_with_its_auc_and_the_two_ways_out(run):
    verdict, stopped, report = run(term())

    (found,) = verdict["failures"]
    assert (found["column"], found["rule"]) == ("term", "leakage")
    assert float(found["seen"].removeprefix("AUC ")) == pytest.approx(0.948, abs=0.01)
    assert f"term ({found['seen']}; allowed 0.8)" in stopped
    assert "Ignored(raw=…, because=…)" in stopped
    assert "known_before=" in stopped
    assert f"term ({found['seen']}; allowed 0.8)" in report


def test_it_goes_on_once_the_column_is_ignored(run):
    verdict, stopped, _ = run()

    assert (verdict["success"], stopped) == (True, "")


def test_a_declared_reason_is_a_warning_that_quotes_the_auc_and_that_there_is_one(run):
    verdict, stopped, _ = run(term(known_before="the contractual term, fixed at approval"))

    (warned,) = verdict["warnings"]
    assert stopped == ""
    assert (warned["column"], warned["rule"], warned["allowed"]) == ("term", "leakage", "allowed 0.8; known_before is declared")


def test_all_leaks_are_named_in_one_run_and_no_reason_lets_a_copy_of_the_outcome_in(run):
    mirror = Request("mirror", raw=MIRROR, reason=REASON, known_before="so they say")
    recovered = Request("recovered", raw=RECOVERED, nullable=True, reason=REASON)
    verdict, stopped, _ = run(term(), mirror, recovered)

    assert broken(verdict["failures"]) == [("term", "leakage"), ("mirror", "copy"), ("recovered", "one_sided")]
    assert "nearly the outcome itself: mirror (AUC 1.000; allowed 0.97" in stopped
    assert "recovered (filled in 90 rows, all of them bad)" in stopped
    assert "term (AUC 0.9" in stopped
