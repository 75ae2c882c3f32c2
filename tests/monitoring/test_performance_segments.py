"""A segment is held against what its own PDs foresee, all of them together raise no false alarm, and too small a one gets words."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom
from sklearn import metrics

from feature_repo.contract import BAD
from governance.limits import Ceiling, Verdict
from monitoring import performance_segments, segments_report, window
from monitoring.intervals import separation
from monitoring.segments import NOT_STATED
from training import measures

LONG_AGO = pd.Timestamp("2020-01-01", tz="UTC")


@pytest.fixture
def drawn(mill):
    """Builds decisions of equal segments that have all matured, outcomes as the PDs say; `power`, `lift`: of the first segment alone."""
    (column,) = mill.segments
    newest = pd.DataFrame({window.DECIDED_AT: [pd.Timestamp("2024-01-01", tz="UTC")], "pd": [0.1], BAD: [np.nan], column: ["rest"]})

    def build(segments, rows, *, seed=0, power=1.0, lift=1.0):
        random = np.random.default_rng(seed)
        names = np.repeat([f"s{place}" for place in range(segments)], rows)
        log_odds = random.normal(size=len(names)) - 2
        first = names == "s0"
        pd_, truth = expit(log_odds), expit(np.where(first, power * (log_odds + 2) - 2, log_odds)) * np.where(first, lift, 1)
        bad = (random.random(len(names)) < truth).astype(float)
        frame = pd.DataFrame({window.DECIDED_AT: LONG_AGO, "pd": pd_, BAD: bad, column: names})
        return pd.concat([frame, newest], ignore_index=True)
    return build


def flagged(found):
    return {(one.value, what) for one in found for what in ("gini_verdict", "calibration_verdict")
            if getattr(one, what) in {Verdict.WATCH, Verdict.ALERT}}


def test_figures_are_those_of_the_matured_outcomes_and_decisions_are_counted_once(watched, performance_params):
    found = performance_segments.assess(watched.frame, watched.portfolio, performance_params)
    (column,) = watched.portfolio.segments
    assert sum(one.decisions for one in found) == len(watched.frame)
    assert sum(one.matured for one in found) == window.matured(watched.frame, watched.portfolio).sum()
    one = next(one for one in found if one.gini and one.value != NOT_STATED)
    rows = watched.frame[window.matured(watched.frame, watched.portfolio) & (watched.frame[column] == one.value).to_numpy()]
    assert one.gini.value == pytest.approx(2 * metrics.roc_auc_score(rows[BAD], rows["pd"]) - 1)
    assert one.ks.value == pytest.approx(measures.ks(rows[BAD].to_numpy(), rows["pd"].to_numpy()))
    assert (one.observed.value, one.mean_pd) == (pytest.approx(rows[BAD].mean()), pytest.approx(rows["pd"].mean()))


def test_of_segments_whose_pds_are_right_nearly_no_window_has_a_flag(drawn, mill, performance_params):
    windows = [flagged(performance_segments.assess(drawn(20, 300, seed=seed), mill, performance_params)) for seed in range(40)]
    assert sum(map(bool, windows)) <= 5  # more than 5 of 40, where one in twenty is promised, has a chance of one in seventy


def test_the_false_alarms_of_calibration_both_ways_leave_room_for_those_of_ranking(drawn, mill, performance_params):
    """Exact, over every number of bad ones among 1,000 at a PD of 0.1, whatever their size: a fifth of the false alarms is ranking's."""
    any_size = msgspec.structs.replace(performance_params, excess_bad=Ceiling(watch=1e-9, alert=1.0))
    frame, alarms = drawn(1, 1_000).assign(pd=0.1), 0.0
    for bads in range(50, 151):
        outcomes = np.append(np.arange(1_000) < bads, np.nan)
        one = performance_segments.assess(frame.assign(**{BAD: outcomes}), mill, any_size)[-1]
        alarms += binom.pmf(bads, 1_000, 0.1) * (one.calibration_verdict is not Verdict.OK)
    assert 0.02 < alarms < (1 - performance_params.confidence) * 4 / 5


@pytest.mark.parametrize(("change", "what"), [({"power": 0.1}, "gini_verdict"), ({"lift": 1.6}, "calibration_verdict")])
def test_one_segment_among_many_that_is_off_is_found(drawn, mill, performance_params, change, what):
    found = performance_segments.assess(drawn(20, 1_500, **change), mill, performance_params)
    assert ("s0", what) in flagged(found)
    assert {value for value, _ in flagged(found)} == {"s0"}
    assert next(getattr(one, what) for one in found if one.value == "s0") is Verdict.ALERT


def test_too_small_a_segment_is_withheld_and_said(drawn, mill, performance_params):
    few, rare = (performance_segments.assess(frame, mill, performance_params)[-1] for frame in
                 (drawn(1, 199), drawn(1, 400).pipe(lambda frame: frame.assign(bad=frame[BAD].where(frame.index % 30 == 0, 0.0)))))
    assert (few.bad, few.gini, few.ks, few.mean_pd, few.observed, few.too_low) == (None,) * 6
    assert few.matured == 199
    assert segments_report.blocks([few])[-1].table.loc[0, "bad"] == "-"
    assert few.note == "withheld: fewer than 200 matured outcomes"
    assert rare.observed is not None
    assert (rare.gini, rare.ks, rare.gini_verdict, rare.note) == (
        None, None, Verdict.INSUFFICIENT, "ranking is withheld: fewer than 20 bad outcomes")
    assert any(few.name in sentence for sentence in segments_report.findings([few]))


def test_a_small_excess_that_is_no_chance_is_not_called_chance(drawn, mill, performance_params):
    outcomes = np.append(np.arange(20_000) < 2_140, np.nan)  # 7% more than the PDs say
    one = performance_segments.assess(drawn(1, 20_000).assign(**{"pd": 0.1, BAD: outcomes}), mill, performance_params)[-1]
    assert one.too_low < 0.001
    assert segments_report.findings([one])[0] == "No segment's PDs are off beyond the limits and by more than chance."


def test_a_flag_is_told_with_what_it_stands_on(drawn, mill, performance_params):
    found = performance_segments.assess(drawn(3, 1_500, power=0.1, lift=1.6), mill, performance_params)
    said = " ".join(segments_report.findings(found))
    assert f"**Ranking in {found[1].name}: alert.**" in said
    assert f"**Calibration of {found[1].name}: alert.**" in said
    assert [len(block.table) for block in segments_report.blocks(found)][-1] == len(found)
    assert segments_report.blocks(()) == segments_report.findings(()) == []


def test_the_ks_distance_is_within_its_interval_as_often_as_its_docstring_says():
    """Of two normals a unit apart it is known; nearly as few outcomes as a verdict needs, and ten times as many."""
    random, truth = np.random.default_rng(0), 0.3829249225480262  # 2 Phi(1/2) - 1
    for bads, goods in ((30, 300), (300, 3_000)):
        bad = np.repeat([1.0, 0.0], [bads, goods])
        intervals = [separation(bad, random.normal(size=len(bad)) + bad, 0.95) for _ in range(600)]
        assert np.mean([one.low <= truth <= one.high for one in intervals]) > 0.89
    upside_down = separation(bad, -bad, 0.95)
    assert (upside_down.value, upside_down.high) == (1.0, 1.0)
