"""Odd files, each with a verdict or one clear message and never a traceback: nothing in them, one row, columns that say nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo import portfolios
from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, Applicant, Outcome, Request, Table, days
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from training.stages import ingest, validate

ROOT = Path(__file__).parents[2]
ROWS, LEVELS = 20_000, 5_000
REASON = "It speaks against you"
TOWNS = tuple(f"town {number}" for number in range(LEVELS))

PORTFOLIO = Portfolio(
    name="loans", title="Loans",
    tables=(Table("loans", file="loans.csv", columns=(
        Applicant(raw="no"), Request("amount", raw="amount", low=0, high=100, reason=REASON),
        Request("rent", raw="rent", low=0, nullable=True, reason=REASON),
        Request("town", raw="town", levels=TOWNS, nullable=True, reason=REASON))),),
    outcome=Outcome(raw="end", bad=("lost",), good=("kept",), matures_after=days(0)))


def good(rows=ROWS):
    """Nothing in it tells the outcome; every town is there."""
    rng = np.random.default_rng(3)
    return pd.DataFrame({"no": np.arange(rows), "amount": rng.uniform(1, 99, rows).round(3), "rent": rng.uniform(1, 99, rows),
                         "town": rng.choice(TOWNS, rows), "end": rng.choice(["lost", "kept"], rows, p=[0.2, 0.8])})


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Ingest and validate a frame: rules that stop, rules that warn, the message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(portfolios, "load", lambda _: PORTFOLIO)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())

    def run(frame):
        frame.to_csv(tmp_path / "loans.csv", index=False)
        ingest.main("loans", tmp_path / "ingest", tmp_path / "vault")
        message = ""
        try:
            validate.main("loans", tmp_path / "ingest", tmp_path / "vault", tmp_path / "validate")
        except DataError as error:
            message = str(error)
        verdict = msgspec.json.decode((tmp_path / "validate" / "verdict.json").read_bytes())
        return *({(each["column"], each["rule"]) for each in verdict[key]} for key in ("failures", "warnings")), message

    return run


def test_five_thousand_levels_that_tell_nothing_raise_no_alarm(judge):
    assert judge(good()) == (set(), set(), "")


def test_a_file_of_no_rows_stops_for_its_rows(judge):
    stops, warns, message = judge(good().iloc[:0])

    assert stops == {("", "row_count")}
    assert warns == {("", "too_few_outcomes")}
    assert "not as many rows as expected: 0 rows; allowed 1 or more" in message


def test_a_file_of_one_row_stops_for_its_outcomes_alone(judge):
    stops, warns, message = judge(good().iloc[:1])

    assert (stops, warns) == ({(BAD, "one_class")}, {("", "too_few_outcomes")})
    assert "1 good, 0 unknown" in message


@pytest.mark.parametrize(("change", "stops", "warns", "words"), [
    ({"end": "kept"}, {(BAD, "one_class")}, {("", "too_few_outcomes")}, f"0 bad, {ROWS} good, 0 unknown"),
    ({"end": ""}, {(BAD, "one_class")}, {("", "too_few_outcomes")}, f"0 bad, 0 good, {ROWS} unknown"),
    ({"rent": ""}, {("rent", "all_missing")}, set(), "no value at all: rent. "),
    ({"amount": ""}, {("amount", "not_null")}, set(), f"amount ({ROWS} of {ROWS} rows, 100.0%)"),
    ({"amount": 7, "town": TOWNS[0]}, set(), {("amount", "constant"), ("town", "constant")}, ""),
    ({"no": 1}, {(APPLICATION_ID, "unique")}, set(), f"application_id ({ROWS} of {ROWS} rows"),
    ({"no": ""}, {(APPLICATION_ID, "not_null"), (APPLICANT_ID, "not_null")}, set(), "missing where every row needs a key"),
    ({"town": "elsewhere"}, {("town", "level")}, {("town", "constant")}, f"1 distinct text; {LEVELS} levels are declared"),
], ids=["one class", "no outcome", "a column of nothing", "a needed column of nothing", "columns of one value", "one key", "no key",
        "one unseen level"])
def test_an_odd_column_is_said_once_in_words(judge, change, stops, warns, words):
    found = judge(good().assign(**change))

    assert found[:2] == (stops, warns)
    assert words in found[2]


def test_a_header_that_is_misspelt_is_told_beside_the_one_in_the_file(judge):
    stops, _, message = judge(good(500).rename(columns={"amount": "Amount ", "town": "twn"}))

    assert {("town", "missing_column"), ("twn", "undeclared_column")} <= stops
    assert 'town (raw="town", the file has "twn")' in message


def test_many_unseen_texts_are_counted_and_none_is_repeated(judge):
    frame = good()
    _, _, message = judge(frame.assign(town=frame["town"].str.replace("town", "village"), rent="1.000,50"))

    distinct = frame["town"].nunique()
    assert f"town ({ROWS} of {ROWS} rows, 100.0%; {distinct} distinct texts; {LEVELS} levels are declared)" in message
    assert "cannot be read as a number: rent" in message
    assert "village" not in message
    assert "1.000,50" not in message
