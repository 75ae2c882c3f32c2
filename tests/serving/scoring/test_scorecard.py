"""The scorecard as a kernel: contributions add up to the margin, one row and many alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serving.scoring.scorecard import Scorecard

CARD = Scorecard(
    starts=np.array([0, 3, 3, 4]), edges=np.array([-1.0, 0.0, 2.5, 10.0]), points=np.array([-0.7, -0.1, 0.3, 0.9, 0.0, -0.2, 0.4]),
    missing=np.array([0.1, 0.0, -0.3]), special_starts=np.array([0, 1, 1, 3]), specials=np.array([-2.0, -1.0, -9.0]),
    special_points=np.array([0.8, 0.05, 0.06]), intercept=np.array([-2.3]),
)
VALUES = st.one_of(st.floats(width=64), st.sampled_from([-9.0, -2.0, -1.0, 0.0, 2.5, 10.0, np.nan]))


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(3)), elements=VALUES))
def test_one_row_and_many_have_the_same_bits(rows):
    assert CARD.margins(rows).tolist() == [CARD.margins(row[None])[0] for row in rows]


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(3)), elements=VALUES))
def test_contributions_add_up_to_the_margin(rows):
    assert np.allclose(CARD.contributions(rows).sum(axis=1) + CARD.intercept[0], CARD.margins(rows), atol=1e-12)


def test_its_arrays_make_it_again():
    rows = np.array([[0.0, 1.0, np.nan], [-2.0, np.nan, -9.0]])

    assert np.array_equal(Scorecard(**CARD.arrays()).margins(rows), CARD.margins(rows))
