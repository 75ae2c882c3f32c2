"""The performance report says how PDs rank and hold, on how many outcomes, which way they are off, and what could not be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from feature_repo.portfolios import load
from feature_repo.sources import Sampled
from governance.limits import Verdict
from monitoring import performance, performance_report, reports
from monitoring.intervals import Estimate
from monitoring.maturing import Maturing
from monitoring.maturing_report import Way
from monitoring.performance import Band, Performance, Period, Reference

NOTHING_TOLD = Way(Maturing((), None, None, ()), None)
REFERENCE = Reference(Estimate(0.6, 0.5, 0.7), "the part of development kept from fitting")


def period(month="all", **values):
    figures = {"decisions": 100, "matured": 80, "bad": 10, "gini": Estimate(0.5, 0.4, 0.6), "ks": 0.4, "brier": 0.1, "ece": 0.01,
               "mean_pd": 0.1, "observed": Estimate(0.125, 0.1, 0.2), "too_low": 0.2, "gini_verdict": Verdict.OK,
               "calibration_verdict": Verdict.OK, "note": ""}
    return Period(month=month, **{**figures, **values})


def test_performance_is_told_with_what_it_stands_on(performance_params):
    bands = (Band("B", 50, 40, 9, 0.1, Estimate(0.225, 0.1, 0.3), 0.01, Verdict.ALERT),)
    months = (period("2024-01", gini_verdict=Verdict.ALERT), period("2024-02", matured=0, note="no outcome has matured"))
    said = " ".join(performance_report.findings(Performance(REFERENCE, "month", period(), months, bands), performance_params))
    for part in ("Gini 0.500 (0.400 to 0.600) against 0.600 (0.500 to 0.700) in the part of development kept from fitting",
                 "80 of 100 decisions have a matured outcome, 10 of them bad",
                 "25% more than the PDs say", "Ranking in alert: 2024-01", "Calibration of band B: alert",
                 "No outcome has matured yet: 2024-02"):
        assert part in said


def test_what_cannot_be_measured_is_the_headline(performance_params):
    total = period(matured=0, bad=0, gini=None, gini_verdict=Verdict.INSUFFICIENT, mean_pd=None, observed=None,
                   note="no outcome has matured")
    assert performance_report.findings(Performance(REFERENCE, "month", total, (), ()), performance_params)[0] == (
        "**Performance cannot be measured: insufficient.** No outcome has matured.")


@pytest.mark.parametrize(("observed", "verdict", "said"), [
    (0.1001, Verdict.OK, "as the PDs say."),
    (0.105, Verdict.OK, "5% more than the PDs say, within the limits."),
    (0.08, Verdict.OK, "20% fewer than the PDs say, which chance explains."),
    (0.13, Verdict.ALERT, "30% more than the PDs say."),
    (0.45, Verdict.ALERT, "4.5 times as many as the PDs say."),
    (0.05, Verdict.WATCH, "50% fewer than the PDs say; that loses no money, but prices and declines people"),
    (0.05, Verdict.INSUFFICIENT, "50% fewer than the PDs say."),
])
def test_how_far_the_pds_are_off_is_said_as_it_is_judged(performance_params, observed, verdict, said):
    total = period(mean_pd=0.1, observed=Estimate(observed, 0.0, 0.2), calibration_verdict=verdict)
    assert said in performance_report.findings(Performance(REFERENCE, "month", total, (), ()), performance_params)[1]


def test_pds_that_are_too_high_are_named_in_words_table_months_and_bands(performance_params):
    off = {"mean_pd": 0.1, "observed": Estimate(0.05, 0.04, 0.06), "calibration_verdict": Verdict.WATCH}
    found = Performance(REFERENCE, "month", period(**off), (period("2024-01", **off), period("2024-02")),
                        (Band("C", 500, 400, 20, 0.1, off["observed"], 1.0, Verdict.WATCH),))
    said = performance_report.findings(found, performance_params)
    assert said[1].startswith("**Calibration: watch, PDs too high.** 5.0% bad, mean PD 10.0%")
    assert "PDs too high: 2024-01." in said
    assert "**Calibration of band C: watch, PDs too high.** 5.0% bad, mean PD 10.0%." in said
    tables = {block.title: block.table for block in performance_report.page("p", said, found, (), NOTHING_TOLD).blocks}
    assert list(tables["By month"]["calibration"]) == ["watch, PDs too high", "ok", "watch, PDs too high"]
    assert list(tables["By score band"]["calibration"]) == ["watch, PDs too high"]


def test_the_page_begins_with_what_was_found_and_ends_with_how_to_read_it(watched, performance_params):
    found = performance.assess(watched.frame, watched.portfolio, REFERENCE, ("A",), performance_params)
    page = performance_report.page("p", ["said"], found, (), NOTHING_TOLD)
    assert (page.blocks[0].title, list(page.blocks[0].table["text"])) == ("p: what was found", ["said"])
    assert "narrower range of PDs" in page.blocks[-1].table["text"][0]
    assert any("dotted: the part of development kept from fitting" in block.title for block in page.blocks)
    assert len({block.title for block in page.blocks}) == len(page.blocks)


def test_nothing_matured_still_makes_a_page(watched, performance_params, tmp_path):
    young = watched.frame.assign(bad=float("nan"))
    found = performance.assess(young, watched.portfolio, REFERENCE, ("A",), performance_params)
    reports.write(performance_report.page("p", ["nothing"], found, (), NOTHING_TOLD), tmp_path / "p.html")
    assert "no outcome has matured" in (tmp_path / "p.html").read_text()


def test_the_page_says_until_when_outcomes_were_seen_and_the_contracts_caveat(watched):
    outcome = replace(watched.portfolio.outcome, observed_until=datetime(2014, 1, 31, tzinfo=UTC), matures_after=timedelta(days=1_000),
                      caveat="loans still open are absent")
    said = performance_report.outcomes_seen(replace(watched.portfolio, outcome=outcome))
    assert said[0] == ("Outcomes were last seen on 2014-01-31 and count once 1,000 days old: applications after 2011-05-07 are not mature "
                       "and not counted.")
    assert said[1] == "What a reader of bad rates must know: loans still open are absent."


def test_a_portfolio_without_a_time_axis_says_its_caveat_alone():
    undated = load("card_default")
    assert performance_report.outcomes_seen(undated) == []
    said = performance_report.outcomes_seen(replace(undated, outcome=replace(undated.outcome, caveat="bad ones were over-sampled")))
    assert said == ["What a reader of bad rates must know: bad ones were over-sampled."]


def test_a_sample_drawn_by_outcome_says_what_its_pds_are_of():
    sampled = load("german_credit")
    known = replace(sampled, outcome=replace(sampled.outcome, sampled=Sampled(portfolio_bad_rate=0.05, source="the bank's book of 1975")))

    (said,) = performance_report.outcomes_seen(sampled)
    assert "the portfolio's bad rate is not declared: a PD is of this sample, not of a portfolio" in said
    assert "those of a portfolio of which 0.05 is bad (the bank's book of 1975)" in performance_report.outcomes_seen(known)[0]
