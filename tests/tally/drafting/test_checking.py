"""`tally portfolio check` tells all that is left at once, where it is, and of values only the texts of categories."""

from __future__ import annotations

import pytest

from feature_repo.errors import ContractError


def edit(path, *changes):
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


def test_a_draft_whose_guesses_are_right_has_nothing_to_do(drafted, files, check):
    drafted("stranger", files.instalment)

    found = check("stranger")

    assert found.to_do == ()
    assert any("comments begin with" in text for text in found.notices)
    assert any("reasons are as drafted" in text for text in found.notices)
    assert any("no direction" in text for text in found.notices)
    assert "nothing is missing. Set `portfolio: stranger` in params.yaml and run `dvc repro`" in str(found)


def test_all_that_waits_and_all_that_contradicts_is_told_at_once_with_its_line(drafted, files, check):
    path = drafted("stranger", files.cards).path
    edit(path, ('"c3",', '"score",'), ('"c4",', '"c5",'), ("low=0, high=50,", "low=80, high=50,"))
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "DECIDE: which" in line)

    to_do = check("stranger").to_do

    assert f"line {at}: which of '+'" in to_do[0]
    assert "is bad" in to_do[0]
    assert "is good" in to_do[1]
    assert any("the platform's own: ['score']" in text for text in to_do)
    assert any("declared twice: ['c5']" in text for text in to_do)
    assert any("low 80 is above high 50" in text for text in to_do)
    assert not any("still wait" in text for text in to_do)


def test_a_file_python_cannot_read_is_told_by_its_line(drafted, files, check):
    path = drafted("stranger", files.instalment).path
    edit(path, ("    tables=(\n", "    tables=((\n"))
    assert "line" in check("stranger").to_do[0]

    edit(path, ("    tables=((\n", "    tables=(\n"), ("nullable=True", "nullabel=True"))
    (said,) = check("stranger").to_do
    assert "line" in said
    assert "nullabel" in said


def test_what_the_data_break_is_told_with_its_row_and_the_texts_of_categories_alone(drafted, files, check):
    path = drafted("stranger", files.instalment).path
    edit(path, ('"part time", ', ""), (', "M": "male"', "") if '"F": "female", "M"' in path.read_text() else ('"M": "male", ', ""),
         ('reference="male"', 'reference="female"'), ('missing=("-999.0",), nullable=True', "nullable=True"),
         ('neither=("Current",), ', ""), ("low=0, high=10, risk", "low=1, high=10, risk"))

    said = " ".join(check("stranger").to_do)

    assert "employment not declared: 'part time'" in said
    assert "gender not declared: 'M'" in said
    assert "bad not declared: 'Current'" in said
    assert "income first in row" in said
    assert "inquiries first in row" in said
    assert "-999" not in said


def test_an_age_that_is_in_no_group_is_counted_and_never_told(drafted, files, check, checkout):
    drafted("stranger", files.instalment)
    edit(checkout / "data/raw/stranger/instalment.csv", (",M,33,", ",M,thirtythree,"))

    said = str(check("stranger"))

    assert "in no declared group: age" in said
    assert "thirtythree" not in said


def test_a_leak_and_an_undeclared_column_and_too_few_outcomes_stop(drafted, files, check, checkout):
    path = drafted("stranger", files.instalment).path
    leak = 'Request("calls_made", raw="Calls Made", low=0, high=99, risk=Risk.NONE, reason="Calls made")'
    edit(path, ('Ignored(raw="Calls Made", because="nearly a copy of the outcome")', leak), ('Ignored(raw="Notes",', 'Ignored(raw="Note",'))
    text = (checkout / "params.yaml").read_text()
    (checkout / "params.yaml").write_text(text.replace("fewest_rows: 300", "fewest_rows: 30000"))

    said = " ".join(check("stranger").to_do)

    assert "calls_made" in said
    assert "Notes" in said
    assert "at least 30000" in said


def test_a_raw_file_that_is_not_there_is_told_and_so_is_a_contract(drafted, files, check, checkout):
    drafted("stranger", files.instalment)
    (checkout / "data/raw/stranger/instalment.csv").unlink()
    assert "was not found" in check("stranger").to_do[0]

    with pytest.raises(ContractError, match="tally portfolio new nobody"):
        check("nobody")
