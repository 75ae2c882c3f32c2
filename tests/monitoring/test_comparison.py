"""Development, test and window are told in the same measures, counted once each."""

from __future__ import annotations

import pytest

from monitoring import comparison, performance, performance_report
from monitoring.maturing import Maturing
from monitoring.maturing_report import Way


def test_development_test_and_window_stand_side_by_side(watched, performance_params):
    found = performance.assess(watched.frame, watched.portfolio, performance.reference(watched.release), ("A",), performance_params)
    sides = comparison.side_by_side(watched.release, watched.frame, found.total)
    page = performance_report.page("p", ["said"], found, sides, Way(Maturing((), None, None, ()), None))
    table = next(block.table for block in page.blocks if block.title == "Development and out-of-time side by side").set_index("part")
    assert list(table.index) == ["development", "calibration", "test", comparison.HERE]
    assert table.loc["development", "PSI of score"] == "0.000"
    assert (table.loc[comparison.HERE, "outcomes"], table.loc[comparison.HERE, "bad"]) == (found.total.matured, found.total.bad)
    assert not (table == "-").any(axis=None)


def test_the_parts_are_those_of_the_release(watched, performance_params):
    found = performance.assess(watched.frame, watched.portfolio, performance.reference(watched.release), ("A",), performance_params)
    test = watched.release.read("measures.json")["test"]
    side = comparison.side_by_side(watched.release, watched.frame, found.total)[2]

    assert (side.part, side.rows, side.bad) == ("test", test["rows"], test["bads"])
    assert (side.gini.value, side.ece, side.psi) == pytest.approx((test["gini"], test["ece"], test["psi"]))
