"""The models as flat arrays: log-odds of bad for rows of inputs, without xgboost, sklearn or a compiler at serving time.

Refuses nothing: rows arrive checked. NaN is "missing" and takes the branch or bin the training gave it.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


class Kernel(Protocol):
    """What a model is to scoring: both arrays have shape (n, inputs) in, float64 out."""

    def margins(self, rows: Array) -> Array:
        """Log-odds of bad before calibration, shape (n,)."""

    def contributions(self, rows: Array) -> Array:
        """What each input adds to the margin, shape (n, inputs)."""

    def arrays(self) -> dict[str, Array]:
        """The model as named arrays, for the release."""


@njit(cache=True, nogil=True)
def walk_trees(rows: Array, feature: Array, threshold: Array, left: Array, right: Array, default_left: Array, value: Array,
               roots: Array, base: np.float32, out: Array) -> None:
    """Sum leaf values in float32, base first, then in tree order: bit-equal to XGBoost's own margin."""
    for i in range(rows.shape[0]):
        total = base
        for root in roots:
            node = root
            while left[node] >= 0:
                x = rows[i, feature[node]]
                if np.isnan(x):
                    node = left[node] if default_left[node] else right[node]
                elif x < threshold[node]:
                    node = left[node]
                else:
                    node = right[node]
            total += value[node]
        out[i] = total


@njit(cache=True, nogil=True)
def look_up(rows: Array, starts: Array, edges: Array, points: Array, missing: Array, special_starts: Array, specials: Array,
            special_points: Array, out: Array) -> None:
    """Per input the log-odds of its bin [edge, next edge), of its special code, or of missing."""
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            x = rows[i, j]
            first, last = starts[j], starts[j + 1]
            out[i, j] = missing[j] if np.isnan(x) else points[first + j + np.searchsorted(edges[first:last], x, side="right")]
            for k in range(special_starts[j], special_starts[j + 1]):
                if x == specials[k]:
                    out[i, j] = special_points[k]


@njit(cache=True, nogil=True)
def add_up(contributions: Array, intercept: float, out: Array) -> None:
    """Sum each row in input order, intercept first, so that one row and many give the same bits."""
    for i in range(contributions.shape[0]):
        total = intercept
        for j in range(contributions.shape[1]):
            total += contributions[i, j]
        out[i] = total
