"""Drift is found where it is, in the month it is in, and nothing hides it or invents it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import Request
from feature_repo.portfolios import load
from governance.limits import Verdict
from monitoring import drift, window
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers
from serving.scoring.counter import count
from serving.scoring.counts import merged

MONTHS = [f"2024-{month:02}" for month in range(1, 7)]


@pytest.fixture(scope="module")
def number(mill):
    return next(column.name for column in mill.requests if not column.is_level)


@pytest.fixture(scope="module")
def level(mill):
    return next(column.name for column in mill.requests if column.is_level)


def frame_of(values, *, per_month=2_000, months=MONTHS, name="x"):
    """A window of one column: values(random, n, month index) per month."""
    random = np.random.default_rng(2)
    parts = [pd.DataFrame({window.DECIDED_AT: pd.Timestamp(f"{month}-15", tz="UTC"), name: values(random, per_month, position)})
             for position, month in enumerate(months)]
    return pd.concat(parts, ignore_index=True)


def normal_bins(rows=50_000):
    return freeze_numbers(np.random.default_rng(1).lognormal(8, 0.6, rows), 10)


def assess_one(mill, params, bins, frame, name):
    (column,) = drift.assess(frame, mill, {name: bins}, params)
    return column


def test_without_drift_every_month_is_ok(mill, drift_params, number):
    column = assess_one(mill, drift_params, normal_bins(), frame_of(lambda random, n, _: random.lognormal(8, 0.6, n), name=number), number)
    assert [cell.verdict for cell in column.months] == [Verdict.OK] * len(MONTHS)
    assert column.verdict is Verdict.OK


def test_a_shift_is_found_in_its_months_and_no_other(mill, drift_params, number):
    shifted = frame_of(lambda random, n, at: random.lognormal(8, 0.6, n) * (1.5 if at >= 4 else 1), name=number)
    column = assess_one(mill, drift_params, normal_bins(), shifted, number)
    assert column.flagged(Verdict.ALERT) == tuple(MONTHS[4:])
    assert column.flagged(Verdict.OK) == tuple(MONTHS[:4])


def test_one_outlier_does_not_hide_a_shift(mill, drift_params, number):
    shifted = frame_of(lambda random, n, _: random.lognormal(8, 0.6, n) * 1.5, name=number)
    plain = assess_one(mill, drift_params, normal_bins(), shifted, number)
    shifted.loc[0, number] = 1e12
    column = assess_one(mill, drift_params, normal_bins(), shifted, number)
    assert column.months[0].verdict is Verdict.ALERT
    assert column.months[0].psi == pytest.approx(plain.months[0].psi, abs=0.01)


def test_forty_percent_newly_missing_alarms_and_is_shown(mill, drift_params, number):
    def half_gone(random, n, at):
        return np.where(random.random(n) < (0.4 if at == 3 else 0), np.nan, random.lognormal(8, 0.6, n))
    column = assess_one(mill, drift_params, normal_bins(), frame_of(half_gone, name=number), number)
    assert column.flagged(Verdict.ALERT) == (MONTHS[3],)
    assert column.months[3].missing == pytest.approx(0.4, abs=0.05)
    assert column.development_missing == 0


def test_a_new_level_alarms(mill, drift_params, level):
    bins = freeze_levels(np.array(["a", "b"] * 5_000, dtype=object), ("a", "b"))
    mixed = frame_of(lambda random, n, at: random.choice(["a", "b", "never seen"] if at == 2 else ["a", "b"], n), name=level)
    assert assess_one(mill, drift_params, bins, mixed, level).flagged(Verdict.ALERT) == (MONTHS[2],)


def test_under_the_minimum_there_is_no_verdict_however_large_the_figure(mill, drift_params, number):
    def gone(random, n, _):
        return np.where(random.random(n) < 0.5, np.nan, random.lognormal(12, 0.6, n))
    few = frame_of(gone, per_month=drift_params.minimum - 1, months=MONTHS[:1], name=number)
    column = assess_one(mill, drift_params, normal_bins(), few, number)
    assert column.months[0].verdict is column.months[0].quality is Verdict.INSUFFICIENT
    assert column.months[0].faults == ()
    assert column.months[0].psi > drift_params.psi.alert
    enough = assess_one(mill, drift_params, normal_bins(), frame_of(gone, per_month=drift_params.minimum, months=MONTHS[:1], name=number),
                        number)
    assert enough.verdict is enough.quality is Verdict.ALERT


def test_a_large_psi_that_chance_explains_is_no_drift(mill, drift_params, level):
    """Sixty levels and seven hundred decisions on either side: a PSI of 0.1 and more without any drift."""
    names = tuple(f"l{place}" for place in range(60))
    def anyone(random, n, *_):
        return random.choice(np.array(names, dtype=object), n)
    bins = freeze_levels(anyone(np.random.default_rng(11), 700), names)
    column = assess_one(mill, drift_params, bins, frame_of(anyone, per_month=700, name=level), level)
    assert min(cell.psi for cell in column.months) > drift_params.psi.watch
    assert {cell.verdict for cell in column.months} == {Verdict.OK}
    assert all(cell.interval.low < 0.02 for cell in column.months)


def test_a_window_counted_in_shards_gets_the_verdict_of_one(watched, drift_params):
    bins = watched.release.read("bins.json", dict[str, Bins])
    months = {}
    for month, rows in window.slices(watched.frame, watched.portfolio):
        part = watched.frame.iloc[rows]
        months[month] = merged(count(part.iloc[start::3], bins, watched.portfolio) for start in range(3))
    assert drift.judge(months, watched.portfolio, bins, drift_params) == drift.assess(watched.frame, watched.portfolio, bins, drift_params)


def test_months_too_small_alone_are_judged_together(mill, drift_params, number):
    few = frame_of(lambda random, n, _: random.lognormal(9, 0.6, n), per_month=200, name=number)
    column = assess_one(mill, drift_params, normal_bins(), few, number)
    assert {cell.verdict for cell in column.months} == {Verdict.INSUFFICIENT}
    assert column.verdict is column.total.verdict is Verdict.ALERT


def test_by_chance_is_what_chance_gives(mill, drift_params, number):
    development = np.random.default_rng(5).normal(size=5_000)
    bins = freeze_numbers(development, 10)
    found = [assess_one(mill, drift_params, freeze_numbers(np.random.default_rng(seed).normal(size=5_000), 10),
                        frame_of(lambda _random, n, _at, seed=seed: np.random.default_rng(1_000 + seed).normal(size=n), per_month=600,
                                 months=MONTHS[:1], name=number), number).months[0] for seed in range(80)]
    expected = (len(bins.edges) + 1 - 1) * (1 / 600 + 1 / 5_000)
    assert found[0].by_chance == pytest.approx(expected)
    assert np.mean([cell.psi for cell in found]) == pytest.approx(expected, rel=0.15)


def test_the_psi_is_the_textbooks(mill, drift_params, number):
    bins = Bins(shares=(0.5, 0.3, 0.2, 0.0), rows=1_000, edges=(10.0, 20.0))
    values = np.repeat([5.0, 15.0, 25.0], [300, 300, 400])
    column = assess_one(mill, drift_params, bins, frame_of(lambda *_: values, per_month=1_000, months=MONTHS[:1], name=number), number)
    actual, expected = np.array([0.3, 0.3, 0.4]), np.array([0.5, 0.3, 0.2])
    assert column.months[0].psi == pytest.approx(np.sum((actual - expected) * np.log(actual / expected)), abs=1e-9)
    assert column.months[0].counts == (300, 300, 400, 0)


def test_every_input_the_score_the_pd_and_the_mix_of_outcomes_are_watched(watched, drift_params):
    bins = watched.release.read("bins.json", dict[str, Bins])
    columns = drift.assess(watched.frame, watched.portfolio, bins, drift_params)
    inputs = [column.name for column in watched.portfolio.inputs]
    assert [column.column for column in columns][: len(inputs)] == inputs
    assert {"pd", "score", "band", "outcome"} == {column.column for column in columns[len(inputs):]}
    assert {column.kind for column in columns} == {"request", "stored", "derived", "result"}
    assert all(sum(cell.decisions for cell in column.months) == column.total.decisions == len(watched.frame) for column in columns)
    assert {column.verdict for column in columns} == {Verdict.OK}


def test_unusual_values_are_told_of_columns_that_name_a_range_alone(drift_params):
    portfolio = load("consumer_loans")
    ranged, plain = portfolio.requests[0].name, portfolio.derived_columns[0].name
    frame = frame_of(lambda random, n, _: random.lognormal(8, 0.6, n), name=ranged)
    frame[plain] = frame[ranged]
    bins = normal_bins()
    low, high = portfolio.requests[0].usual
    columns = {column.column: column for column in drift.assess(frame, portfolio, {ranged: bins, plain: bins}, drift_params)}
    assert columns[plain].total.unusual is None
    assert columns[ranged].total.unusual == int((~frame[ranged].between(low, high)).sum())


def test_without_a_time_axis_there_is_one_cell(drift_params):
    portfolio = load("card_default")
    name = portfolio.tables[0].select(Request)[0].name
    frame = frame_of(lambda random, n, _: random.lognormal(8, 0.6, n), name=name)
    (column,) = drift.assess(frame, portfolio, {name: normal_bins()}, drift_params)
    assert [cell.month for cell in column.months] == [window.ALL]
