"""Pages put what was found first, keep every figure, and stand a result with nothing in it."""

from __future__ import annotations

import pytest

from monitoring import drift, fairness, pages, performance, reports
from monitoring.intervals import Estimate
from serving.scoring.bins import Bins


@pytest.fixture(scope="module")
def columns(watched, drift_params):
    return drift.assess(watched.frame, watched.portfolio, watched.release.read("bins.json", dict[str, Bins]), drift_params)


def test_what_was_found_is_the_first_block_of_every_page(watched, columns, drift_params, performance_params, fairness_params):
    found = performance.assess(watched.frame, watched.portfolio, Estimate(0.5, 0.4, 0.6), ("A",), performance_params)
    attributes = fairness.assess(watched.frame, watched.portfolio, {}, fairness_params)
    for page in (pages.of_drift("p", ["said"], columns, drift_params.psi), pages.of_performance("p", ["said"], found),
                 pages.of_fairness("p", ["said"], attributes, fairness_params.adverse_impact)):
        assert page.blocks[0].title == "p: what was found"
        assert list(page.blocks[0].table["text"]) == ["said"]
        assert len({block.title for block in page.blocks}) == len(page.blocks)


def test_every_column_is_in_the_table_the_worst_first(columns, drift_params):
    page = pages.of_drift("p", [], columns, drift_params.psi)
    table = page.blocks[-1].table
    assert set(table["column"]) == {column.column for column in columns}
    assert list(table["PSI"]) == sorted(table["PSI"], reverse=True)
    assert set(page.figures["measure"]) == {"PSI", "PSI, worst month", "missing"}


def test_a_window_without_months_is_ranked_not_mapped(watched, columns, drift_params):
    import msgspec

    whole = [msgspec.structs.replace(column, months=(column.total,)) for column in columns]
    assert [block.kind for block in pages.of_drift("p", [], whole, drift_params.psi).blocks][2] == "ranking"


def test_nothing_matured_still_makes_a_page(watched, performance_params, tmp_path):
    young = watched.frame.assign(bad=float("nan"))
    found = performance.assess(young, watched.portfolio, Estimate(0.5, 0.4, 0.6), ("A",), performance_params)
    reports.write(pages.of_performance("p", ["nothing"], found), tmp_path / "p.html")
    assert "no outcome has matured" in (tmp_path / "p.html").read_text()


def test_no_protected_attribute_still_makes_a_page(fairness_params, tmp_path):
    reports.write(pages.of_fairness("p", ["none"], (), fairness_params.adverse_impact), tmp_path / "p.html")
    assert "1607.4(D)" in (tmp_path / "p.html").read_text()
