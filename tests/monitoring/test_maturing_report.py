"""A reader is told what an estimate rests on and how such estimates fared, and one chart leads from estimate to truth."""

from __future__ import annotations

import pytest

from governance.limits import Verdict
from monitoring import maturing_report, pages, plots, reports
from monitoring.early import Sign, Signs
from monitoring.estimate import Expected
from monitoring.intervals import Estimate
from monitoring.maturing import Maturing, Record, Span
from monitoring.maturing_report import Way

RATE, GINI = Estimate(0.1, 0.08, 0.12), Estimate(0.6, 0.5, 0.7)
EXPECTED = Expected(100, 80.0, 8.0, GINI, Estimate(0.4, 0.3, 0.5), Estimate(0.08, 0.07, 0.09), RATE)
HELD = Record("Gini", 3, 3, 1.0, -0.01, 0.5, holds=True)
MISSED = Record("bad rate", 3, 0, 0.0001, 0.05, 0.0, holds=False)
DONE = Span("2024-01", 14, 100, 1.0, 80, 9, EXPECTED, Estimate(0.55, 0.4, 0.7), Estimate(0.11, 0.06, 0.19))
YOUNG = Span("2024-02", 3, 100, 0.0, 0, 0, EXPECTED, None, None)
FOUND = Maturing((DONE, YOUNG), EXPECTED, 0.8, (HELD, MISSED))


def sign(month, **values):
    figures = {"decisions": 100, "known": 80, "late": 5, "rate": Estimate(0.0625, 0.02, 0.14), "projected": Estimate(0.15, 0.12, 0.18),
               "mean_pd": 0.1, "bad_rate": None, "verdict": Verdict.WATCH}
    return Sign(month, **{**figures, **values})


SIGNS = Signs("30 days past due within three months", Estimate(0.4, 0.3, 0.5), Estimate(0.02, 0.01, 0.03), Estimate(0.7, 0.6, 0.8),
              sign("without outcomes"), (sign("2024-01", bad_rate=RATE, verdict=Verdict.OK), sign("2024-02")),
              Record("bad rate by the early sign", 1, 1, 1.0, 0.002, 0.9, holds=True))


def test_an_estimate_is_told_with_its_assumption_whom_it_is_of_and_its_record(performance_params):
    said = " ".join(maturing_report.findings(Way(FOUND, SIGNS), performance_params))
    for part in (
        "Not known yet, estimated from PDs: 100 decisions (2024-02)", "Gini 0.600 (0.500 to 0.700)", "10.0% (8.0% to 12.0%) bad",
        "if what ties applicants to their outcome has not changed", "Of decisions old enough 80% have an outcome",
        "estimates of the Gini fared: 3 of 3 matured vintages were within the 95% interval, on average 0.010 below what was told",
        "which chance explains. How such estimates of the bad rate fared: 0 of 3", "5.0 points above what was told, which is not chance",
        "**Early sign against the PDs: watch.** 6.2% of 80 show it (30 days past due within three months)",
        "by that 15.0% (12.0% to 18.0%) will be bad, mean PD 10.0%.", "Of matured outcomes that showed the sign 70.0%",
        "Above the PDs by the early sign: 2024-02.", "How such projections fared: 1 of 1",
    ):
        assert part in said


@pytest.mark.parametrize(("found", "said"), [
    (Maturing((DONE,), None, 0.8, (HELD,)), []),
    (Maturing((YOUNG,), EXPECTED, None, (Record("Gini", 0, 0, None, None, None, None),)),
     ["estimated from PDs", "No outcome of this window is known: the estimate is of everybody"]),
    (Maturing((YOUNG,), EXPECTED, 1.0, (Record("Gini", 0, 0, None, None, None, None),)),
     ["estimated from PDs", "No vintage has matured whole, with outcomes enough, to hold an estimate of the Gini against."]),
    (Maturing((YOUNG,), Expected(100, 0.0, 0.0, None, None, None, None), 0.5, ()), ["none is expected: nothing is estimated", "50%"]),
])
def test_what_cannot_be_estimated_or_held_against_anything_is_said(performance_params, found, said):
    told = maturing_report.findings(Way(found, None), performance_params)
    assert len(told) == len(said)
    assert all(part in sentence for part, sentence in zip(said, told, strict=True))


def test_a_sign_too_few_show_projects_nothing_and_says_so(performance_params):
    few = Signs("late", None, None, None, sign("x", projected=None, verdict=Verdict.INSUFFICIENT), (),
                Record("x", 0, 0, None, None, None, None))
    assert maturing_report.findings(Way(FOUND, few), performance_params)[-1] == (
        "Early sign (late): too few signs or matured outcomes to project a bad rate.")


def test_the_chart_leads_from_the_band_of_the_estimate_over_the_sign_to_what_was_realised():
    (block,) = maturing_report.chart("month", Way(FOUND, SIGNS))
    figure = plots.CHARTS[block.kind](block.table)
    drawn = {(trace.name, trace.yaxis): list(trace.x) for trace in figure.data if trace.name}

    assert drawn == {("estimated from PDs", "y"): ["2024-01", "2024-02"], ("realised", "y"): ["2024-01"],
                     ("estimated from PDs", "y2"): ["2024-01", "2024-02"], ("realised", "y2"): ["2024-01"],
                     ("by the early sign", "y2"): ["2024-02"]}
    assert [trace.fill for trace in figure.data if not trace.name] == [None, "tonexty"] * 2
    assert len([trace for trace in figure.data if trace.showlegend]) == 3


def test_without_vintages_there_is_no_chart_and_the_page_still_says_how_to_read_an_estimate(tmp_path):
    way = Way(Maturing((), EXPECTED, None, ()), None)
    assert maturing_report.chart("window", way) == []
    page = reports.Page("p", (*maturing_report.tables("window", way), *maturing_report.tables("month", Way(FOUND, SIGNS))),
                        pages.table([], pages.FIGURE))
    assert [block.title for block in page.blocks] == ["How to read estimates", "From estimate to truth, by month",
                                                      "Early sign by month: 30 days past due within three months", "How to read estimates"]
    assert list(page.blocks[1].table["share matured"]) == ["80.0%", "0.0%"]
