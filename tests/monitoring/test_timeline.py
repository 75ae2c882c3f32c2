"""Windows along time: each month of the reports once, with the figures the reports give and no others."""

from __future__ import annotations

import doctest
import json
from datetime import UTC, datetime

import pytest

from feature_repo.contract import NO_TIME
from feature_repo.errors import DataError
from governance.limits import Verdict
from monitoring import timeline
from monitoring.stages import drift, fairness, performance
from monitoring.timeline import Point


@pytest.fixture
def reports(at_home, tmp_path):
    drift.main("mill", at_home.window, at_home.release, tmp_path / "drift.json", tmp_path / "drift.html")
    figures, page = tmp_path / "performance.json", tmp_path / "performance.html"
    performance.main("mill", at_home.window, at_home.release, tmp_path / "none", figures, page, tmp_path / "plots")
    fairness.main("mill", at_home.window, at_home.release, at_home.vault, tmp_path / "fairness.json", tmp_path / "fairness.html")
    return tmp_path


def said(folder, name):
    return json.loads((folder / f"{name}.json").read_bytes())


def test_the_examples_hold():
    assert doctest.testmod(timeline).failed == 0


def test_what_has_no_time_axis_has_one_moment():
    assert timeline.first_day("all") == NO_TIME.replace(hour=12)


def test_a_month_has_the_figures_and_verdicts_of_its_reports(reports):
    moments = timeline.by_month(reports)
    told = {(moment.window, point.of, point.measure): point.value for moment in moments for point in moment.points}
    assert [moment.window for moment in moments] == [cell["month"] for cell in said(reports, "drift")["columns"][0]["months"]]
    for month in said(reports, "performance")["performance"]["months"]:
        gini = month["gini"]["value"] if month["gini"] else None
        assert told.get((month["month"], "Gini", "matured outcomes")) == gini
    for attribute in said(reports, "fairness")["attributes"]:
        for month in attribute["months"]:
            ratio = month["adverse_impact"]["value"] if month["adverse_impact"] else None
            assert told.get((month["month"], f"{month['attribute']}: {month['group']}", "adverse impact ratio")) == ratio


def test_a_window_of_the_record_is_one_moment_with_the_verdicts_of_its_reports(reports):
    moment = timeline.of_window(reports, "2023-W10", datetime(2023, 3, 6, tzinfo=UTC))
    assert (moment.window, moment.since.hour) == ("2023-W10", 12)
    assert moment.release_id == said(reports, "drift")["release_id"]
    assert moment.verdicts["drift"] == said(reports, "drift")["verdict"]
    assert Point("bad rate", "mean PD of matured", said(reports, "performance")["performance"]["total"]["mean_pd"]) in moment.points


def test_a_report_that_is_not_there_is_no_pass(tmp_path):
    moment = timeline.of_window(tmp_path, "2023-01", datetime(2023, 1, 1, tzinfo=UTC))
    assert set(moment.verdicts.values()) == {Verdict.INSUFFICIENT}
    assert moment.points == ()
    assert timeline.by_month(tmp_path) == ()


def test_a_report_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "drift.json").write_text("{")
    with pytest.raises(DataError, match=r"drift\.json cannot be read"):
        timeline.by_month(tmp_path)
