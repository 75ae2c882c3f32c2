"""Group figures are right to the last decision, small groups never pass, and a gap is found in the group it is in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate

from feature_repo.contract import BAD, Action
from feature_repo.portfolios import load
from governance.limits import Verdict
from monitoring import fairness, window

PORTFOLIO = load("consumer_loans")
COLUMN = next(column for column in PORTFOLIO.protected if len(column.group_names) == 4 and column.groups)
OTHERS = [name for name in COLUMN.group_names if name != COLUMN.reference]


def decided(rows, rates, *, seed=0, sizes=None):
    """Decisions whose approval rate depends on the group; outcomes follow the PD. All matured."""
    random = np.random.default_rng(seed)
    group = random.choice(COLUMN.group_names, rows, p=sizes)
    approved = random.random(rows) < pd.Series(group).map(rates).to_numpy()
    pd_ = random.uniform(0.02, 0.2, rows)
    times = pd.Timestamp("2022-01-01", tz="UTC") + pd.to_timedelta(np.sort(random.integers(0, 365, rows)), unit="D")
    frame = pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "outcome": np.where(approved, Action.APPROVE, Action.DECLINE),
                          BAD: (random.random(rows) < pd_).astype(float)})
    for column in PORTFOLIO.protected:
        frame[column.name] = group if column is COLUMN else column.reference
    return frame


def assess(frame, params, baseline=None):
    return next(one for one in fairness.assess(frame, PORTFOLIO, baseline or {}, params) if one.attribute == COLUMN.name)


def of(attribute, group):
    return next(one for one in attribute.groups if one.group == group)


def test_a_group_approved_less_often_is_found_and_no_other(fairness_params):
    found = assess(decided(20_000, {**dict.fromkeys(COLUMN.group_names, 0.6), OTHERS[1]: 0.42}), fairness_params)
    assert [group.group for group in found.groups if group.impact_verdict is Verdict.ALERT] == [OTHERS[1]]
    hit = of(found, OTHERS[1])
    assert hit.adverse_impact.value == pytest.approx(0.7, abs=0.03)
    assert hit.adverse_impact.low < hit.adverse_impact.value < hit.adverse_impact.high < 0.8
    assert hit.opportunity_verdict is Verdict.ALERT
    assert {of(found, name).impact_verdict for name in (OTHERS[0], OTHERS[2])} == {Verdict.OK}


def test_every_count_and_rate_is_that_of_a_plain_count(fairness_params):
    frame = decided(5_000, dict(zip(COLUMN.group_names, (0.6, 0.5, 0.4, 0.7), strict=True)))
    frame.loc[::7, BAD] = np.nan
    found = assess(frame, fairness_params)
    months = window.months(frame, PORTFOLIO)
    for group in (*found.groups, *found.months):
        rows = frame[(frame[COLUMN.name] == group.group) & ((group.month == window.ALL) | (months == group.month))]
        known = rows[rows[BAD].notna()]
        good = known[known[BAD] == 0]
        assert (group.decisions, group.approved) == (len(rows), (rows["outcome"] == Action.APPROVE).sum())
        assert (group.matured, group.bad, group.good) == (len(known), known[BAD].sum(), len(good))
        assert group.good_approved == (good["outcome"] == Action.APPROVE).sum()
        assert group.mean_pd == pytest.approx(known["pd"].mean(), rel=1e-12)
        assert group.approval_rate.value == pytest.approx(group.approved / group.decisions)
    assert len(found.months) == len(set(months)) * len(COLUMN.group_names)


def test_rates_are_those_fairlearn_states(fairness_params):
    frame = decided(5_000, dict(zip(COLUMN.group_names, (0.6, 0.5, 0.4, 0.7), strict=True)))
    stated = MetricFrame(metrics={"n": count, "approved": selection_rate, "good_approved": true_positive_rate}, y_true=frame[BAD] == 0,
                         y_pred=frame["outcome"] == Action.APPROVE, sensitive_features=frame[COLUMN.name]).by_group
    reference = stated.loc[COLUMN.reference]
    for group in assess(frame, fairness_params).groups:
        fairlearn = stated.loc[group.group]
        assert (group.decisions, group.approval_rate.value) == (fairlearn["n"], pytest.approx(fairlearn["approved"], rel=1e-12))
        if group.adverse_impact:
            assert group.adverse_impact.value == pytest.approx(fairlearn["approved"] / reference["approved"], rel=1e-12)
            assert group.equal_opportunity.value == pytest.approx(fairlearn["good_approved"] - reference["good_approved"], abs=1e-12)


def test_a_small_group_is_insufficient_never_a_pass(fairness_params):
    small = fairness_params.minimum - 1
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    rows = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])
    found = assess(frame.drop(index=rows[small:]).reset_index(drop=True), fairness_params)
    assert of(found, OTHERS[0]).decisions == small
    assert of(found, OTHERS[0]).verdicts == (Verdict.INSUFFICIENT, Verdict.INSUFFICIENT)


def test_a_small_reference_group_makes_every_comparison_insufficient(fairness_params):
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    rows = np.flatnonzero(frame[COLUMN.name] == COLUMN.reference)
    found = assess(frame.drop(index=rows[fairness_params.minimum - 1 :]).reset_index(drop=True), fairness_params)
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_reference_nobody_is_in_compares_with_nothing(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6))
    found = assess(frame[frame[COLUMN.name] != COLUMN.reference].reset_index(drop=True), fairness_params)
    assert all(group.adverse_impact is None for group in found.groups)
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_low_ratio_that_chance_explains_is_not_an_alert(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6))
    hit = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])[:40]
    keep = np.setdiff1d(np.arange(len(frame)), np.flatnonzero(frame[COLUMN.name] == OTHERS[0])[40:])
    outcomes = np.where(np.arange(40) < 18, Action.APPROVE, Action.DECLINE)
    frame.loc[hit, "outcome"] = outcomes
    found = of(assess(frame.loc[keep].reset_index(drop=True), fairness_params), OTHERS[0])
    assert found.adverse_impact.value < fairness_params.adverse_impact.alert
    assert (found.adverse_impact.high >= 1) == (found.impact_verdict is not Verdict.ALERT)


def test_referrals_count_as_not_approved(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 1.0))
    referred = frame[COLUMN.name] == OTHERS[0]
    found = assess(frame.assign(outcome=np.where(referred, Action.REFER, frame["outcome"])), fairness_params)
    assert of(found, OTHERS[0]).adverse_impact.value == 0
    assert of(found, OTHERS[0]).impact_verdict is Verdict.ALERT


def test_decisions_whose_group_is_unknown_are_counted_and_left_out(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6))
    frame.loc[:99, COLUMN.name] = None
    found = assess(frame, fairness_params)
    assert found.unknown == 100
    assert sum(group.decisions for group in found.groups) == 3_900


def test_without_any_outcome_approval_is_still_judged(fairness_params):
    frame = decided(8_000, {**dict.fromkeys(COLUMN.group_names, 0.6), OTHERS[0]: 0.3}).assign(bad=np.nan)
    found = of(assess(frame, fairness_params), OTHERS[0])
    assert found.impact_verdict is Verdict.ALERT
    assert (found.matured, found.mean_pd, found.observed, found.opportunity_verdict) == (0, None, None, Verdict.INSUFFICIENT)


def test_the_ratio_in_development_stands_beside(fairness_params):
    baseline = {COLUMN.name: {COLUMN.reference: {"count": 10, "approval_rate": 0.5}, OTHERS[0]: {"count": 10, "approval_rate": 0.4}}}
    found = assess(decided(1_000, dict.fromkeys(COLUMN.group_names, 0.6)), fairness_params, baseline)
    assert found.development == {OTHERS[0]: 0.8}


def test_the_law_is_named_without_a_conclusion():
    assert "29 CFR 1607.4(D)" in fairness.READING
    assert "practice" in fairness.READING
    assert "21 July 2026" in fairness.READING
    assert "no legal" in " ".join(fairness.READING.split())
