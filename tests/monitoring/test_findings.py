"""The sentences say what the figures say: the column, the months, the size, and what could not be told."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest

from monitoring import drift, findings, window
from monitoring.alerts import Verdict
from monitoring.fairness import Attribute, Group
from monitoring.intervals import Estimate
from monitoring.performance import Band, Performance, Period

MONTHS = ("2024-01", "2024-02", "2024-03")


def column(name, psis, *, missing=0.0, decisions=1_000, unusual=0):
    def cell(month, psi):
        verdict = Verdict.INSUFFICIENT if decisions < 500 else Verdict.ALERT if psi >= 0.25 else Verdict.WATCH if psi >= 0.1 else Verdict.OK
        return drift.Cell(month, decisions, psi, 0.01, missing, unusual, (decisions,), verdict)
    cells = tuple(cell(month, psi) for month, psi in zip(MONTHS, psis, strict=True))
    verdict = max((one.verdict for one in cells), key=list(Verdict).index)
    return drift.Column(name, "request", "", verdict, ("any",), (1.0,), 5_000, 0.0, cell(window.ALL, 0.0), cells)


def test_the_examples_hold():
    assert doctest.testmod(findings).failed == 0


def test_the_worst_column_comes_first_with_its_months_and_size(drift_params):
    columns = [column("a", (0, 0.3, 0.4)), column("b", (0.9, 0, 0)), column("c", (0, 0.2, 0)), column("d", (0, 0, 0))]
    said = findings.of_drift(columns, drift_params)
    assert said[0].startswith("**2 of 4 columns drifted**")
    assert said[1] == "- **b** in 2024-01, at most 0.90 in 2024-01"
    assert said[2] == "- **a** in 2024-02 to 2024-03, at most 0.40 in 2024-03"
    assert "c in 2024-02" in said[3]


def test_nothing_found_is_said_too(drift_params):
    assert findings.of_drift([column("a", (0, 0, 0))], drift_params) == ["**0 of 1 columns drifted** (PSI 0.25 or more)."]


def test_a_changed_missing_share_unusual_values_and_small_months_are_named(drift_params):
    assert "missing 40.0% in 2024-01, 0.0% in development" in findings.of_drift([column("a", (0.5, 0, 0), missing=0.4)], drift_params)[1]
    assert "a 3 in 2024-01" in findings.of_drift([column("a", (0, 0, 0), unusual=3)], drift_params)[1]
    assert "2024-01 (40)" in findings.of_drift([column("a", (0, 0, 0), decisions=40)], drift_params)[-1]


def period(month="all", **values):
    figures = {"decisions": 100, "matured": 80, "bad": 10, "gini": Estimate(0.5, 0.4, 0.6), "ks": 0.4, "brier": 0.1, "mean_pd": 0.1,
               "observed": Estimate(0.125, 0.1, 0.2), "too_low": 0.2, "gini_verdict": Verdict.OK, "calibration_verdict": Verdict.OK,
               "note": ""}
    return Period(month=month, **{**figures, **values})


def test_performance_is_told_with_what_it_stands_on(performance_params):
    bands = (Band("B", 50, 40, 9, 0.1, Estimate(0.225, 0.1, 0.3), 0.01, Verdict.ALERT),)
    months = (period("2024-01", gini_verdict=Verdict.ALERT), period("2024-02", matured=0, note="no outcome has matured"))
    said = " ".join(findings.of_performance(Performance(Estimate(0.6, 0.5, 0.7), period(), months, bands), performance_params))
    for part in ("Gini 0.500 (0.400 to 0.600) against 0.600 (0.500 to 0.700)", "80 of 100 decisions have a matured outcome, 10 of them bad",
                 "25% more than the PDs say", "Ranking in alert: 2024-01", "band B in alert", "No outcome has matured yet: 2024-02"):
        assert part in said


def test_what_cannot_be_measured_is_the_headline(performance_params):
    total = period(matured=0, bad=0, gini=None, mean_pd=None, observed=None, note="no outcome has matured")
    assert findings.of_performance(Performance(Estimate(0.6, 0.5, 0.7), total, (), ()), performance_params)[0] == (
        "**Performance cannot be measured**: no outcome has matured.")


def group(name, month="all", impact=None, verdict=None):
    opportunity = Verdict.INSUFFICIENT if verdict else None
    return Group("kind", name, month, 100, 50, Estimate(0.5, 0.4, 0.6), impact, 0, 0, 0, 0, None, None, None, verdict, opportunity)


def test_fairness_names_the_group_its_ratio_and_its_months(fairness_params):
    hit = Estimate(0.61, 0.5, 0.7)
    one = Attribute("kind", "a", 7, {}, Verdict.ALERT, (group("a"), group("b", impact=hit, verdict=Verdict.ALERT)),
                    tuple(group("b", month, hit, Verdict.ALERT) for month in MONTHS[:2]))
    said = findings.of_fairness([one], fairness_params)
    assert said[0] == "**1 of 1 groups in alert**:"
    assert "kind: b**, alert below 0.8: adverse impact ratio 0.610 (0.500 to 0.700)" in said[1]
    assert "in alert in 2024-01 to 2024-02" in said[1]
    assert "not a pass: kind: b (100)" in said[2]
    assert "kind (7)" in said[3]


def test_without_protected_attributes_that_is_said(fairness_params):
    assert findings.of_fairness([], fairness_params) == ["This portfolio declares no protected attribute."]


@pytest.mark.parametrize("dated", [True, False])
def test_what_was_looked_at_is_said(watched, dated):
    from feature_repo.contract import Undated

    first = watched.portfolio.tables[0] if dated else replace(watched.portfolio.tables[0], time=Undated())
    portfolio = replace(watched.portfolio, tables=(first, *watched.portfolio.tables[1:]))
    (said,) = findings.of_window(watched.frame, portfolio, watched.release)
    assert watched.release.id[:12] in said
    assert f"{len(watched.frame):,}" in said
    assert ("no time axis" in said) is not dated
