"""What a single column becomes, and the words that say why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from feature_repo import params
from feature_repo.sources import Csv
from tally.drafting import names, roles
from tally.drafting.profiles import profile
from training.subjects import Validate

ROWS = 3_000
RANDOM = np.random.default_rng(11)
BAD = (RANDOM.random(ROWS) < 0.25).astype(float)
SECONDS = np.sort(RANDOM.integers(1_500_000_000, 1_700_000_000, ROWS)).astype(float)


@pytest.fixture
def draft(checkout):
    """The line of one column: `draft("header", values)`."""
    limits = params.read("validate", Validate)

    def of(header, values, **more):
        outlook = roles.Outlook(BAD, names.assign([header]), Csv(), limits, **more)
        return roles.draft(profile(header, pa.chunked_array([[None if value is None else str(value) for value in values]])), outlook)

    return of


def noise(values):
    return RANDOM.choice(values, ROWS)


def test_a_column_that_only_says_when_is_not_for_a_model(draft):
    years = pd.to_datetime(SECONDS, unit="s").year

    assert draft("Year", years, seconds=SECONDS).word == "Ignored"
    assert "says when" in draft("Year", years, seconds=SECONDS).get("because")
    assert draft("Year", years).word == "Request"


@pytest.mark.parametrize(("header", "values", "because"), [
    ("rate", [f"{at % 97}.{at % 10}{'%€'[at % 2]}" for at in range(ROWS)], "sign or unit"),
    ("seen on", ["3/31/2020", "1/2/2021", "2/2/2021"] * 1_000, "a date"),
    ("remark", [f"r{at % 1_500}" for at in range(ROWS)], "too many"), ("IBAN", [f"DE{at:020}" for at in range(ROWS)], "bank account"),
    ("contact", [f"555-{at:03}-{at:04}" for at in range(ROWS)], "telephone"),
    ("ssn2", [f"{at % 900:03}-22-{at:04}" for at in range(ROWS)], "social"),
    ("Home Address", [f"Way {at}" for at in range(ROWS)], "personal"), ("out_prncp", list(range(100)) * 30, "after the decision"),
    ("row id", list(range(ROWS)), "different in every row"), ("x", [None] * ROWS, "no value"),
])
def test_what_a_model_cannot_or_must_not_use_is_ignored(draft, header, values, because):
    line = draft(header, values)

    assert line.word == "Ignored"
    assert because in line.get("because")


def test_a_leak_is_told_by_how_it_ranks_and_by_being_filled_for_one_outcome_alone(draft):
    strong = np.where(BAD == 1, RANDOM.normal(1.6, 1, ROWS), RANDOM.normal(0, 1, ROWS)).round(2)
    filled = np.where((BAD == 1) & (RANDOM.random(ROWS) < 0.2), "5", None)
    copied = np.where(BAD == 1, "lost", "kept")

    assert "with AUC 0.8" in draft("calls", strong).guesses[0]
    assert "known_before" in draft("calls", strong).guesses[0]
    assert "all of them bad" in draft("fee", [f"{at % 40}" if value else None for at, value in enumerate(filled)]).guesses[0]
    assert draft("state", copied).get("because") == "nearly a copy of the outcome"
    assert draft("honest", RANDOM.normal(0, 1, ROWS).round(2)).word == "Request"


@pytest.mark.parametrize("header", ["months at address", "charge offs last 12 months", "collections_12_mths_ex_med", "inquiries_6m"])
def test_what_was_known_before_is_no_leak_by_its_header(draft, header):
    assert draft(header, noise(np.arange(60))).word == "Request"


@pytest.mark.parametrize(("count", "expected"), [(3, ("levels",)), (30, ("levels",)), (45, ("levels", "other"))])
def test_levels_are_all_or_the_frequent_ones_and_other(draft, count, expected):
    line = draft("branch", noise([f"B {at}" for at in range(count)]))

    assert tuple(key for key, _ in line.arguments if key in {"levels", "other"}) == expected
    assert len(line.get("levels")) <= count


def test_thousands_of_texts_are_pooled_where_the_frequent_ones_hold_most_rows(draft):
    texts = [f"B{at}" if at < 2_000 else "A1" if at % 2 else "A2" for at in range(ROWS)]

    assert draft("branch", texts).word == "Ignored"
    assert draft("branch", ["A1" if at % 3 else text for at, text in enumerate(texts)]).get("other") is True


def test_a_missing_text_is_missing_and_a_meaningful_one_a_level(draft):
    line = draft("debtors", noise(["none", "guarantor", "?", "NA"]))

    assert set(line.get("levels")) == {"none", "guarantor"}
    assert set(line.get("missing")) == {"?", "NA"}
    assert line.get("nullable") is True


def test_a_stored_protected_column_is_ignored(draft):
    assert draft("sex", noise(["M", "F"]), word="Stored").word == "Ignored"
    assert draft("sex", noise(["M", "F"])).word == "Protected"
