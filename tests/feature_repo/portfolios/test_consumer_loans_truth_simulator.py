"""The truth: a function of the columns and the month, with a mild cycle; the incumbent sees less of it, noisily."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from feature_repo.portfolios import load
from feature_repo.portfolios.consumer_loans_truth_simulator import effect, incumbent_score, macro, true_log_odds
from feature_repo.portfolios.consumer_loans_vintage_simulator import live, plan

PORTFOLIO = load("consumer_loans")


@pytest.fixture(scope="module")
def vintage():
    chunks = plan(150_000)
    return live(chunks[0, 0], chunks, seed=2)


class Watched(dict):
    """Remembers what was read."""

    def __init__(self, *args):
        super().__init__(*args)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def test_the_truth_reads_declared_inputs_and_no_protected_attribute(vintage):
    columns = Watched(vintage.columns)
    true_log_odds(columns, np.zeros(1))

    assert columns.read <= {column.name for column in PORTFOLIO.inputs}
    assert not columns.read & {column.name for column in PORTFOLIO.protected}
    assert list(inspect.signature(true_log_odds).parameters) == ["columns", "month"]


def test_the_cycle_moves_the_truth_by_the_same_log_odds_for_everyone(vintage):
    boom, bust = (true_log_odds(vintage.columns, np.full(len(vintage.pd), month)) for month in (6, 24))

    assert (bust - boom) == pytest.approx(macro(24) - macro(6))
    assert macro(24) - macro(6) == pytest.approx(0.30)


def test_nobody_is_without_a_truth(vintage):
    assert np.isfinite(vintage.pd).all()
    assert ((vintage.pd > 0) & (vintage.pd < 1)).all()


def test_the_incumbent_is_related_to_the_truth_and_far_from_it(vintage):
    score = incumbent_score(np.random.default_rng(0), vintage.columns)
    ranks = [np.argsort(np.argsort(values)) for values in (score, vintage.pd)]

    assert -0.6 < np.corrcoef(*ranks)[0, 1] < -0.2


def test_the_incumbent_reads_few_columns_none_protected_none_the_proxy(vintage):
    columns = Watched(vintage.columns)
    incumbent_score(np.random.default_rng(0), columns)

    assert len(columns.read) <= 6
    assert not columns.read & {column.name for column in (*PORTFOLIO.protected, *PORTFOLIO.inputs) if getattr(column, "is_level", True)}


def test_a_level_without_an_effect_has_none():
    assert effect(np.array(["a", "b"]), {"a": 0.5}).tolist() == [0.5, 0.0]
