"""The pieces of a report: estimates in words, what was looked at, points of a chart."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest

from feature_repo.sources import Undated
from monitoring import pages
from monitoring.intervals import Estimate


def test_the_examples_hold():
    assert doctest.testmod(pages).failed == 0


def test_a_figure_that_is_not_there_is_a_dash_and_no_point():
    assert pages.percent(None) == pages.number(None) == pages.NOTHING
    rows = pages.beside([("a", Estimate(0.1, 0.0, 0.2), 0.3), ("b", None, None)])
    assert [(row["label"], row["series"], row["value"]) for row in rows] == [("a", "observed", 0.1), ("a", "mean PD", 0.3)]


@pytest.mark.parametrize("dated", [True, False])
def test_what_was_looked_at_is_said(watched, dated):
    first = watched.portfolio.tables[0] if dated else replace(watched.portfolio.tables[0], time=Undated())
    portfolio = replace(watched.portfolio, tables=(first, *watched.portfolio.tables[1:]))
    said, _ = pages.of_window(watched.frame, portfolio, watched.release)
    assert watched.release.id[:12] in said
    assert f"{len(watched.frame):,}" in said
    assert ("no time axis" in said) is not dated
