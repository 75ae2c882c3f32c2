"""Reasons of the shipped portfolios: specific, adverse, and each said in one wording (12 CFR 1002.9(b)(2))."""

from __future__ import annotations

import re

import pytest

from feature_repo.contract import Risk
from feature_repo.portfolios import load, names

WAYS = {"high", "higher", "low", "lower", "large", "small", "long", "short", "grown", "fallen", "much", "many", "little", "few"}
EMPTY_WORDS = {"the", "a", "in", "of", "at", "on", "were", "was", "is", "are", "have", "has", "you", "your"}


def said(portfolio):
    return {spec.reason for spec in (*portfolio.inputs, *portfolio.rules)}


@pytest.mark.parametrize("name", names())
def test_no_two_reasons_say_the_same_in_other_words(name):
    texts = said(load(name))
    meant = {frozenset(re.findall(r"[a-z0-9%]+", text.lower())) - EMPTY_WORDS for text in texts}

    assert len(meant) == len(texts)


@pytest.mark.parametrize("column", [column for name in names() for column in load(name).inputs if not column.is_level],
                         ids=lambda column: column.name)
def test_a_number_has_a_direction_or_a_reason_that_names_none_so_that_it_is_never_the_opposite_of_what_the_model_saw(column):
    if column.risk is Risk.NONE:
        assert " yours " in column.reason
        assert not WAYS & set(re.findall("[a-z]+", column.reason.lower()))
    assert len(column.reason.split()) >= 5
    assert not column.reason.startswith(("The number of", "The course of"))


def test_a_month_back_is_counted_from_the_newest():
    """The file numbers its balances from 1, the newest; the name says how many months before it."""
    portfolio = load("card_default")
    numbered = [(re.search(r"_(\d)_back$", column.name), re.search(r"(\d)$", column.raw)) for column in portfolio.stored]
    back = [(int(name[1]), int(raw[1])) for name, raw in numbered if name]

    assert len(back) == 15
    assert all(raw == months + 1 for months, raw in back)
