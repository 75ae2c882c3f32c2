"""The contract as suites: nothing that is declared of an input is left out."""

from __future__ import annotations

import pytest

from feature_repo import expectations
from feature_repo.contract import Input
from feature_repo.portfolios import load, names


@pytest.mark.parametrize("name", names())
def test_every_declared_input_of_every_portfolio_is_held_to_its_bounds_or_levels(name):
    portfolio = load(name)
    for table in portfolio.tables:
        suite = expectations.of_table(portfolio, table)
        held = {(each.column, each.meta["rule"]) for each in suite.expectations if hasattr(each, "column")}
        for column in table.select(Input):
            assert (column.name, "level" if column.is_level else "range") in held
            assert (column.name, "all_missing" if column.nullable else "not_null") in held
