"""The interface hash moves with what scoring computes, and with nothing else."""

from __future__ import annotations

import dataclasses
import json
import linecache

import msgspec
import pytest

from feature_repo.contract import Action, Rule
from feature_repo.interface import describe, interface_hash, meaning
from feature_repo.portfolios import load, names


def one_rule(portfolio, **changes):
    kept = {field.name: getattr(portfolio, field.name) for field in dataclasses.fields(portfolio) if field.init}
    return type(portfolio)(**{**kept, "rules": (), **changes})


@pytest.fixture
def portfolio():
    return load("card_default")


def test_a_lambda_means_its_arguments_and_body_and_nothing_of_the_call_it_stands_in():
    rule = Rule("high", when=lambda amount: amount > 4, action=Action.DECLINE,
                reason="A text that may change")

    assert meaning(rule.when) == "lambda amount: amount > 4"


def test_layout_and_comments_of_a_function_mean_nothing():
    def share(paid, due):
        return paid / due

    first = meaning(share)

    def share(paid, due):
        # half of what is due
        return (paid /
                due)

    assert meaning(share) == first


def test_texts_may_change_and_what_is_computed_may_not(portfolio):
    name = portfolio.requests[0].name
    plain = one_rule(portfolio)
    retitled = one_rule(portfolio, title="Another title")
    ruled = one_rule(portfolio, rules=(rule_on(name, "One text"),))
    reworded = one_rule(portfolio, rules=(rule_on(name, "Another text"),))

    assert interface_hash(plain) == interface_hash(retitled)
    assert interface_hash(ruled) == interface_hash(reworded) != interface_hash(plain)


def rule_on(column, reason):
    source = f"when = lambda {column}: {column} > 4\n"
    namespace = {}
    linecache.cache["<rule>"] = (len(source), None, [source], "<rule>")
    exec(compile(source, "<rule>", "exec"), namespace)  # noqa: S102 - a column's name may not stand in a test
    return Rule("limit", when=namespace["when"], action=Action.REFER, reason=reason)


@pytest.mark.parametrize("name", names())
def test_the_contract_as_data_is_plain_json_with_every_reason_and_bound(name):
    portfolio = load(name)

    data = json.loads(msgspec.json.encode(describe(portfolio)))

    assert [spec["name"] for spec in data["inputs"]] == [column.name for column in portfolio.inputs]
    assert [spec["reason"] for spec in data["inputs"]] == [column.reason for column in portfolio.inputs]
    assert all(spec["reason"] for spec in data["inputs"])
