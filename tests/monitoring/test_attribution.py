"""What moved the log-odds is told exactly, input by input, and chance moves nothing."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from passed import samples

from governance.limits import Ceiling, Verdict
from monitoring import attribution, window
from monitoring.params import AttributionParams
from serving.scoring import decision
from serving.scoring.reasons import Against


@pytest.fixture(scope="module")
def scorer(watched):
    return decision.load(watched.release, watched.portfolio)


def assess(frame, scorer, params):
    return attribution.assess(samples(frame, scorer.portfolio, params.attribution.sample), scorer, params)


@pytest.fixture(scope="module")
def everybody(drift_params):
    """Every decision is explained."""
    return msgspec.structs.replace(drift_params, attribution=msgspec.structs.replace(drift_params.attribution, sample=10**6))


def test_the_shifts_of_all_inputs_add_up_to_the_move_of_the_mean_margin(watched, scorer, everybody):
    found = assess(watched.frame, scorer, everybody)
    before = scorer.baselines[Against.EVERYONE].sum()
    intercept = watched.frame["margin"].mean() - attribution.contributions(watched.frame, scorer).sum(axis=1).mean()
    for place, (_, rows) in enumerate(window.slices(watched.frame, watched.portfolio)):
        moved = watched.frame["margin"].iloc[rows].mean() - intercept - before
        assert attribution.total(found, place) == pytest.approx(moved, abs=1e-6)


def test_a_window_like_development_has_moved_nothing(watched, scorer, drift_params):
    found = assess(watched.frame, scorer, drift_params)
    assert [each.column for each in found] == [column.name for column in watched.portfolio.inputs]
    assert {month.verdict for each in found for month in each.months} <= {Verdict.OK, Verdict.INSUFFICIENT}


def test_what_chance_moves_is_no_verdict_however_low_the_limit(watched, scorer, drift_params):
    strict = msgspec.structs.replace(drift_params, attribution=AttributionParams(Ceiling(watch=0.001, alert=0.002), sample=300))
    months = [month for each in assess(watched.frame, scorer, strict) for month in each.months if month.low is not None]
    assert np.mean([abs(month.shift) > 0.001 for month in months]) > 0.8
    assert np.mean([month.verdict is not Verdict.OK for month in months]) < 0.05


def test_the_input_that_moves_the_log_odds_is_named_and_the_others_are_not(watched, scorer, drift_params):
    weights = attribution.contributions(watched.frame, scorer).std(axis=0)
    place = int(np.argmax(weights))
    column = watched.portfolio.inputs[place]
    found = attribution.contributions(watched.frame, scorer)[:, place]
    worst = watched.frame[column.name].iloc[int(np.argmax(found))]
    shifted = watched.frame.assign(**{column.name: worst})
    by_column = {each.column: each for each in assess(shifted, scorer, drift_params)}
    assert by_column[column.name].verdict is Verdict.ALERT
    assert all(month.shift > 0 for month in by_column[column.name].months)


def test_few_decisions_get_no_verdict_and_a_release_without_a_baseline_none_at_all(watched, scorer, drift_params):
    few = assess(watched.frame.head(40), scorer, drift_params)
    assert {month.verdict for each in few for month in each.months} == {Verdict.INSUFFICIENT}
    assert few[0].months[0].low is None
    assert assess(watched.frame, replace(scorer, baselines={}), drift_params) == ()


def test_a_sample_of_one_decision_has_no_spread_and_gets_no_verdict(watched, scorer, drift_params):
    one = msgspec.structs.replace(drift_params, attribution=msgspec.structs.replace(drift_params.attribution, sample=1))
    found = [month for each in assess(watched.frame, scorer, one) for month in each.months]
    assert {(month.verdict, month.low, month.high) for month in found} == {(Verdict.INSUFFICIENT, None, None)}
