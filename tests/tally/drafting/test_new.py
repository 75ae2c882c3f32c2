"""What `tally portfolio new` writes of a stranger's file: a contract that loads, whose guesses are those of a careful colleague."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import strangers

from feature_repo.contract import Applicant, Application, Ignored
from feature_repo.errors import ContractError, DataError
from feature_repo.sources import BLANKS, ROW, Csv, EventTime, Parquet
from tally.drafting.draft import Asked
from tally.drafting.new import new

ROOT = Path(__file__).parents[3]


def ignored(portfolio, table=0):
    return {column.raw: column.because for column in portfolio.tables[table].select(Ignored)}


def test_a_dated_file_with_traps_is_drafted_and_loads(drafted, files, load):
    portfolio = load(drafted("instalment", files.instalment).path)

    assert portfolio.applications.select(Applicant)[0].raw == "Loan ID"
    assert [column.name for column in portfolio.requests] == ["loan_amount", "income", "employment", "inquiries", "town"]
    assert [column.name for column in portfolio.protected] == ["gender", "age", "marital_status"]
    assert portfolio.applications.time == EventTime("Application Date", "%m/%d/%Y", date(2020, 9, 30), date(2020, 10, 1))
    assert (portfolio.outcome.bad, portfolio.outcome.good, portfolio.outcome.neither) == (("Charged Off",), ("Fully Paid",), ("Current",))


def test_what_a_model_must_not_see_is_ignored_and_why(drafted, files, load):
    because = ignored(load(drafted("instalment", files.instalment).path))

    assert because.keys() == {"Applicant Name", "E-mail", "Phone", "Notes", "Product", "Recoveries", "Closed Date", "Calls Made",
                              "Internal Flag"}
    assert because["E-mail"] == "personal data: e-mail addresses"
    assert because["Recoveries"] == because["Closed Date"] == "known only after the decision"
    assert because["Calls Made"] == because["Internal Flag"] == "nearly a copy of the outcome"


def test_codes_levels_and_groups_are_those_of_the_file(drafted, files, load):
    inputs = {column.name: column for column in load(drafted("instalment", files.instalment).path).raw_inputs}

    assert inputs["income"].missing == ("-999.0",)
    assert (inputs["income"].low, inputs["income"].nullable) == (0, True)
    assert set(inputs["employment"].levels) == {"full time", "part time", "self-employed"}
    assert inputs["town"].other
    assert len(inputs["town"].levels) < strangers.TOWNS


def test_no_value_of_a_person_is_in_the_contract_or_said(drafted, files):
    found = drafted("instalment", files.instalment)

    for text in (found.text, found.said):
        assert not any(part in text for part in ("Invented", "@example", "+49 30", "spoke to", "L7001"))


def test_an_undated_file_without_header_leaves_to_a_person_what_it_does_not_say(drafted, files, load):
    found = drafted("cards", files.cards)

    assert found.text.count('"DECIDE') == 2
    with pytest.raises(ContractError, match=r"2 texts still wait.*which of '\+'"):
        load(found.path)
    portfolio = load(drafted("cards", files.cards, force=True, bad=("-",)).path)
    assert portfolio.applications.reader == Csv(separator=BLANKS, header=False)
    assert portfolio.application_key.raw == ROW
    assert not portfolio.is_dated
    assert all(column.nullable and "?" in column.missing for column in portfolio.requests)


def test_two_tables_are_joined_by_the_key_they_share(drafted, files, load):
    portfolio = load(drafted("overdraft", *files.overdraft).path)

    applications, balances = portfolio.tables
    assert applications.reader == Csv(separator=";", encoding="latin-1", thousands=".", decimal=",")
    assert balances.reader == Csv(separator="\t", decimal=",")
    assert balances.select(Applicant)[0].raw == "Kundennummer"
    assert [column.name for column in portfolio.stored] == ["saldo", "rueckgaben"]
    assert {column.fresh_for.days for column in portfolio.stored} == {45}
    assert [(column.name, column.reference) for column in portfolio.protected] == [("geschlecht", "male"), ("alter", "40 to 61")]


@pytest.mark.parametrize("name", ["instalment", "cards", "overdraft", "wide"])
def test_a_draft_is_written_as_this_projects_own_files_are(drafted, files, name):
    found = drafted(name, *(given if isinstance(given := getattr(files, name), tuple) else (given,)))

    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", f"feature_repo/portfolios/{name}.py", "-"]
    checked = subprocess.run(command, cwd=ROOT, input=found.text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert max(map(len, found.text.splitlines())) <= 140


def test_drafting_the_same_file_again_gives_the_same_contract(drafted, files):
    assert drafted("instalment", files.instalment).text == drafted("instalment", files.instalment, force=True).text


def test_a_wide_file_is_drafted_column_by_column_in_time_of_its_rows(drafted, files, load):
    began = time.perf_counter()
    portfolio = load(drafted("wide", files.wide).path)

    assert len(portfolio.raw_inputs) + len(portfolio.protected) + len(ignored(portfolio)) == 48 - 3
    assert {column.missing for column in portfolio.requests if column.name in {"var_1", "var_2"}} == {("-999",), ("NA",)}
    assert time.perf_counter() - began < 30


def test_nothing_is_overwritten_unless_told_to(drafted, files, checkout):
    first = drafted("mine", files.instalment)
    kept = checkout / "data/raw/mine/instalment.csv"
    assert kept.read_bytes() == files.instalment.read_bytes()

    with pytest.raises(ContractError, match="--force"):
        drafted("mine", files.instalment)
    with pytest.raises(DataError, match="another file"):
        drafted("mine", strangers.instalment(checkout / "instalment.csv", 500))
    assert first.path.read_text() == first.text
    assert kept.read_bytes() == files.instalment.read_bytes()


@pytest.mark.parametrize("name", ["Mine", "class", "my-loans", "_x", "loans_simulator", "2loans", ""])
def test_a_name_that_cannot_be_a_module_is_refused(checkout, files, name):
    with pytest.raises(ContractError, match="cannot name a portfolio"):
        new(name, [files.instalment], Asked(), force=False)


def test_what_is_asked_for_and_not_there_is_said(drafted, files, checkout):
    with pytest.raises(DataError, match="not there"):
        drafted("mine", checkout / "nowhere.csv")
    with pytest.raises(DataError, match="no column 'nothing'"):
        drafted("mine", files.instalment, target="nothing")
    with pytest.raises(DataError, match="--time 'Notes'"):
        drafted("mine", files.instalment, time="Notes")
    with pytest.raises(DataError, match="--key 'nothing'"):
        drafted("mine", files.instalment, key="nothing")
    assert not list((checkout / "feature_repo/portfolios").iterdir())


def test_parquet_keeps_its_types_and_people_who_apply_again_their_two_keys(drafted, checkout, load):
    rows = 2_000
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"customer_id": random.integers(0, 1_200, rows), "application_id": range(rows),
                          "app_dt": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), unit="D").as_unit("ns"),
                          "amount": random.lognormal(8, 1, rows).round(2), "new": random.random(rows) < 0.5,
                          "default_12m": random.random(rows) < 0.2})
    frame.to_parquet(checkout / "loans.parquet")

    portfolio = load(drafted("loans", checkout / "loans.parquet").path)

    assert portfolio.applications.reader == Parquet()
    assert portfolio.application_key == Application(raw="application_id")
    assert portfolio.applications.select(Applicant) == (Applicant(raw="customer_id"),)
    assert portfolio.applications.time.raw == "app_dt"
    assert (portfolio.outcome.bad, portfolio.outcome.good) == (("true",), ("false",))
    assert [set(column.level_names) for column in portfolio.requests if column.is_level] == [{"true", "false"}]
