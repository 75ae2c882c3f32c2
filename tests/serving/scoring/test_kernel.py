"""The compiled loops: where a value falls, and in what order a row is summed."""

from __future__ import annotations

import numpy as np

from serving.scoring.kernel import Places, add_up, look_up


def places():
    return Places(starts=np.array([0, 2, 2]), edges=np.array([1.0, 5.0]), points=np.array([10.0, 20.0, 30.0, 7.0]),
                  missing=np.array([-1.0, -2.0]), special_starts=np.array([0, 0, 1]), specials=np.array([-9.0]),
                  special_points=np.array([99.0]))


def found(first, second):
    out = np.empty((1, 2))
    look_up(np.array([[first, second]]), places(), out)
    return out[0].tolist()


def test_an_interval_holds_its_lower_edge_and_not_its_upper():
    values = (np.nextafter(1, 0), 1.0, np.nextafter(5, 0), 5.0, np.inf, -np.inf)

    assert [found(value, 0.0)[0] for value in values] == [10, 20, 20, 30, 30, 10]


def test_missing_and_special_values_have_their_own_points():
    assert found(np.nan, np.nan) == [-1, -2]
    assert found(-9.0, -9.0) == [10, 99], "a code is special only for the input that declares it"


def test_an_input_without_edges_has_one_interval():
    assert found(0.0, 123.0)[1] == 7


def test_a_row_is_summed_from_the_intercept_in_input_order():
    contributions = np.array([[1e16, -1e16, 1.0]])
    out = np.empty(1)
    add_up(contributions, 0.5, out)

    assert out[0] == ((0.5 + 1e16) - 1e16) + 1.0
