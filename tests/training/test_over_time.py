"""Stored columns by month: what is missing, how values spread, how old they are; and nothing of few people."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from viewed import NOON, asked, known

from feature_repo.portfolios import load
from training import over_time

MONTHS = [pd.Timestamp(f"2024-{month:02}-10 12:00", tz="UTC") for month in (1, 2, 3)]
PEOPLE = [f"p{i}" for i in range(400)]


@pytest.fixture
def measured(toy, tmp_path):
    """Of 400 people who applied each month: values that rise by 100 a month, a tenth missing in February, as old as days of the month."""
    column = toy.stored[0].name
    facts = [(who, month - timedelta(days=place % 10), float(place)) for month in MONTHS for place, who in enumerate(PEOPLE)]
    frame = asked(*((who, month) for month in MONTHS for who in PEOPLE))
    values = np.concatenate([np.arange(400) + 100.0 * month for month in range(3)])
    values[400:440] = np.nan
    return over_time.measure(toy, frame.assign(**{column: values}), known(toy, tmp_path, facts), least=10)[column]


def test_each_month_has_its_missing_share_its_quantiles_and_its_ages(measured):
    assert [span.name for span in measured] == ["2024-01", "2024-02", "2024-03"]
    assert [span.missing for span in measured] == [0.0, 0.1, 0.0]
    assert [span.middle for span in measured] == [199.5, 319.5, 399.5]
    assert (measured[0].low, measured[0].high) == (39.9, 359.1)
    assert {(span.applications, span.age, span.oldest) for span in measured} == {(400, 4.5, 8.1)}


def test_a_quantile_beyond_which_few_lie_is_left_out(toy, tmp_path):
    column = toy.stored[0].name
    views = known(toy, tmp_path, [(who, NOON, 1.0) for who in PEOPLE[:99]])
    frame = asked(*((who, NOON) for who in PEOPLE[:99])).assign(**{column: np.arange(99.0)})
    ((span,),) = over_time.measure(toy, frame, views, least=10).values()

    assert (span.low, span.middle, span.high, span.age, span.oldest) == (None, 49.0, None, 0.0, None)


def test_without_a_time_axis_there_is_one_span_and_nothing_ages(borrow, tmp_path):
    from served import views_of

    portfolio = load("card_default")
    found = over_time.measure(portfolio, borrow(portfolio, 800), views_of(portfolio, tmp_path), least=10)

    assert {*found} == {column.name for column in portfolio.stored}
    assert {(span.name, span.age) for (span,) in found.values()} == {("all", None)}
