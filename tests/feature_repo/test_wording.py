"""Broken promises in words: every rule has its own, columns of one rule share a sentence, and nothing is left out silently."""

from __future__ import annotations

import pytest
from invented import brought

from feature_repo import expectations, wording
from feature_repo.contract import BAD
from feature_repo.portfolios import load
from feature_repo.verdict import Broken


def test_columns_of_a_rule_share_a_sentence_with_rows_share_what_was_seen_and_allowed():
    broken = (Broken("loans", "income", "range", 3, 4_000, "allowed 0 or more", "3 below"), Broken("loans", BAD, "type", 4, 40),
              Broken("loans", "debt", "range", 40, 400, "allowed 1 to 9", "40 above"))

    assert wording.line(broken) == (
        "loans: outside the bounds: income (3 of 4000 rows, under 0.1%; 3 below; allowed 0 or more), "
        "debt (40 of 400 rows, 10.0%; 40 above; allowed 1 to 9). "
        "Mend the rows, widen low and high, or declare codes special=(…) or missing=(…); `tally portfolio check` shows where. "
        "loans: cannot be read as an outcome: bad (4 of 40 rows, 10.0%). "
        "Declare each text bad, good or neither in Outcome, or mend the rows; `tally portfolio check` shows where")


def test_a_line_tells_of_the_first_rules_and_counts_what_it_leaves_out():
    broken = [Broken(f"t{at}", f"x{at}", "constant", 9, 9) for at in range(wording.MOST_SAID)]
    rest = [Broken("t9", f"y{at}", "constant", 9, 9) for at in range(5)]
    line = wording.line((*broken, *rest))

    assert line.count("one value in every row") == wording.MOST_SAID
    assert line.endswith(". And 5 more")


def test_many_columns_of_a_rule_are_named_up_to_a_number_and_counted_beyond():
    line = wording.line(tuple(Broken("loans", f"x{at}", "undeclared_column", 9, 9) for at in range(wording.MOST_COLUMNS + 7)))

    assert f"x{wording.MOST_COLUMNS - 1} and 7 more. Declare each" in line


def test_a_rule_about_the_table_itself_names_no_column():
    assert wording.line((Broken("loans", "", "row_count", 3, 3, "allowed 10 or more", "3 rows"),)).startswith(
        "loans: not as many rows as expected: 3 rows; allowed 10 or more. ")


@pytest.mark.parametrize("name", ["orchard", "harbour"])
def test_every_rule_of_every_suite_has_its_words(name):
    with brought():
        portfolio = load(name)
    inputs, names = portfolio.raw_inputs, [column.name for column in portfolio.raw_inputs]
    suites = [*(expectations.of_table(portfolio, table) for table in portfolio.tables), expectations.of_vault(portfolio),
              expectations.of_leakage(inputs, doubtful=0.7, leaking=0.8, copying=0.9), expectations.of_sides(inputs),
              expectations.of_coverage(names, least=0.5), expectations.of_recency(least=0.5), expectations.of_repeats("x"),
              expectations.of_recording(names, jump=0.2), expectations.of_levels(names)]
    rules = {each.meta["rule"] for suite in suites for each in suite.expectations} - {"columns"}

    assert rules - set(wording.RULES) == set()
