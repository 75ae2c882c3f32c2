"""What a committee is told: every fault and shift with what it costs, the dearest first, and in words who does what about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from feature_repo.params import read
from governance.limits import Verdict
from monitoring import concerns, drift, loss, performance, summary
from monitoring.alerts.alert import Kind
from monitoring.alerts.params import AlertsParams
from monitoring.concerns import FAULT, HIGH, LOW, RANKING, SHIFT, Concern, Scope
from monitoring.intervals import Estimate
from monitoring.overrides import Overrides, Share
from monitoring.params import LossParams, SummaryParams
from monitoring.performance import Band, Performance, Reference, Segment
from monitoring.summary import Decided, Drifted, Fared, Performed, Reports
from monitoring.summary_page import COSTS, DO, Told
from serving.scoring.bins import Bins

COSTLY = LossParams(0.45, 0.95)
PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(scope="module")
def scope(watched):
    """The window with one number grown in its second half and another missing there: a shift and a fault of data."""
    portfolio, frame = watched.portfolio, watched.frame.sort_values("decided_at", ignore_index=True)
    grown, gone = [column.name for column in portfolio.requests if not column.is_level][:2]
    late = np.arange(len(frame)) >= len(frame) // 2
    frame[grown] = np.where(late, 2.0 * frame[grown], frame[grown])
    frame[gone] = np.where(late & (np.arange(len(frame)) % 2 == 0), np.nan, frame[gone])
    return Scope(frame, portfolio, watched.release.read("bins.json", dict[str, Bins]), COSTLY, read("alerts", AlertsParams, PARAMS).rules)


@pytest.fixture(scope="module")
def columns(scope, drift_params):
    return drift.assess(scope.frame, scope.portfolio, scope.bins, drift_params)


def reports(columns=(), measured=None, overrides=None):
    return Reports(Drifted(Verdict.ALERT, (), tuple(columns)), Performed(Verdict.OK, (), measured), Fared(), Decided((), overrides))


def told(scope, of):
    return Told(scope.portfolio, of, summary.assess(of, scope), COSTLY, SummaryParams(confidence=0.95, most=8), 0.05)


def test_a_shift_and_a_fault_are_told_of_the_months_they_are_in(scope, columns):
    grown, gone = [column.name for column in scope.portfolio.requests if not column.is_level][:2]
    found = {(one.subject, one.part): one for one in concerns.drifted(columns, scope)}
    assert {(grown, SHIFT), (gone, FAULT)} <= set(found)
    fault = found[gone, FAULT]
    assert "missing share" in fault.sure
    assert scope.frame["decided_at"].dt.strftime("%Y-%m").iloc[0] not in fault.months
    assert (fault.owner, fault.days) == ("models", 10)


def test_the_dearest_is_told_first_and_what_has_no_effect_that_could_be_told_before_it(scope, columns):
    cheap_first = sorted(columns, key=lambda column: sum(abs(one.effect.value) for one in concerns.drifted([column], scope)))
    worse = measured(gini_verdict=Verdict.WATCH)
    found = summary.assess(reports(cheap_first, worse), scope).concerns
    assert [one.part for one in found].index(RANKING) == 0
    costs = [abs(one.effect.value) for one in found[1:]]
    assert len(costs) > 1
    assert costs == sorted(costs, reverse=True)


def measured(gini_verdict=Verdict.OK, verdict=Verdict.OK, observed=0.1):
    rate = Estimate(observed, observed / 2, observed * 2)
    total = performance.Period("all", 100, 80, 10, Estimate(0.4, 0.3, 0.5), 0.4, 0.1, 0.01, 0.1, rate, 0.2, gini_verdict, verdict, "")
    band = Band("A", 50, 40, 9, 0.1, rate, 0.01, verdict)
    return Performance(Reference(Estimate(0.6, 0.5, 0.7), "development"), "month", total, (), (band,))


@pytest.mark.parametrize(("observed", "verdict", "part"), [(0.15, Verdict.ALERT, LOW), (0.05, Verdict.WATCH, HIGH)])
def test_pds_that_are_off_cost_what_is_lost_beyond_the_expected_in_each_band(scope, observed, verdict, part):
    found = {one.subject: one for one in concerns.performed(measured(verdict=verdict, observed=observed), scope)}
    expected = loss.losses(scope.frame, scope.portfolio, 0.45)[(scope.frame["band"] == "A").to_numpy()].sum()
    assert set(found) == {"all bands", "band A"}
    assert found["band A"].part == part
    assert found["band A"].effect.value == pytest.approx(expected * (observed / 0.1 - 1))


def test_a_segment_that_is_off_is_a_finding_with_its_own_cost(scope):
    column = scope.portfolio.segments[0]
    here = scope.frame[column] == (value := scope.frame[column].dropna().iloc[0])
    rate = Estimate(0.15, 0.1, 0.2)
    of = Segment(column, value, 500, 400, 60, rate, Estimate(0.5, 0.4, 0.6), rate, 0.1, rate, 0.001, Verdict.ALERT, Verdict.ALERT, "")
    found = {one.part: one for one in concerns.performed(msgspec.structs.replace(measured(), segments=(of,)), scope)}
    assert {one.subject for one in found.values()} == {f"segment {of.name}"}
    assert found[RANKING].sure == "Gini 0.15 (0.10 to 0.20); its PDs foresee 0.50 (0.40 to 0.60)"
    assert found[LOW].effect.value == pytest.approx(loss.losses(scope.frame, scope.portfolio, 0.45)[here.to_numpy()].sum() * 0.5)
    assert told(scope, reports()).row(found[LOW])["of_loss"].endswith("of the segment's expected loss")


def test_a_result_of_the_model_that_moved_is_no_task_of_its_own(scope):
    moved = Concern(Kind.DRIFT, "pd", SHIFT, Verdict.ALERT, "whole window", "PSI 0.3", Estimate(1.0, 0.5, 1.5), 0.1)
    found = told(scope, reports())
    found = replace(found, summary=msgspec.structs.replace(found.summary, concerns=(moved,)))
    assert found.row(moved)["act"] == "See the inputs"
    assert found.answers()[DO] == ["Nothing is in alert: no decision is asked for."]


def test_each_thing_to_do_is_said_once_with_whose_it_is(scope, columns):
    said = told(scope, reports(columns)).answers()[DO]
    acts = [sentence.split(": ", 1)[1] for sentence in said]
    assert len(acts) == len(set(acts))
    assert all("(models, within 10 days)." in act for act in acts)


def test_overrides_and_what_was_not_judged_are_said(scope):
    none = Share(0, 0, None)
    found = told(scope, reports(overrides=Overrides(Share(3, 200, None), none, none, none, {}, (), ()))).found()
    assert "People decided otherwise in 3 of 200 decisions." in found[0]
    assert "Not judged, which is not a pass: fairness." in found[1]


def test_with_nothing_in_alert_no_decision_is_asked_for(scope):
    found = told(scope, reports(measured=measured()))
    assert found.answers()[DO] == ["Nothing is in alert: no decision is asked for."]
    assert len(found.answers()[COSTS]) == 1
