"""An early sign becomes a bad rate by how often it erred before, and needs no PD for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import BAD, days
from feature_repo.sources import Early
from governance.limits import Verdict
from monitoring import early, performance, window
from monitoring.alerts.beside import Signs
from monitoring.early import Relation, projected
from monitoring.intervals import Estimate
from monitoring.performance import Reference

REFERENCE = Reference(Estimate(0.5, 0.45, 0.55), "development")
SHOWN = {1: 0.4, 0: 0.02}


@pytest.fixture(scope="module")
def signed(mill):
    """The mill with a sign that counts after 20 days; outcomes were last seen on 2024-12-30 and take 90."""
    sign = Early(raw="x", yes=("y",), no=("n",), matures_after=days(20), meaning="a sack was lost in the first days")
    return replace(mill, outcome=replace(mill.outcome, early=sign))


def drawn(rows=30_000, *, lift=1.0, seed=0):
    """Decisions of July to December; from October on, those without outcomes, `lift` times as many go bad as the PDs say."""
    random = np.random.default_rng(seed)
    pd_ = 1 / (1 + np.exp(2.2 - random.normal(size=rows)))
    times = pd.Timestamp("2024-07-01", tz="UTC") + pd.to_timedelta(np.sort(random.integers(0, 184, rows)), unit="D")
    bad = random.random(rows) < np.minimum(pd_ * np.where(times < pd.Timestamp("2024-10-01", tz="UTC"), 1, lift), 1)
    late = random.random(rows) < np.where(bad, SHOWN[1], SHOWN[0])
    return pd.DataFrame({window.DECIDED_AT: times, "pd": pd_, "band": "all", BAD: bad.astype(float), early.EARLY: late.astype(float)})


def told(portfolio, params, frame):
    return early.assess(frame, portfolio, performance.assess(frame, portfolio, REFERENCE, ("all",), params), params)


@pytest.mark.parametrize(("lift", "verdict"), [(1.0, Verdict.OK), (1.5, Verdict.WATCH), (0.5, Verdict.OK)])
def test_a_bad_rate_that_moved_is_told_months_before_its_outcomes(signed, performance_params, lift, verdict):
    frame = drawn(lift=lift)
    signs = told(signed, performance_params, frame)
    young, read = signs.young, msgspec.json.decode(msgspec.json.encode(signs), type=Signs)
    there = frame[window.old_enough(frame, signed, days(20)) & ~window.old_enough(frame, signed, days(90))]

    assert young.known == len(there) < young.decisions
    assert young.projected.low < there[BAD].mean() < young.projected.high
    assert young.verdict is read.verdict is verdict
    assert bool(early.watched(signs)) is bool(read.flagged) is (verdict is Verdict.WATCH)
    assert young.mean_pd == pytest.approx(there["pd"].mean())


@pytest.mark.parametrize(("projection", "verdict"), [
    (Estimate(0.15, 0.11, 0.19), Verdict.WATCH), (Estimate(0.15, 0.09, 0.21), Verdict.OK), (Estimate(0.105, 0.101, 0.109), Verdict.OK),
    (Estimate(0.05, 0.04, 0.06), Verdict.OK), (None, Verdict.INSUFFICIENT)])
def test_a_sign_is_watched_where_it_lies_far_above_the_pds_and_chance_does_not_explain_it(performance_params, projection, verdict):
    assert early.verdict(projection, 0.1, performance_params) is verdict


def test_how_the_sign_relates_to_the_outcome_is_measured_on_matured_ones(signed, performance_params):
    frame = drawn()
    found = told(signed, performance_params, frame)
    known = frame[window.matured(frame, signed)]

    assert found.shown_by_bad.value == pytest.approx(known.loc[known[BAD] == 1, early.EARLY].mean())
    assert found.shown_by_good.value == pytest.approx(known.loc[known[BAD] == 0, early.EARLY].mean())
    assert found.bad_of_late.value == pytest.approx(known.loc[known[early.EARLY] == 1, BAD].mean())
    assert (found.record.vintages, found.record.holds) == (3, True)


def test_a_vintage_is_projected_without_its_own_outcomes(signed, performance_params):
    frame = drawn()
    july = frame[window.DECIDED_AT].dt.month == 7
    spans = [told(signed, performance_params, one).spans[0] for one in (frame, frame.assign(bad=frame[BAD].mask(july, 1 - frame[BAD])))]
    assert spans[0].projected == spans[1].projected


def test_the_projection_is_that_of_rogan_and_gladen():
    found = projected((80, 1_000), Relation((4_000, 10_000), (1_800, 90_000)), 0.95)
    assert found.value == pytest.approx((0.08 - 0.02) / (0.4 - 0.02), abs=1e-4)


def test_an_interval_holds_as_many_realised_bad_rates_as_it_says():
    random, inside = np.random.default_rng(3), []
    for _ in range(2_000):
        bads = random.binomial(800, 0.1)
        shown = random.binomial(bads, SHOWN[1]) + random.binomial(800 - bads, SHOWN[0])
        relation = Relation((random.binomial(700, SHOWN[1]), 700), (random.binomial(6_300, SHOWN[0]), 6_300))
        found = projected((shown, 800), relation, 0.95)
        inside.append(found.low <= bads / 800 <= found.high)
    assert 0.93 < np.mean(inside) < 0.97


@pytest.mark.parametrize(("cases", "relation"), [
    ((0, 0), Relation((40, 100), (20, 900))), ((5, 100), Relation((0, 0), (20, 900))), ((5, 100), Relation((2, 100), (20, 900)))])
def test_nothing_is_projected_of_nobody_from_nothing_or_by_a_sign_that_tells_nothing(cases, relation):
    assert projected(cases, relation, 0.95) is None


def test_few_outcomes_or_signs_project_nothing(signed, performance_params):
    found = told(signed, performance_params, drawn(300))
    assert {sign.verdict for sign in (*found.spans, found.young)} == {Verdict.INSUFFICIENT}
    assert found.young.projected is None


def test_signs_come_from_the_record_and_a_decision_that_is_not_in_it_has_none(signed, mill, tmp_path):
    pd.DataFrame({"application_id": ["a", "b"], early.EARLY: [1.0, 0.0]}).to_parquet(tmp_path / "record.parquet")
    frame = pd.DataFrame({"application_id": ["b", "live", "a"]})

    assert early.join(frame, tmp_path / "record.parquet", signed)[early.EARLY].fillna(-1).tolist() == [0, -1, 1]
    assert early.join(frame, tmp_path / "none", mill) is frame
    assert early.assess(frame, mill, SimpleNamespace(), SimpleNamespace()) is None
