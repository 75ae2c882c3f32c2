"""Fisher's exact test, against tables worked in whole numbers and against SciPy."""

from __future__ import annotations

import doctest
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import fisher_exact

from governance import exact
from governance.exact import fisher

WORKED = [
    # 1 of 10 and 11 of 14 approved: 12 of 24, and a table with k of them in the first row has C(12, k) C(12, 10 - k) of C(24, 10) chances.
    # No likelier than k = 1: k = 0, 1, 9 and 10, which are 66 + 2,640 + 2,640 + 66.
    ((1, 10), (11, 14), Fraction(66 + 2640 + 2640 + 66, 1961256)),
    # 0 of 5 and 5 of 5: the two extreme tables of C(10, 5) = 252.
    ((0, 5), (5, 5), Fraction(2, 252)),
    # 3 of 4 and 1 of 4, Fisher's lady tasting tea: 1 + 16 + 16 + 1 of C(8, 4) = 70.
    ((3, 4), (1, 4), Fraction(34, 70)),
    # 2 of 4 and 2 of 4: every table.
    ((2, 4), (2, 4), Fraction(1)),
]


def test_the_examples_hold():
    assert doctest.testmod(exact).failed == 0


@pytest.mark.parametrize(("own", "other", "worked"), WORKED)
def test_the_p_value_is_that_worked_by_hand(own, other, worked):
    assert fisher(own, other) == pytest.approx(float(worked), rel=0, abs=1e-12)
    assert comb(24, 10) == 1961256


def test_the_p_value_is_scipys_on_small_and_on_large_tables():
    random = np.random.default_rng(5)
    for _ in range(400):
        of, other_of = (int(n) for n in random.integers(1, 3000, 2))
        own, other = int(random.binomial(of, random.random())), int(random.binomial(other_of, random.random()))
        theirs = fisher_exact([[own, of - own], [other, other_of - other]]).pvalue
        assert fisher((own, of), (other, other_of)) == pytest.approx(theirs, rel=1e-9, abs=1e-250)


@pytest.mark.parametrize(("own", "other"), [((0, 30), (0, 40)), ((30, 30), (40, 40)), ((0, 0), (3, 4))])
def test_an_empty_margin_tells_nothing(own, other):
    assert fisher(own, other) == 1


def test_a_table_beyond_any_number_has_no_chance_and_takes_no_time():
    assert fisher((0, 500_000), (500_000, 500_000)) == 0
