"""The page on bringing one's own portfolio has every word a contract is written in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from feature_repo.contract import Applicant, Application, Ignored, Outcome, Protected, Request, Rule, Stored, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, EventTime

PAGE = (Path(__file__).parents[3] / "docs" / "bring-your-own.md").read_text()
TABLE = PAGE[PAGE.index("## The words of a contract"):PAGE.index("## When the guess was wrong")]


KINDS = (Applicant, Application, Csv, EventTime, Ignored, Outcome, Portfolio, Protected, Request, Rule, Stored, Table)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_is_in_the_table(kind):
    words = [field.name for field in dataclasses.fields(kind) if field.init]

    assert kind.__name__ in TABLE
    assert [word for word in words if word not in TABLE] == []
