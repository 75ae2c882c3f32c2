"""Intersections, bands, moved cut-offs and reasons by group, held against plain counts and against counts of shards added up."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from feature_repo.contract import BAD, Action
from feature_repo.portfolios import load
from governance.exact import holm
from governance.limits import Verdict
from monitoring import cut_offs, fairness, group_counts, group_reasons, in_force, intersections, window
from serving.scoring.parts import Band, Policy

PORTFOLIO = load("consumer_loans")
SEX, AGE, ORIGIN = PORTFOLIO.protected
POLICY = Policy(0.10, 0.15, (Band("A", 0.05), Band("B", 0.10), Band("C", 1.0)), 600.0, 50.0, 20.0)
BY_RULE = json.dumps([{"code": "too_much", "feature": "rule", "text": "Too much is asked for"}])
TEXTS = {"low_income": "Your income is low", "short_history": "Your credit history is short"}


@pytest.fixture(scope="module")
def frame():
    """Six thousand decisions: women under 25 have higher PDs; nobody older than 61 is of minority A; a tenth is stopped by a rule."""
    random, rows = np.random.default_rng(8), 6_000
    groups = {column.name: random.choice(column.group_names, rows) for column in PORTFOLIO.protected}
    hit = (groups[SEX.name] != SEX.reference) & (groups[AGE.name] == AGE.group_names[0])
    pd_ = random.uniform(0.01, 0.2, rows) + 0.06 * hit
    outcome = np.array([*Action])[POLICY.severities(pd_)]
    outcome[random.random(rows) < 0.1] = Action.DECLINE
    reasons = [[{"code": code, "feature": code, "text": text} for code, text in TEXTS.items() if random.random() < part]
               for part in np.where(hit, 0.8, 0.5)]
    times = pd.Timestamp("2022-01-01", tz="UTC") + pd.to_timedelta(np.sort(random.integers(0, 90, rows)), unit="D")
    found = pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "score": POLICY.scores(pd_), "outcome": outcome, BAD: np.nan, **groups,
                          "band": np.array(list("ABC"))[POLICY.band_indices(pd_)], "reasons": [json.dumps(named) for named in reasons]})
    rare = (found[ORIGIN.name] == ORIGIN.group_names[1]) & (found[AGE.name] == AGE.group_names[-1])
    return found[~rare | (rare.cumsum() <= 12)].reset_index(drop=True)


@pytest.fixture(scope="module")
def grouped(frame):
    return group_counts.grouped(frame, PORTFOLIO)


def rate(rows):
    return (rows["outcome"] == Action.APPROVE).mean()


def test_counts_of_shards_add_up_to_those_of_the_window_exactly(frame, grouped):
    whole = grouped.by(SEX.name, AGE.name, "band")
    shards = [group_counts.grouped(frame.iloc[start::7], PORTFOLIO).by(SEX.name, AGE.name, "band") for start in range(7)]

    assert group_counts.merge(reversed(shards)) == group_counts.merge(shards) == whole
    assert group_counts.total(whole.values()).decisions == len(frame)


def test_where_two_attributes_meet_the_planted_group_alone_is_in_alert(frame, grouped, fairness_params):
    newest = in_force.read(fairness_params, PORTFOLIO).on(in_force.newest(frame))
    found = {one.attributes: one for one in intersections.assess(grouped, newest, fairness_params)}
    reference = frame[(frame[SEX.name] == SEX.reference) & (frame[AGE.name] == AGE.reference)]

    assert list(found) == [(SEX.name, AGE.name), (SEX.name, ORIGIN.name), (AGE.name, ORIGIN.name)]
    (alert,) = (cell for cell in found[SEX.name, AGE.name].cells if cell.verdict is Verdict.ALERT)
    assert alert.groups == (next(name for name in SEX.group_names if name != SEX.reference), AGE.group_names[0])
    own = frame[(frame[SEX.name] == alert.groups[0]) & (frame[AGE.name] == alert.groups[1])]
    assert alert.adverse_impact.value == round(rate(own) / rate(reference), 2)


def test_one_of_many_cells_needs_more_to_be_sure(frame, fairness_params):
    """92 of 150 against 120 of 150, twice: where two attributes make 8 cells it is on watch, alone it would be an alert."""
    cells = [(sex, age) for sex in SEX.group_names for age in AGE.group_names]
    hits = [92 if cell == cells[-1] else 120 for cell in cells]
    outcome = np.concatenate([np.where(np.arange(150) < hit, Action.APPROVE, Action.DECLINE) for hit in hits])
    rows = frame.head(1).loc[[0] * len(outcome)].reset_index(drop=True).assign(outcome=outcome)
    rows[[SEX.name, AGE.name]] = np.repeat(np.array(cells), 150, axis=0)
    newest = in_force.read(fairness_params, PORTFOLIO).on(in_force.newest(rows))
    together = intersections.assess(group_counts.grouped(rows, PORTFOLIO), newest, fairness_params)[0]
    two = rows[[*(rows[[SEX.name, AGE.name]].apply(tuple, axis=1).isin([cells[-1], together.reference]))]].reset_index(drop=True)
    alone = intersections.assess(group_counts.grouped(two, PORTFOLIO), newest, fairness_params)[0]
    verdicts = [next(cell.verdict for cell in one.cells if cell.groups == cells[-1]) for one in (together, alone)]
    assert verdicts == [Verdict.WATCH, Verdict.ALERT]


def test_a_small_intersection_is_withheld_and_no_cell_tells_a_count(frame, grouped, fairness_params):
    newest = in_force.read(fairness_params, PORTFOLIO).on(in_force.newest(frame))
    (one,) = (each for each in intersections.assess(grouped, newest, fairness_params) if each.attributes == (AGE.name, ORIGIN.name))
    cells = {cell.groups: cell for cell in one.cells}
    rare = cells[AGE.group_names[-1], ORIGIN.group_names[1]]

    assert (rare.size, rare.adverse_impact, rare.verdict) == ("fewer than 30", None, Verdict.INSUFFICIENT)
    assert {cell.size for cell in cells.values()} <= {"fewer than 30", "100 or more", "300 or more"}
    assert one.reference not in cells


def test_bands_are_compared_within_each_band(frame, grouped, fairness_params):
    found = {(one.attribute, one.group, one.band): one for one in cut_offs.by_band(grouped, POLICY, fairness_params)}
    for (attribute, group, band), one in found.items():
        column = next(column for column in PORTFOLIO.protected if column.name == attribute)
        own, other = (frame[(frame[attribute] == name) & (frame["band"] == band)] for name in (group, column.reference))
        assert one.approval_rate.value == round(rate(own), 2)
        if group == column.reference or not rate(other):
            assert one.adverse_impact is None
        else:
            assert one.adverse_impact.value == round(rate(own) / rate(other), 2)
    assert len(found) == 3 * sum(len(column.group_names) for column in PORTFOLIO.protected)


def test_at_the_policys_cut_off_the_ratio_is_the_one_there_is(frame, grouped, fairness_params):
    here = [one for one in cut_offs.along(grouped, POLICY, fairness_params) if one.name == "approve"]
    assert len(here) == sum(len(column.group_names) - 1 for column in PORTFOLIO.protected)
    for one in here:
        column = next(column for column in PORTFOLIO.protected if column.name == one.attribute)
        own, other = (frame[frame[one.attribute] == name] for name in (one.group, column.reference))
        assert one.adverse_impact.value == round(rate(own) / rate(other), 2)
        assert one.approved == round(rate(frame), 3)


def test_along_the_cut_off_ratios_are_counted_anew_and_a_rule_still_stops(frame, grouped, fairness_params):
    ruled = np.arange(len(frame)) % 5 == 0
    frame = frame.assign(reasons=np.where(ruled & (frame["outcome"] != Action.APPROVE), BY_RULE, frame["reasons"]))
    grouped = group_counts.grouped(frame, PORTFOLIO)
    stopped = (frame["outcome"] != Action.APPROVE) & ((frame["pd"] < POLICY.approve_below) | ruled)
    assert (stopped & (frame["pd"] >= POLICY.approve_below)).sum() > 100
    found = [one for one in cut_offs.along(grouped, POLICY, fairness_params) if one.attribute == AGE.name]
    for one in found:
        moved = frame.assign(outcome=np.where((frame["pd"] < one.pd_below) & ~stopped, Action.APPROVE, Action.DECLINE))
        own, other = (moved[moved[AGE.name] == name] for name in (one.group, AGE.reference))
        assert one.adverse_impact.value == round(rate(own) / rate(other), 2)
    of_one = [one.pd_below for one in found if one.group == AGE.group_names[0]]
    assert of_one == sorted(of_one)
    assert len(of_one) == 21


def test_a_small_group_has_no_curve(frame, fairness_params):
    few = frame[(frame[SEX.name] == SEX.reference) | ((frame[SEX.name] != SEX.reference).cumsum() <= 20)].reset_index(drop=True)
    assert not [one for one in cut_offs.along(group_counts.grouped(few, PORTFOLIO), POLICY, fairness_params) if one.attribute == SEX.name]


def test_no_finer_table_shows_a_group_that_is_withheld_for_another_s_sake(frame, fairness_params):
    """Five of one group are left, so the next smallest is withheld: in bands, curves, reasons and cells, where its verdicts are told."""
    first, second = ORIGIN.group_names[1], ORIGIN.group_names[2]
    few = frame[(frame[ORIGIN.name] != first) | ((frame[ORIGIN.name] == first).cumsum() <= 5)]
    few = few[(few[ORIGIN.name] != second) | ((few[ORIGIN.name] == second).cumsum() <= 900)].reset_index(drop=True)
    grouped, newest = group_counts.grouped(few, PORTFOLIO), in_force.read(fairness_params, PORTFOLIO).on(in_force.newest(few))
    assert list(group_counts.withheld(grouped, ORIGIN, fairness_params.least)) == [first, second]
    assert {one.group for one in cut_offs.along(grouped, POLICY, fairness_params)}.isdisjoint({first, second})
    assert {one.group for one in group_reasons.assess(grouped, fairness_params)}.isdisjoint({first, second})
    bands = {(one.size, one.approval_rate) for one in cut_offs.by_band(grouped, POLICY, fairness_params) if one.group in {first, second}}
    assert bands == {("withheld", None)}
    cells = [cell for one in intersections.assess(grouped, newest, fairness_params) for cell in one.cells if second in cell.groups]
    assert {(cell.size, cell.adverse_impact) for cell in cells} == {("withheld", None)}
    assert Verdict.OK in {cell.verdict for cell in cells}


@pytest.mark.parametrize("place", [0, 1])
def test_no_finer_table_tells_where_the_only_one_of_a_group_is(frame, fairness_params, place):
    """One person of a group is left, the first or the last: which band, month and other groups they are of shows nowhere."""
    only = ORIGIN.group_names[1]
    kept = frame[frame[ORIGIN.name] == only].iloc[[0, -1][place]].name
    few = frame[(frame[ORIGIN.name] != only) | (frame.index == kept)].reset_index(drop=True)
    grouped, rules = group_counts.grouped(few, PORTFOLIO), in_force.read(fairness_params, PORTFOLIO)
    newest = rules.on(in_force.newest(few))
    bands = [(one.band, one.size) for one in cut_offs.by_band(grouped, POLICY, fairness_params) if one.group == only]
    assert bands == [(band.name, "withheld") for band in POLICY.bands]
    cells = [cell for one in intersections.assess(grouped, newest, fairness_params) for cell in one.cells if only in cell.groups]
    assert len(cells) == len(SEX.group_names) + len(AGE.group_names)
    assert {(cell.size, cell.verdict) for cell in cells} == {("withheld", Verdict.INSUFFICIENT)}
    origin = next(one for one in fairness.assess(grouped, fairness.Development({}, 0.0), fairness.judges(few, PORTFOLIO, rules),
                                                 fairness_params) if one.attribute == ORIGIN.name)
    months = [(one.size, one.verdict) for one in origin.months if one.group == only]
    assert months == [("fewer than 30", Verdict.INSUFFICIENT)] * 3


def test_reasons_are_shares_of_declines_with_scipys_exact_test_and_holms_correction(frame, grouped, fairness_params):
    found = [one for one in group_reasons.assess(grouped, fairness_params) if one.attribute == AGE.name]
    declined = frame[frame["outcome"] == Action.DECLINE]
    named = declined["reasons"].str.contains
    raw = []
    for one in found:
        own, other = (declined[AGE.name] == name for name in (one.group, AGE.reference))
        with_it = named(one.reason)
        cases = [[int((with_it & rows).sum()), int((~with_it & rows).sum())] for rows in (own, other)]
        assert (one.share, one.reference_share) == tuple(round(yes / (yes + no), 2) for yes, no in cases)
        raw.append(fisher_exact(cases).pvalue)
    assert [one.p for one in found] == pytest.approx(holm(raw), rel=1e-9)
    assert {(one.group, one.reason) for one in found if one.differs} == {(AGE.group_names[0], code) for code in TEXTS}
    assert {one.text for one in found} == set(TEXTS.values())


def test_an_empty_window_an_unknown_attribute_and_one_without_declines_tell_nothing(frame, fairness_params):
    newest = in_force.read(fairness_params, PORTFOLIO).on(in_force.newest(frame))
    for odd in (frame.assign(**{column.name: None for column in PORTFOLIO.protected}), frame.head(0)):
        nothing = group_counts.grouped(odd.astype({column.name: object for column in PORTFOLIO.protected}), PORTFOLIO)
        met = intersections.assess(nothing, newest, fairness_params)
        assert {(one.cells, one.verdict) for one in met} == {((), Verdict.INSUFFICIENT)}
        assert cut_offs.by_band(nothing, POLICY, fairness_params) == ()
        assert cut_offs.along(nothing, POLICY, fairness_params) == ()
        assert group_reasons.assess(nothing, fairness_params) == ()
        assert all(fairness.tallies(column, nothing.by(column.name, "band")) == {} for column in PORTFOLIO.protected)
    approved = group_counts.grouped(frame.assign(outcome=Action.APPROVE), PORTFOLIO)
    assert group_reasons.assess(approved, fairness_params) == ()


def test_a_count_goes_through_json_unchanged(grouped):
    tallies = list(grouped.by(SEX.name).values())
    assert msgspec.json.decode(msgspec.json.encode(tallies), type=list[type(tallies[0])]) == tallies
