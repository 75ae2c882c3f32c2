"""Levels become log-odds of bad learnt on development; every declared level has a number, and none is learnt from a handful."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from feature_repo.contract import BAD, Request
from feature_repo.errors import DataError
from training.encoding import fit_encoding, model_rows
from training.params import EncodingParams

PARAMS = EncodingParams(smoothing=20, rare=50, most_levels=200)


def levels(portfolio):
    return [column for column in portfolio.raw_inputs if column.is_level]


def test_riskier_levels_have_higher_numbers_and_every_declared_level_has_one(mill, borrow):
    encoding = fit_encoding(mill, borrow(mill, 6000, unknown=0), PARAMS)

    for column in levels(mill):
        assert list(encoding[column.name]) == list(column.level_names)
        assert list(encoding[column.name].values()) == sorted(encoding[column.name].values()), "risk rises in declared order here"


def test_rare_and_unseen_levels_share_one_number_near_the_average(mill, borrow):
    frame = borrow(mill, 6000, unknown=0)
    column = max(levels(mill), key=lambda each: len(each.level_names))
    first, second, third = column.level_names[:3]
    frame[column.name] = np.where(np.arange(6000) < 10, second, third)
    frame.loc[:9, BAD] = 1.0
    numbers = fit_encoding(mill, frame, PARAMS)[column.name]

    assert numbers[first] == numbers[second]
    assert numbers[third] == pytest.approx(0, abs=0.05)
    assert 0 < numbers[second] < 2, "ten bad of ten is drawn towards the average"


def test_a_number_never_learns_from_what_is_not_given_to_it(mill, borrow):
    frame = borrow(mill, 2000, unknown=0)
    encoding = fit_encoding(mill, frame.head(1000), PARAMS)
    frame.loc[1000:, BAD] = 1 - frame.loc[1000:, BAD]

    assert fit_encoding(mill, frame.head(1000), PARAMS) == encoding


def test_rows_are_in_contract_order_with_missing_and_unknown_levels_as_nan(mill, borrow):
    frame = borrow(mill, 300)
    encoding = fit_encoding(mill, borrow(mill, 2000, unknown=0), PARAMS)
    rows = model_rows(mill, encoding, frame)

    for j, column in enumerate(mill.inputs):
        values = frame[column.name].map(encoding[column.name]) if column.is_level else frame[column.name]
        assert np.array_equal(rows[:, j], values.to_numpy(dtype=float), equal_nan=True)


def test_five_thousand_levels_are_a_message(mill, borrow):
    wide = Request("village", reason="It is far away", raw="v", levels=tuple(f"v{i}" for i in range(5000)))
    orders = dataclasses.replace(mill.applications, columns=(*mill.applications.columns, wide))
    frame = borrow(mill, 500, unknown=0).assign(**{wide.name: "v1"})

    with pytest.raises(DataError, match=r"village has 5000 levels, at most 200 .*most_levels.*group them"):
        fit_encoding(dataclasses.replace(mill, tables=(orders, *mill.tables[1:])), frame, PARAMS)
