"""The contract in words: every field that says something, whichever fields there are."""

from __future__ import annotations

import doctest
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pytest

from feature_repo.contract import Ignored, Outcome, Protected, Request, Risk, Rule, Stored, Table, WhenStale, days
from feature_repo.portfolios import load, names
from feature_repo.sources import Csv, EventTime
from training import declarations


def test_the_examples_hold():
    assert doctest.testmod(declarations).failed == 0


def test_an_input_says_what_it_promises_and_nothing_it_leaves_open():
    column = Stored("tons", raw="t", low=0, usual=(1, 50), special=(-9, -8), risk=Risk.FALLS, reason="The harvest was small",
                    fresh_for=days(45), when_stale=WhenStale.REQUEST)

    assert declarations.facts(column) == {
        "bounds": "0 to any", "usual": "1 to 50", "special codes": "-9, -8", "may be missing": "no",
        "direction declared": "PD falls as the value rises", "reason given to applicants": "The harvest was small",
        "where the data break this": "stop", "usable for": "45 days", "when stale": "request"}


def test_a_level_has_texts_and_no_direction():
    told = declarations.facts(Request("fruit", raw="f", levels={"A": "apple", "P": "pear"}, other=True, reason="This fruit sells badly"))

    assert told["raw text to level"] == "A: apple, P: pear"
    assert told["unseen levels"] == "yes"
    assert "direction declared" not in told


def test_groups_limits_files_and_outcomes_are_told():
    age = Protected("age", raw="a", edges=((40, "young"), (np.inf, "old")), reference="old")
    table = Table("plots", file="plots.txt", columns=(), reader=Csv(separator=";"), sha256=("ab" * 32,), rows=(10, None))
    lost = Outcome(raw="o", bad=("lost", "sold"), good=("kept",), matures_after=days(365), observed_until=datetime(2021, 6, 30, tzinfo=UTC),
                   bad_on=EventTime("gone"))

    assert declarations.facts(age)["limits of groups"] == "below 40: young, old"
    assert declarations.facts(table) == {"file": "plots.txt", "reader": "Csv; separator ';'", "accepted digests": "abababababab…",
                                         "rows expected": "10 to any"}
    assert declarations.facts(lost) == {"counts as bad": "lost, sold", "counts as good": "kept", "matures after": "365 days",
                                        "observed until": "2021-06-30 UTC", "day it went bad": "gone"}
    assert declarations.facts(Ignored(raw="z", because="written later")) == {"never used, because": "written later"}


def test_a_field_the_contract_gains_later_is_told_under_its_own_name():
    @dataclass(frozen=True)
    class Later(Request):
        publication_lag: object = None

    assert declarations.facts(Later("x", raw="x", reason="r", publication_lag=days(3)))["publication lag"] == "3 days"


def test_cuts_belong_to_the_time_axis():
    table = Table("plots", file="f", columns=(), time=EventTime("day", develop_until=date(2019, 12, 31), out_of_time_from=date(2020, 1, 1)))

    assert declarations.time_of(table) == {"time axis": "day", "develop until": "2019-12-31", "out of time from": "2020-01-01"}


@pytest.mark.parametrize("name", names())
def test_every_formula_of_every_portfolio_is_shown_as_it_is_computed(name):
    portfolio = load(name)

    derived = [(column.function, column.arguments) for column in portfolio.derived_columns]
    for function, arguments in [*derived, *((rule.when, rule.arguments) for rule in portfolio.rules)]:
        values = {argument: np.float64(place + 2) for place, argument in enumerate(arguments)}
        *lines, last = declarations.formula(function).split("\n")
        scope = {"np": np, **values}
        exec("\n".join(lines), scope)  # noqa: S102 - the portfolio's own source
        assert eval(last, scope) == function(*values.values())  # noqa: S307


def test_a_rule_is_shown_without_its_lambda():
    assert declarations.formula(Rule("x", when=lambda sacks: sacks > 990, action="refer", reason="r").when) == "sacks > 990"


def test_the_meaning_is_the_contracts_word_or_the_name():
    assert declarations.meaning(Request("net_income", raw="x", reason="r")) == "Net income"
    assert declarations.meaning(Request("net_income", raw="x", meaning="Income after tax", reason="r")) == "Income after tax"
