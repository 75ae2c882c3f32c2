"""Group figures are right to the last decision, small groups neither pass nor show, and a gap is found in the group it is in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate

from feature_repo.contract import BAD, Action
from feature_repo.portfolios import load
from governance.limits import Verdict
from monitoring import fairness, fairness_report, group_counts, in_force, window
from monitoring.fairness import Development
from training import measures

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
    frame = pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "score": (700 - 1000 * pd_).round().astype(int),
                          "outcome": np.where(approved, Action.APPROVE, Action.DECLINE),
                          BAD: (random.random(rows) < pd_).astype(float)})
    for column in PORTFOLIO.protected:
        frame[column.name] = group if column is COLUMN else column.reference
    return frame


def assess(frame, params, rates=None):
    by = fairness.judges(frame, PORTFOLIO, in_force.read(params, PORTFOLIO))
    found = fairness.assess(group_counts.grouped(frame, PORTFOLIO), Development(rates or {}), by, params)
    return next(one for one in found if one.attribute == COLUMN.name)


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
    for group in found.groups:
        rows = frame[frame[COLUMN.name] == group.group]
        known = rows[rows[BAD].notna()]
        good = known[known[BAD] == 0]
        assert (group.decisions, group.approved) == (len(rows), (rows["outcome"] == Action.APPROVE).sum())
        assert (group.matured, group.bad, group.good) == (len(known), known[BAD].sum(), len(good))
        assert group.good_approved == (good["outcome"] == Action.APPROVE).sum()
        assert group.mean_pd == pytest.approx(known["pd"].mean(), abs=1e-9)
        assert group.approval_rate.value == pytest.approx(group.approved / group.decisions)
        assert group.overstated == pytest.approx(1 - measures.jeffreys(group.bad, group.matured, group.mean_pd), abs=1e-12)


def test_months_are_told_by_ratio_and_coarse_size_and_never_by_a_count(fairness_params):
    """Months add up to the whole window: a count of each would tell of the month that is withheld."""
    frame = decided(5_000, dict(zip(COLUMN.group_names, (0.6, 0.5, 0.4, 0.7), strict=True)))
    found = assess(frame, fairness_params)
    months = window.months(frame, PORTFOLIO)

    assert len(found.months) == len(set(months)) * (len(COLUMN.group_names) - 1)
    for one in found.months:
        own, other = (frame[(frame[COLUMN.name] == name) & (months == one.month)] for name in (one.group, COLUMN.reference))
        rates = [(rows["outcome"] == Action.APPROVE).mean() for rows in (own, other)]
        assert one.adverse_impact.value == round(rates[0] / rates[1], 2)
        assert one.size == "100 or more" if len(own) >= 100 else one.size == "30 or more"


def test_of_many_months_chance_flags_none(fairness_params):
    """Of 36 months of groups with no difference, two have a ratio below 0.8 whose interval for one look excludes 1."""
    months = assess(decided(2_500, dict.fromkeys(COLUMN.group_names, 0.5), seed=5), fairness_params).months
    low = [one for one in months if one.adverse_impact and one.adverse_impact.value < 0.8 and one.adverse_impact.high < 1]
    assert (len(months), len(low)) == (36, 2)
    assert {one.verdict for one in low} == {Verdict.WATCH}


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


def test_a_small_group_is_insufficient_and_withheld_never_a_pass(fairness_params):
    small = fairness_params.least - 1
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    rows = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])
    found = assess(frame.drop(index=rows[small:]).reset_index(drop=True), fairness_params)
    hit = of(found, OTHERS[0])
    assert set(hit.verdicts) == {Verdict.INSUFFICIENT}
    assert hit.withheld == f"fewer than {fairness_params.least}"
    figures = ("decisions", "approved", "approval_rate", "adverse_impact", "impact_p", "referred", "matured", "good", "bad", "observed")
    assert {getattr(hit, name) for name in figures} == {None}


def test_no_total_less_what_is_shown_tells_of_a_small_group(fairness_params):
    """Everybody's group is known, and one group is small: so the next smallest is withheld as well, and is judged all the same."""
    frame = decided(8_000, {**dict.fromkeys(COLUMN.group_names, 0.6), OTHERS[1]: 0.3}, sizes=(0.5, 0.2, 0.1, 0.2))
    rows = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])
    found = assess(frame.drop(index=rows[5:]).reset_index(drop=True), fairness_params)
    assert [group.group for group in found.groups if group.decisions is None] == [OTHERS[0], OTHERS[1]]
    assert of(found, OTHERS[1]).impact_verdict is Verdict.ALERT
    shown = of(found, OTHERS[2])
    assert shown.adverse_impact.value == round(shown.adverse_impact.value, 2), "a ratio of many digits gives back the counts behind it"
    said = " ".join(fairness_report.findings([found], ()))
    assert f"{COLUMN.name}: {OTHERS[1]} (its figures would tell of a withheld group)" in said


def test_decisions_of_unknown_group_are_withheld_before_a_group_is(fairness_params):
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    rows = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])
    frame.loc[rows[5:], COLUMN.name] = None
    found = assess(frame, fairness_params)
    assert [group.group for group in found.groups if group.withheld] == [OTHERS[0]]
    assert found.unknown is None


