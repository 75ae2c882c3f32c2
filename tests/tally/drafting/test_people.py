"""Who and what a column names: persons never become levels, whatever is left of the header is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from feature_repo import params
from feature_repo.sources import Csv
from tally.drafting import names, roles
from tally.drafting.profiles import profile
from tally.drafting.seen import Outlook
from training.subjects import Validate

ROWS = 2_000
PARAMS = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def outlook():
    """An outcome of every fourth row, in the time of the rows."""
    bad = (np.arange(ROWS) % 4 == 0).astype(float)
    return Outlook(bad, {}, Csv(), params.read("validate", Validate, PARAMS), np.arange(ROWS) * 86_400.0)


@pytest.fixture
def draft(outlook):
    """The line of a column of given texts, repeated to the length of the table."""

    def line(header, texts):
        column = profile(header, pa.chunked_array([[texts[at % len(texts)] for at in range(ROWS)]]))
        return roles.draft(column, dataclasses.replace(outlook, names=names.assign([header])))

    return line


@pytest.mark.parametrize("header", ["Name", "Sachbearbeiter", "Betreuer", "loan officer", "Spouse Name", "Nom", "Bürge", "underwriter",
                                    "approved_by", "Agent"])
@pytest.mark.parametrize("distinct", [2, 3, 16])
def test_names_of_people_never_get_into_the_contract_however_few(draft, header, distinct):
    line = draft(header, [f"Müller, Käthe {chr(65 + at)}" for at in range(distinct)])

    assert (line.word, line.get("because")) == ("Ignored", "personal data")
    assert "Müller" not in repr(line)


@pytest.mark.parametrize(("header", "texts"), [("Product Name", ["loan", "card", "lease"]), ("guarantor", ["yes", "no", "no"]),
                                               ("months_with_agent_of_sales", ["a", "b", "c"]), ("Kundentyp", ["new", "old", "lost"])])
def test_names_of_things_and_yes_and_no_are_levels(draft, header, texts):
    assert set(draft(header, texts).get("levels")) == set(texts)


@pytest.mark.parametrize("header", ["Rückstand Monate", "Rueckstand", "Zahlungsverzug", "Inkasso", "Kündigung", "Kontostatus",
                                    "Restschuld"])
def test_what_befalls_a_loan_later_is_left_out_by_its_header(draft, header):
    assert draft(header, ["1", "2", "3"]).get("because") == "known only after the decision"


@pytest.mark.parametrize(("header", "doubted"), [("Rating intern", True), ("sub_grade", True), ("installment", True), ("income", False)])
def test_what_the_lender_decides_itself_is_asked_about(draft, header, doubted):
    assert ("was it known before the decision?" in draft(header, ["1", "2", "3"]).guesses[0]) == doubted


def test_a_strong_column_is_a_guess_and_no_fact(draft):
    texts = [str(5 + (at % 4 == 0) * (at % 5 != 0) * 9 + at % 3) for at in range(ROWS)]

    assert draft("A9", texts).get("because").startswith("guess: alone it ranks the outcome suspiciously well (AUC 0.")


def test_a_date_after_the_rows_own_is_known_only_then(draft):
    after = [f"{day}" for day in np.datetime64("1970-01-09") + np.arange(ROWS)]
    before = [f"{day}" for day in np.datetime64("1960-01-01") + np.arange(ROWS)]

    assert draft("Datum Bescheid", after).get("because") == "known only after the decision"
    assert "a date" in draft("opened", before).get("because")


@pytest.mark.parametrize(("texts", "suffix"), [(["13.5%", "9%", "n/a"], "%"), (["12 months", "36 months", "60 months"], "months"),
                                               (["4.1 %", "5.0%", "6 %"], "%")])
def test_numbers_with_one_suffix_are_numbers(draft, texts, suffix):
    line = draft("rate", texts)

    assert (line.word, line.get("suffix"), line.get("unit"), line.get("low")) == ("Request", suffix, suffix, 0)


@pytest.mark.parametrize("texts", [["1A", "2A", "3A"], ["1 year", "2 years"], ["10+ years", "3 years"]])
def test_codes_and_mixed_units_have_none(draft, texts):
    assert draft("rate", texts).get("suffix") is None
