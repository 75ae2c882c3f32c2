"""The drift report names the column, the months and the size, the worst first, and keeps every figure."""

from __future__ import annotations

import msgspec
import pytest

from governance.limits import Verdict
from monitoring import drift, drift_report, window
from monitoring.distances import Distance, Interval
from serving.scoring.bins import Bins

MONTHS = ("2024-01", "2024-02", "2024-03")


def column(name, psis, *, missing=0.0, decisions=1_000, unusual=0):
    def cell(month, psi):
        verdict = Verdict.INSUFFICIENT if decisions < 500 else Verdict.ALERT if psi >= 0.25 else Verdict.WATCH if psi >= 0.1 else Verdict.OK
        return drift.Cell(month, decisions, psi, Interval(psi / 2, psi), 0.01, 0.0, Distance(0, 1), None, missing, unusual, 0, (decisions,),
                          verdict, Verdict.OK, ())
    cells = tuple(cell(month, psi) for month, psi in zip(MONTHS, psis, strict=True))
    verdict = max((one.verdict for one in cells), key=list(Verdict).index)
    return drift.Column(name, "request", "", verdict, Verdict.OK, ("any",), (1.0,), 5_000, 0.0, cell(window.ALL, 0.0), cells)


def test_the_worst_column_comes_first_with_its_months_and_size(drift_params):
    columns = [column("a", (0, 0.3, 0.4)), column("b", (0.9, 0, 0)), column("c", (0, 0.2, 0)), column("d", (0, 0, 0))]
    said = drift_report.findings(columns, drift_params)
    assert said[0].startswith("**2 of 4 columns drifted**")
    assert said[1] == "- **b** in 2024-01, at most 0.90 (0.45 to 0.90) in 2024-01"
    assert said[2] == "- **a** in 2024-02 to 2024-03, at most 0.40 (0.20 to 0.40) in 2024-03"
    assert "c in 2024-02" in said[3]


def test_nothing_found_is_said_too(drift_params):
    assert drift_report.findings([column("a", (0, 0, 0))], drift_params) == ["**0 of 1 columns drifted** (PSI 0.25 or more)."]


def test_a_changed_missing_share_unusual_values_and_small_months_are_named(drift_params):
    gone = drift_report.findings([column("a", (0.5, 0, 0), missing=0.4)], drift_params)
    assert "missing 40.0% in 2024-01, 0.0% in development" in gone[1]
    assert "a 3 in 2024-01" in drift_report.findings([column("a", (0, 0, 0), unusual=3)], drift_params)[1]
    assert "2024-01 (40)" in drift_report.findings([column("a", (0, 0, 0), decisions=40)], drift_params)[-1]


@pytest.fixture(scope="module")
def columns(watched, drift_params):
    return drift.assess(watched.frame, watched.portfolio, watched.release.read("bins.json", dict[str, Bins]), drift_params)


def test_every_column_is_in_the_table_the_worst_first(columns, drift_params):
    page = drift_report.page("p", [], columns, drift_params.psi)
    table = page.blocks[-1].table
    assert set(table["column"]) == {column.column for column in columns}
    assert list(table["PSI"]) == sorted(table["PSI"], reverse=True)
    assert set(page.figures["measure"]) == {"PSI", "PSI, worst month", "missing"}


def test_a_window_without_months_is_ranked_not_mapped(columns, drift_params):
    whole = [msgspec.structs.replace(column, months=(column.total,)) for column in columns]
    assert [block.kind for block in drift_report.page("p", [], whole, drift_params.psi).blocks][2] == "ranking"


def test_what_was_found_comes_first(columns, drift_params):
    page = drift_report.page("p", ["said"], columns, drift_params.psi)
    assert page.blocks[0].title == "p: what was found"
    assert list(page.blocks[0].table["text"]) == ["said"]
    assert len({block.title for block in page.blocks}) == len(page.blocks)