def test_a_small_reference_group_makes_every_comparison_insufficient(fairness_params):
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    rows = np.flatnonzero(frame[COLUMN.name] == COLUMN.reference)
    found = assess(frame.drop(index=rows[fairness_params.least - 1 :]).reset_index(drop=True), fairness_params)
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_reference_nobody_is_in_compares_with_nothing(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6))
    found = assess(frame[frame[COLUMN.name] != COLUMN.reference].reset_index(drop=True), fairness_params)
    assert all(group.adverse_impact is None for group in found.groups)
    assert of(found, COLUMN.reference).withheld == "fewer than 30"
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_low_ratio_that_chance_explains_is_not_an_alert(fairness_params):
    frame = decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6))
    hit = np.flatnonzero(frame[COLUMN.name] == OTHERS[0])
    frame.loc[hit[:40], "outcome"] = np.where(np.arange(40) < 18, Action.APPROVE, Action.DECLINE)
    found = of(assess(frame.drop(index=hit[40:]).reset_index(drop=True), fairness_params), OTHERS[0])
    assert found.adverse_impact.value < 0.8
    assert found.impact_verdict is Verdict.WATCH


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


def test_an_attribute_nobody_s_group_is_known_of_is_insufficient(fairness_params):
    found = assess(decided(500, dict.fromkeys(COLUMN.group_names, 0.6)).assign(**{COLUMN.name: None}), fairness_params)
    assert (found.verdict, found.groups, found.unknown) == (Verdict.INSUFFICIENT, (), 500)


@pytest.mark.parametrize("bad", [0.0, 1.0])
def test_outcomes_of_one_kind_are_counted_and_compare_with_nothing_where_nobody_repaid(fairness_params, bad):
    found = of(assess(decided(4_000, dict.fromkeys(COLUMN.group_names, 0.6)).assign(bad=bad), fairness_params), OTHERS[0])
    assert (found.bad, found.good) == ((found.matured, 0) if bad else (0, found.matured))
    assert (found.equal_opportunity is None) == bool(bad)
    assert found.opportunity_verdict is (Verdict.INSUFFICIENT if bad else Verdict.OK)
    assert found.calibration_verdict is (Verdict.OK if bad else Verdict.ALERT), "nobody bad, and 11% foreseen: their PDs are too high"


def test_without_any_outcome_approval_is_still_judged(fairness_params):
    frame = decided(8_000, {**dict.fromkeys(COLUMN.group_names, 0.6), OTHERS[0]: 0.3}).assign(bad=np.nan)
    found = of(assess(frame, fairness_params), OTHERS[0])
    assert found.impact_verdict is Verdict.ALERT
    assert (found.matured, found.mean_pd, found.observed, found.opportunity_verdict) == (0, None, None, Verdict.INSUFFICIENT)
    assert (found.outcomes_withheld, found.calibration_verdict) == ("", Verdict.INSUFFICIENT)


def test_the_ratio_in_development_stands_beside(fairness_params):
    rates = {COLUMN.name: {COLUMN.reference: {"count": 100, "approval_rate": 0.5}, OTHERS[0]: {"count": 100, "approval_rate": 0.4},
                           OTHERS[1]: {"count": 9, "approval_rate": 0.4}}}
    found = assess(decided(1_000, dict.fromkeys(COLUMN.group_names, 0.6)), fairness_params, rates)
    assert found.development == {OTHERS[0]: 0.8}


def test_the_law_is_named_without_a_conclusion():
    assert "29 CFR 1607.4(D)" in fairness_report.READING
    assert "practice" in fairness_report.READING
    assert "21 July 2026" in fairness_report.READING
    assert "no legal" in " ".join(fairness_report.READING.split())


def test_scores_and_referrals_stand_beside(fairness_params):
    frame = decided(8_000, dict.fromkeys(COLUMN.group_names, 0.6))
    low = (frame[COLUMN.name] == OTHERS[0]).to_numpy()
    frame = frame.assign(score=np.where(low, frame["score"] - 40, frame["score"]), outcome=np.where(low, Action.REFER, frame["outcome"]))
    hit = of(assess(frame, fairness_params), OTHERS[0])
    own, other = (frame.loc[frame[COLUMN.name] == name, "score"] for name in (OTHERS[0], COLUMN.reference))
    pooled = np.sqrt(((len(own) - 1) * own.var() + (len(other) - 1) * other.var()) / (len(own) + len(other) - 2))
    assert hit.score_difference.value == pytest.approx((own.mean() - other.mean()) / pooled, rel=1e-9)
    assert hit.score_verdict is Verdict.ALERT
    assert hit.referral_rate.value == 1


def test_a_window_is_judged_as_one_that_is_looked_at_again_and_again(fairness_params):
    """62 of 100 against 80 of 100 is 0.775 (0.65 to 0.93 for one look): an alert of a release's gate, while a window is on watch."""
    frame = decided(800, dict.fromkeys(COLUMN.group_names, 0.6))
    frame[COLUMN.name] = np.repeat(COLUMN.group_names, 200)
    hits = {name: 124 if name == OTHERS[0] else 160 for name in COLUMN.group_names}
    frame["outcome"] = np.concatenate([np.where(np.arange(200) % 100 < hits[name] / 2, Action.APPROVE, Action.DECLINE)
                                       for name in COLUMN.group_names])
    half = frame[frame.index % 200 < 100].reset_index(drop=True)
    assert (of(assess(half, fairness_params), OTHERS[0]).impact_verdict, of(assess(frame, fairness_params), OTHERS[0]).impact_verdict) == (
        Verdict.WATCH, Verdict.ALERT), "twice as many at the same shares are enough at every look"


def test_outcomes_drawn_by_outcome_are_foreseen_without_what_the_declared_bad_rate_added(fairness_params):
    frame = decided(2_000, dict.fromkeys(COLUMN.group_names, 0.6))
    plain, moved = (group_counts.grouped(frame, PORTFOLIO, shift).by(COLUMN.name) for shift in (0.0, -1.0))
    for at, tally in plain.items():
        pds = frame.loc[frame[COLUMN.name] == at[0], "pd"]
        assert tally.mean_pd == pytest.approx(pds.mean(), abs=1e-9)
        assert moved[at].mean_pd == pytest.approx(measures.moved(pds, 1.0).mean(), abs=1e-9)
