"""What a finding costs: tables worked by hand, and intervals that hold the true effect as often as they say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from monitoring import loss
from monitoring.intervals import Estimate
from serving.scoring.bins import Bins

UNDATED = SimpleNamespace(amount=None, requests=())
PRICED = SimpleNamespace(amount="sum", requests=(SimpleNamespace(name="sum", unit="EUR"),))
HALVES = Bins(shares=(0.5, 0.5, 0.0), rows=1_000_000, edges=(1.0,))


@pytest.fixture
def frame():
    return pd.DataFrame({"pd": [0.1, 0.2, 0.3, 0.1], "band": "A", "outcome": ["approve", "approve", "decline", "refer"],
                         "sum": [1_000.0, 2_000.0, 9_000.0, np.nan]})


def test_only_what_was_approved_is_lost(frame):
    assert loss.losses(frame, PRICED, 0.45).tolist() == pytest.approx([45.0, 180.0, 0.0, 0.0])
    assert loss.lent(frame, PRICED, 0.45) == loss.Lent(4, 2, 3_000.0, pytest.approx(225.0), "EUR")


def test_without_an_amount_all_loans_count_alike(frame):
    assert loss.lent(frame, UNDATED, 0.5) == loss.Lent(4, 2, 2.0, pytest.approx(0.15), "loans")


def test_the_effect_of_a_shift_is_what_the_moved_share_loses_more():
    lost, places = np.array([1.0] * 20 + [5.0] * 80), np.array([0] * 20 + [1] * 80)
    assert loss.of_shift(lost, places, HALVES, 0.95).value == pytest.approx(100 * 0.3 * (5 - 1))


def test_without_a_shift_there_is_no_effect():
    lost, places = np.array([1.0, 5.0] * 50), np.array([0, 1] * 50)
    found = loss.of_shift(lost, places, HALVES, 0.95)
    assert found.value == pytest.approx(0)
    assert found.low < 0 < found.high


def test_a_bin_nobody_is_in_loses_what_a_decision_does_on_average():
    assert loss.of_shift(np.array([1.0, 3.0]), np.array([0, 0]), HALVES, 0.95).value == pytest.approx(0)


def test_pds_that_miss_cost_as_much_more_as_they_miss_by():
    assert loss.of_miss(200.0, Estimate(0.12, 0.10, 0.15), 0.10) == Estimate(pytest.approx(40), pytest.approx(0), pytest.approx(100))


def test_intervals_hold_the_true_effect_as_often_as_they_say():
    random, decisions, rows = np.random.default_rng(5), 800, 2_000
    development, now, means = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4]), np.array([10.0, 20.0, 60.0])
    true, runs, held = decisions * float((now - development) @ means), 600, 0
    for _ in range(runs):
        bins = Bins(shares=(*(random.multinomial(rows, development) / rows), 0.0), rows=rows, edges=(1.0, 2.0))
        places = random.choice(3, decisions, p=now)
        found = loss.of_shift(random.exponential(means[places]), places, bins, 0.9)
        held += found.low <= true <= found.high
    assert 0.87 <= held / runs <= 0.93
