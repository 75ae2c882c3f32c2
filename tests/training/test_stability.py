"""A population that moved and a ranking that is lost are found, ranked and judged; what chance explains is not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from feature_repo.params import read
from governance.limits import Verdict
from training import measures, stability
from training.stability import Stability, again, evidence, table

ROWS = 6000


@pytest.fixture(scope="module")
def settings():
    return read("stability", Stability)


@pytest.fixture(scope="module")
def subject(mill, borrow):
    """Applications in time order, a third per part, PDs that rank them, and bins frozen on development."""
    from serving.scoring.bins import freeze_levels, freeze_numbers

    random = np.random.default_rng(1)
    frame = borrow(mill, ROWS, unknown=0).sort_values("event_timestamp", ignore_index=True)
    risk = random.normal(size=ROWS)
    frame["bad"] = (random.random(ROWS) < 1 / (1 + np.exp(1.5 - risk))).astype(float)
    frame["part"] = np.repeat(["development", "calibration", "test"], ROWS // 3)
    frame["period"] = np.where(frame["part"] == "test", "after", "development")
    frame["pd"] = 1 / (1 + np.exp(1.5 - risk))
    for column in mill.derived_columns:
        frame[column.name] = random.normal(size=ROWS)
    frame = frame.assign(score=np.round(600 - 40 * risk), outcome=np.where(risk > 1, "decline", "approve"))
    known = frame[frame["period"] == "development"]
    levels = {column.name: column.level_names for column in mill.raw_inputs if column.is_level}
    levels["outcome"] = ("approve", "refer", "decline")
    bins = {name: freeze_levels(known[name], levels[name]) if name in levels else freeze_numbers(known[name].to_numpy(), 10)
            for name in (*(column.name for column in mill.inputs), "pd", "score", "outcome")}
    return frame, bins


def number(mill):
    return next(column.name for column in mill.raw_inputs if not column.is_level)


def test_nothing_moved_and_nothing_lost_is_ok(mill, subject, settings):
    found = evidence(mill, *subject, settings)

    assert (found.population_verdict, found.gini_verdict) == (Verdict.OK, Verdict.OK)
    assert {each.column for each in found.inputs} == {column.name for column in mill.inputs}
    assert "no column moved" in found.found[0]


def test_a_column_that_moved_stands_first_and_is_an_alert(mill, subject, settings):
    frame, bins = subject
    moved = frame.copy()
    moved.loc[moved["part"] == "test", number(mill)] *= 1.5

    found = evidence(mill, moved, bins, settings)

    assert (found.inputs[0].column, found.inputs[0].verdict) == (number(mill), Verdict.ALERT)
    assert found.population_verdict is Verdict.ALERT
    assert number(mill) in found.found[0]
    assert table(found)["column"].tolist()[:4] == ["score", "pd", "outcome", number(mill)]


def test_all_who_applied_while_the_test_was_made_are_compared_and_nobody_later(mill, subject, settings):
    frame, bins = subject
    rejected = frame[frame["part"] == "test"].assign(part=None, bad=np.nan)
    later = rejected.assign(event_timestamp=frame["event_timestamp"].max() + pd.Timedelta(days=1))

    found = evidence(mill, pd.concat([frame, rejected, later], ignore_index=True), bins, settings)

    assert found.rows == 2 * ROWS // 3
    assert found.last == frame["event_timestamp"].max().date()


def test_few_rows_get_figures_and_no_verdict(mill, subject, settings):
    frame, bins = subject
    few = frame[(frame["part"] != "test") | (frame.index >= ROWS - 150)]

    found = evidence(mill, few, bins, settings)

    assert {each.verdict for each in (*found.inputs, *found.results)} == {Verdict.INSUFFICIENT}
    assert found.gini_verdict is Verdict.INSUFFICIENT
    assert found.results[0].by_chance > 0.05
    assert "too few" in found.found[0]


def test_a_lost_ranking_is_an_alert_with_both_intervals_below_zero(mill, subject, settings):
    frame, bins = subject
    lost = frame.copy()
    lost.loc[lost["part"] == "test", "pd"] = np.random.default_rng(2).permutation(lost.loc[lost["part"] == "test", "pd"])

    found = evidence(mill, lost, bins, settings)

    assert found.gini_verdict is Verdict.ALERT
    assert found.gini[0].against == "calibration"
    assert max(*found.gini[0].delong, *found.gini[0].bootstrap) < 0
    assert found.gini[0].lost > 0.9


@pytest.mark.parametrize(("now", "explained", "verdict"), [
    (0.79, False, Verdict.OK), (0.76, False, Verdict.WATCH), (0.76, True, Verdict.OK),
    (0.70, False, Verdict.ALERT), (0.70, True, Verdict.WATCH)])
def test_a_fall_that_chance_explains_is_one_step_milder(settings, now, explained, verdict):
    parts = [(np.tile([0.0, 0.0, 0.0, 1.0], 100), np.zeros(400))] * 2

    assert stability._verdict(parts, 0.8, now, explained=explained, settings=settings) is verdict


def test_the_bootstrap_agrees_with_delong():
    """Two independent ways to the same interval, on many different PDs and on few."""
    random = np.random.default_rng(3)
    margin = random.normal(size=8000)
    bad = (random.random(8000) < 1 / (1 + np.exp(2 - margin))).astype(float)
    for pd_ in (margin, np.round(margin)):
        auc, variance = measures.auc_with_variance(bad, pd_)
        drawn = again(bad, pd_, 2000, np.random.default_rng(4))

        assert drawn.mean() == pytest.approx(auc, abs=5e-4)
        assert drawn.std() == pytest.approx(variance**0.5, rel=0.06)


def test_the_evidence_is_in_the_release_and_of_the_same_test_as_the_metrics(mill_model):
    found = json.loads((mill_model.release / "stability.json").read_bytes())

    assert found["out_of_time"]
    assert found["gini"][0]["gini"] == pytest.approx(json.loads((mill_model.evaluate / "metrics.json").read_bytes())["test_gini"])
    assert [each["column"] for each in found["results"]] == list(stability.RESULTS)


def test_without_a_time_axis_the_words_say_that_chance_drew_the_test(borrow, settings, subject):
    from feature_repo.portfolios import load

    undated = load("card_default")
    frame = borrow(undated, 1200, unknown=0)
    frame = frame.assign(part=np.resize(["development", "test"], 1200), pd=np.linspace(0.1, 0.3, 1200))
    frame["period"] = np.where(frame["part"] == "test", "after", "development")
    words = stability._words(undated, 600, (), stability._loss("development", frame, settings), settings)

    assert "no time axis" in words[0]
