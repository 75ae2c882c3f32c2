"""Performance stands on matured outcomes alone, and what cannot be measured is said, not measured."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from feature_repo.contract import BAD
from governance.limits import Verdict
from monitoring import performance, window
from monitoring.intervals import Estimate
from monitoring.performance import Reference
from serving.scoring.parts import Calibrator

BANDS = ("low", "high")
REFERENCE = Reference(Estimate(0.5, 0.45, 0.55), "development")


def drawn(rows=6_000, *, months=6, lift=1.0, seed=0, power=1.0):
    """Decisions over `months` months whose outcomes follow the PD, times `lift`."""
    random = np.random.default_rng(seed)
    pd_ = 1 / (1 + np.exp(2 - power * random.normal(size=rows)))
    times = pd.Timestamp("2024-07-01", tz="UTC") + pd.to_timedelta(np.sort(random.integers(0, 30 * months, rows)), unit="D")
    bad = (random.random(rows) < np.minimum(pd_ * lift, 1)).astype(float)
    return pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "band": np.where(pd_ < 0.12, *BANDS), BAD: bad})


def assess(mill, params, frame, reference=REFERENCE):
    return performance.assess(frame, mill, reference, BANDS, params)


def test_figures_are_those_of_the_matured_outcomes(mill, performance_params):
    frame = drawn()
    found = assess(mill, performance_params, frame).total
    counts = window.matured(frame, mill)
    assert (found.decisions, found.matured, found.bad) == (len(frame), counts.sum(), frame.loc[counts, BAD].sum())
    assert found.matured < found.decisions
    assert found.gini.value == pytest.approx(2 * metrics.roc_auc_score(frame.loc[counts, BAD], frame.loc[counts, "pd"]) - 1)
    assert found.brier == pytest.approx(metrics.brier_score_loss(frame.loc[counts, BAD], frame.loc[counts, "pd"]))


def test_outcomes_that_are_not_old_enough_change_no_figure(mill, performance_params):
    frame = drawn()
    young = ~window.matured(frame, mill)
    assert assess(mill, performance_params, frame) == assess(mill, performance_params, frame.assign(bad=frame[BAD].mask(young, 1.0)))


def test_good_pds_pass(mill, performance_params):
    frame = drawn(20_000)
    found = assess(mill, performance_params, frame)
    assert found.total.gini_verdict is Verdict.OK
    assert found.total.calibration_verdict is Verdict.OK
    assert {band.calibration_verdict for band in found.bands} == {Verdict.OK}


def test_pds_that_are_too_low_alarm_and_too_high_ones_are_watched(mill, performance_params):
    low = assess(mill, performance_params, drawn(20_000, lift=1.5))
    high = assess(mill, performance_params, drawn(20_000, lift=0.5))
    assert (low.total.calibration_verdict, performance.too_high(low.total)) == (Verdict.ALERT, False)
    assert (high.total.calibration_verdict, performance.too_high(high.total)) == (Verdict.WATCH, True)
    assert all(performance.too_high(band) for band in high.bands)


def test_pds_that_are_too_high_are_told_from_chance(performance_params):
    """100 bad outcomes are foreseen: 80 are too few to be chance, 88 are not; where 2 are foreseen, none at all says nothing."""
    verdicts = [performance.calibration_verdict(bads, 1_000, 0.1, performance_params) for bads in (80, 88, 95)]
    assert verdicts == [Verdict.WATCH, Verdict.OK, Verdict.OK]
    assert performance.calibration_verdict(0, 200, 0.01, performance_params) is Verdict.OK


def test_ranking_that_is_lost_alarms_against_development(mill, performance_params):
    frame = drawn(20_000, power=0.3)
    assert assess(mill, performance_params, frame).total.gini_verdict is Verdict.ALERT
    assert assess(mill, performance_params, frame, Reference(Estimate(0.05, 0.0, 0.1), "x")).total.gini_verdict is Verdict.OK


def test_an_alert_that_chance_explains_is_a_watch(performance_params):
    wide, narrow = Estimate(0.35, 0.1, 0.6), Estimate(0.35, 0.3, 0.4)
    assert performance.gini_verdict(wide, REFERENCE.gini, performance_params) is Verdict.WATCH
    assert performance.gini_verdict(narrow, REFERENCE.gini, performance_params) is Verdict.ALERT
    few = Estimate(0.390, 0.299, 0.481)  # a reference that is itself a guess: the two intervals together explain a loss of a fifth
    assert performance.gini_verdict(Estimate(0.309, 0.245, 0.373), few, performance_params) is Verdict.WATCH
    assert performance.calibration_verdict(5, 40, 0.09, performance_params) is Verdict.WATCH
    assert performance.calibration_verdict(500, 4_000, 0.09, performance_params) is Verdict.ALERT


@pytest.mark.parametrize(("outcome", "said"), [(0.0, "all matured outcomes are good"), (1.0, "all matured outcomes are bad"),
                                               (np.nan, "no outcome has matured")])
def test_a_month_of_one_kind_or_none_is_said(mill, performance_params, outcome, said):
    frame = drawn()
    first = frame[window.DECIDED_AT].dt.month == 7
    month = assess(mill, performance_params, frame.assign(bad=frame[BAD].mask(first, outcome))).months[0]
    assert said in month.note
    assert month.gini is month.ks is None
    assert month.gini_verdict is Verdict.INSUFFICIENT


def test_nothing_matured_at_all_is_said(mill, performance_params):
    found = assess(mill, performance_params, drawn().assign(bad=np.nan))
    assert found.total.matured == 0
    assert set(found.flagged) == {Verdict.INSUFFICIENT}


def test_few_outcomes_give_figures_and_no_verdict(mill, performance_params):
    few = drawn(300)
    found = assess(mill, performance_params, few)
    measured = [month for month in found.months if month.gini]
    assert measured
    assert all(month.gini_verdict is month.calibration_verdict is Verdict.INSUFFICIENT for month in measured)
    assert str(performance_params.minimum) in measured[0].note


def test_a_band_nobody_is_in_is_there(mill, performance_params):
    found = performance.assess(drawn(), mill, REFERENCE, (*BANDS, "never"), performance_params)
    assert [band.band for band in found.bands] == [*BANDS, "never"]
    assert (found.bands[-1].decisions, found.bands[-1].observed, found.bands[-1].calibration_verdict) == (0, None, Verdict.INSUFFICIENT)


def test_the_reference_is_the_part_kept_from_fitting(watched):
    measured = watched.release.read("measures.json")["calibration"]
    found = performance.reference(watched.release)
    assert found.gini == Estimate(measured["gini"], measured["gini_low"], measured["gini_high"])
    assert "kept from fitting" in found.of


def test_without_a_calibration_part_the_reference_is_the_cross_validation():
    figures = {"gini": 0.5, "gini_low": 0.4, "gini_high": 0.6}
    held = {"measures.json": {"development": {"gini": 0.9}, "cross_validation": figures, "test": {"gini": 0.1}},
            "calibrator.json": Calibrator("platt")}
    release = SimpleNamespace(read=lambda name, _: held[name])
    found = performance.reference(release)
    assert found.gini == Estimate(0.5, 0.4, 0.6)
    assert "cross-validation" in found.of


def test_fourteen_years_are_told_by_year_and_two_by_month(mill, performance_params):
    frame = drawn(20_000, months=150)
    assert assess(mill, performance_params, drawn(months=24)).vintage == "month"
    long = assess(mill, performance_params, frame)
    assert long.vintage == "year"
    assert [year.month for year in long.months] == sorted({str(time.year) for time in frame[window.DECIDED_AT]})
    assert sum(year.decisions for year in long.months) == len(frame)


def test_outcomes_of_rows_drawn_by_outcome_are_counted_as_the_portfolio_has_them(mill, performance_params):
    """A quarter of the goods are in the file; the PDs are the portfolio's."""
    whole = drawn(20_000)
    kept = whole[(whole[BAD] == 1) | (np.random.default_rng(1).random(len(whole)) < 0.25)]
    reference = Reference(REFERENCE.gini, REFERENCE.of, shift=float(np.log(0.25)))

    as_is, right = assess(mill, performance_params, kept), assess(mill, performance_params, kept, reference)

    assert as_is.total.calibration_verdict is Verdict.ALERT
    assert {right.total.calibration_verdict, *(band.calibration_verdict for band in right.bands)} == {Verdict.OK}
    truth = assess(mill, performance_params, whole).total
    assert (right.total.mean_pd, right.total.brier) == pytest.approx((truth.mean_pd, truth.brier), rel=0.03)
    assert right.total.observed.low < truth.observed.value < right.total.observed.high
    assert right.total.bad == truth.bad
