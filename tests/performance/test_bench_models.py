"""What bench_models reckons with: repeats that share nobody between fit and test, an interval, and a gate that closes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml
from borrowers import ROOT
from scipy import stats

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load
from training.params import SplitParams, TrainParams

sys.path.insert(0, str(Path(__file__).parent))
import bench_models
from bench_models import Rows, Score, by_chance, difference, is_level, splits

SECTIONS = yaml.safe_load((ROOT / "params.yaml").read_text())
LEVEL = Score((0.780, 0.781), (0.010, 0.010), chance=0.002, overlap=0.25)


def rows(portfolio, frame):
    return Rows(portfolio, frame, msgspec.convert(SECTIONS["split"], SplitParams), msgspec.convert(SECTIONS["train"], TrainParams))


def apart(parts):
    people = [set(part[APPLICANT_ID]) for part in parts.values()]
    return all(not one & other for at, one in enumerate(people) for other in people[:at])


def test_a_dated_portfolio_keeps_its_test_and_draws_who_came_before(mill, borrow):
    known = rows(mill, borrow(mill, 9000))
    first, second = (next(splits(known, repeat)) for repeat in (0, 1))

    assert apart(first)
    assert apart(second)
    assert first["test"].equals(second["test"])
    assert 0.7 < len(first["development"].merge(second["development"], on="application_id")) / len(first["development"]) < 0.9


def test_a_small_portfolio_is_cross_validated_and_every_row_judged_once(borrow):
    german = load("german_credit")
    known = rows(german, borrow(german, 600, unknown=0))
    found = list(splits(known, 0))

    assert len(found) == known.train.cross_validation.folds
    assert all(apart(parts) and parts["calibration"].empty for parts in found)
    assert sorted(row for parts in found for row in parts["test"].index) == sorted(known.frame.index)


def test_a_large_undated_portfolio_is_drawn_anew(borrow):
    cards = load("card_default")
    first, second = (next(splits(rows(cards, borrow(cards, 6000, unknown=0)), repeat)) for repeat in (0, 1))

    assert apart(first)
    assert len(first["calibration"]) > 0
    assert not first["test"].index.equals(second["test"].index)


def test_the_interval_allows_for_the_rows_that_repeats_share():
    found = [replace(LEVEL, auc=(0.78 + step, 0.78)) for step in (0.001, -0.003, 0.002, 0.004)]
    mean, low = difference(found)

    assert mean == pytest.approx(0.001)
    assert low == pytest.approx(0.001 - stats.t.ppf(0.95, 3) * np.sqrt((1 / 4 + 0.25) * np.var([1, -3, 2, 4], ddof=1)) / 1000)


@pytest.mark.parametrize(("found", "right"), [
    ([LEVEL, replace(LEVEL, auc=(0.7805, 0.781))], True),
    ([LEVEL, replace(LEVEL, ece=(0.013, 0.010))], True),
    ([LEVEL, replace(LEVEL, ece=(0.016, 0.010))], False),  # 0.003 above the peer's, and chance makes 0.002
    ([replace(LEVEL, auc=(0.777, 0.781))] * 3, False),  # 0.004 lost in the mean
    ([replace(LEVEL, auc=(0.800, 0.781)), replace(LEVEL, auc=(0.765, 0.781))], False),  # level in the mean, and nobody can tell
])
def test_the_gate_closes_on_each_of_its_limits(found, right):
    assert is_level(found) is right
    assert {entry.gate for entry in bench_models.entries("mill", found)} == {"passed" if right else "failed"}


def test_chance_is_what_outcomes_of_a_truth_between_both_make_of_the_errors():
    pds = np.random.default_rng(3).uniform(0.05, 0.4, 2000)

    assert by_chance(pds, pds) == 0
    assert 0 < by_chance(pds, pds * np.random.default_rng(4).uniform(0.9, 1.1, 2000)) < 0.02
