"""A verdict in one line."""

from __future__ import annotations

from feature_repo.verdict import Broken, name


def test_the_line_names_the_first_few_and_counts_the_rest():
    broken = tuple(Broken("loans", f"x{i}", "range", i, 10) for i in range(5))

    assert name(broken) == "loans.x0 range (0 of 10), loans.x1 range (1 of 10), loans.x2 range (2 of 10) and 2 more"
    assert name((Broken("loans", "", "row_count", 3, 3),)) == "loans row_count (3 of 3)"
