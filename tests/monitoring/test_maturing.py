"""What is told of a vintage before its outcomes uses none of them, is of those who will have one, and keeps its own record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import BAD
from monitoring import maturing, performance, window
from monitoring.intervals import Estimate
from monitoring.performance import Reference

REFERENCE = Reference(Estimate(0.5, 0.45, 0.55), "development")


def drawn(rows=12_000, *, lift=1.0, seed=0):
    """Decisions of July to December 2024, of which those of October on are too young; who is declined is never followed."""
    random = np.random.default_rng(seed)
    pd_ = 1 / (1 + np.exp(2 - random.normal(size=rows)))
    times = pd.Timestamp("2024-07-01", tz="UTC") + pd.to_timedelta(np.sort(random.integers(0, 184, rows)), unit="D")
    bad = (random.random(rows) < np.minimum(pd_ * lift, 1)).astype(float)
    outcome = np.where(pd_ < 0.2, "approve", "decline")
    return pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "band": "all", "outcome": outcome, BAD: np.where(pd_ < 0.2, bad, np.nan)})


def told(mill, params, frame):
    return maturing.assess(frame, mill, performance.assess(frame, mill, REFERENCE, ("all",), params), params)


def test_the_outcomes_of_a_vintage_change_nothing_that_is_told_of_it(mill, performance_params):
    frame = drawn()
    july = frame[window.DECIDED_AT].dt.month == 7
    others = frame.assign(bad=frame[BAD].mask(july, 1 - frame[BAD]))
    first, other = (told(mill, performance_params, one).spans[0] for one in (frame, others))
    unknown = told(mill, performance_params, frame.assign(bad=frame[BAD].mask(july))).spans[0]

    assert first.bad_rate != other.bad_rate
    assert first.estimated == other.estimated == unknown.estimated


def test_an_estimate_is_of_those_who_will_have_an_outcome(mill, performance_params):
    frame = drawn()
    found = told(mill, performance_params, frame)
    approved = frame[frame["outcome"] == "approve"]
    young = approved.loc[~window.old_enough(approved, mill, mill.outcome.matures_after), "pd"]

    assert found.young.outcomes == pytest.approx(len(young))
    assert found.young.bad_rate.value == pytest.approx(young.mean())
    assert found.followed == pytest.approx((frame["outcome"] == "approve").mean(), abs=0.02)


def test_right_pds_have_a_record_that_holds_and_pds_that_stopped_being_right_have_not(mill, performance_params):
    right, wrong = (told(mill, performance_params, drawn(lift=lift)) for lift in (1.0, 1.5))

    assert [(record.measure, record.vintages, record.holds) for record in right.record] == [("Gini", 3, True), ("bad rate", 3, True)]
    gini, rate = wrong.record
    assert (rate.holds, rate.within, rate.error > 0) == (False, 0, True)
    assert gini.holds


def test_a_small_error_that_every_vintage_shares_is_told_from_chance(performance_params):
    pairs = [(Estimate(0.66, 0.58, 0.74), Estimate(0.615, 0.5, 0.7))] * 12
    found = maturing.record("Gini", pairs, performance_params.confidence)

    assert (found.within, found.few_by_chance, found.holds) == (12, 1.0, False)
    assert found.error == pytest.approx(-0.045)
    assert maturing.record("Gini", pairs[:1], performance_params.confidence).holds


def test_a_vintage_that_has_not_matured_whole_is_in_no_record_though_it_has_outcomes_enough(mill, performance_params):
    found = told(mill, performance_params, drawn(80_000))
    october = found.spans[3]

    assert [span.on_book for span in found.spans] == [4, 3, 3, 1, 1, 0]
    assert [span.old_enough for span in found.spans] == [1, 1, 1, pytest.approx(0.04, abs=0.04), 0, 0]
    assert october.matured >= performance_params.minimum
    assert october.bad >= performance_params.minimum_bad
    assert found.record[0].vintages == 3


def test_without_any_outcome_everybody_is_estimated_and_there_is_no_record(mill, performance_params):
    frame = drawn().assign(bad=np.nan)
    found = told(mill, performance_params, frame)

    assert found.followed is None
    assert found.spans[0].estimated.outcomes == pytest.approx(found.spans[0].decisions)
    assert [(record.vintages, record.holds) for record in found.record] == [(0, None), (0, None)]
