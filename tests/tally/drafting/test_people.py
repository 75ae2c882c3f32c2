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
