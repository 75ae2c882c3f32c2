"""A header becomes a name Python and the platform take, once; a reason a phrase of it."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as some

from feature_repo.contract import RESERVED
from tally.drafting import names


@given(some.lists(some.text(max_size=20), unique=True))
def test_every_header_gets_a_name_of_its_own_that_may_be_one(headers):
    given = names.assign(headers)

    assert len(set(given.values())) == len(headers)
    assert all(name.isidentifier() and not keyword.iskeyword(name) and name not in RESERVED for name in given.values())


@pytest.mark.parametrize(("header", "name"), [("Score", "given_score"), ("class", "given_class"), ("1", "c1"),
                                              ("90 days late", "c90_days_late"),
                                              ("Größe (EUR)", "grosse_eur"), ("收入", "c1")])
def test_words_of_the_platform_of_python_and_figures_are_no_names(header, name):
    assert names.assign([header])[header] == name


@pytest.mark.parametrize(("name", "phrase"), [("emp_length", "Length of employment"), ("loan_amnt", "Amount of credit requested"),
                                              ("annual_inc", "Annual income"), ("c7", "Information given as 7")])
def test_a_reason_is_a_noun_phrase(name, phrase):
    assert names.reason(name, "7") == phrase


@pytest.mark.parametrize(("header", "phrase"), [
    ("Laufzeit in Monaten",) * 2, ("Beschäftigungsverhältnis",) * 2, ("LIMIT_BAL", "Limit balance"),
    ("Nettoeinkommen EUR", "Nettoeinkommen EUR"), ("netIncome", "Net income"), ("annual_inc", "Annual income")])
def test_a_reason_keeps_the_case_and_letters_of_a_header_people_wrote(header, phrase):
    assert names.reason(names.assign([header])[header], header) == phrase


def test_a_unit_is_what_the_name_says():
    assert [names.unit(name) for name in ("limit_twd", "term_months", "dti", "colour")] == ["TWD", "months", "ratio", ""]
