"""One arithmetic of age, over arrays and over scalars."""

from __future__ import annotations

from math import inf, isinf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import Stored
from feature_repo.freshness import is_fresh
from feature_repo.portfolios import load

SECONDS = st.one_of(st.floats(-1e10, 1e10), st.integers(0, 2 * 10**9).map(float), st.just(nan))


@given(as_of=SECONDS, at=SECONDS, limit=st.one_of(st.floats(0, 1e9), st.just(inf)))
def test_an_array_and_a_scalar_are_judged_alike(as_of, at, limit):
    assert bool(is_fresh(np.array([as_of]), np.array([at]), limit)[0]) is bool(is_fresh(as_of, at, limit))


@pytest.mark.parametrize(("as_of", "at", "fresh"), [(100.0, 100.0, True), (100.0, 160.0, True), (100.0, 160.000001, False),
                                                    (100.000001, 100.0, False), (nan, 100.0, False)])
def test_a_value_counts_from_its_own_moment_until_its_limit_inclusive(as_of, at, fresh):
    assert is_fresh(as_of, at, 60.0) is fresh


def test_every_stored_column_has_one_limit_and_without_it_none(harbour):
    limits = {column.name: limit for _, column, limit in harbour.ageing}

    assert list(limits) == [column.name for column in harbour.stored]
    for column in harbour.stored:
        assert limits[column.name] == (inf if column.fresh_for is None else column.fresh_for.total_seconds())


def test_nothing_ages_without_a_time_axis():
    undated = load("card_default")

    assert any(column.fresh_for for column in undated.stored if isinstance(column, Stored))
    assert all(isinf(limit) for _, _, limit in undated.ageing)
