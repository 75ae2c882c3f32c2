"""The models as flat arrays: log-odds of bad for rows of inputs, without xgboost, sklearn or a compiler at serving time.

Refuses nothing: rows arrive checked. NaN is "missing" and takes the branch or bin the training gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Levels:
    """A column of levels told by their places in `names`; -1 is missing. codes: integers of shape (n,)."""

    codes: Array
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


class Kernel(Protocol):
    """What a model is to scoring: both arrays have shape (n, inputs) in, float64 out."""

    def margins(self, rows: Array) -> Array:
        """Log-odds of bad before calibration, shape (n,)."""

    def contributions(self, rows: Array) -> Array:
        """What each input adds to the margin, shape (n, inputs)."""

    def arrays(self) -> dict[str, Array]:
        """The model as named arrays, for the release."""


class Nodes(NamedTuple):
    """What a walk of trees needs; `serving.scoring.trees.Trees` says what each array is."""

    feature: Array
    threshold: Array
    left: Array
    right: Array
    default_left: Array
    value: Array
    roots: Array
    base: Array


class Places(NamedTuple):
    """What a look-up of bins needs; `serving.scoring.scorecard.Scorecard` says what each array is."""

    starts: Array
    edges: Array
    points: Array
    missing: Array
    special_starts: Array
    specials: Array
    special_points: Array


@njit(cache=True, nogil=True)
def walk_trees(rows: Array, nodes: Nodes, out: Array) -> None:
    """Sum leaf values in float32, base first, then in tree order: bit-equal to XGBoost's own margin."""
    for i in range(rows.shape[0]):
        total = nodes.base[0]
        for root in nodes.roots:
            node = root
            while nodes.left[node] >= 0:
                x = rows[i, nodes.feature[node]]
                goes_left = nodes.default_left[node] == 1 if np.isnan(x) else x < nodes.threshold[node]
                node = nodes.left[node] if goes_left else nodes.right[node]
            total += nodes.value[node]
        out[i] = total


@njit(cache=True, nogil=True)
def look_up(rows: Array, places: Places, out: Array) -> None:
    """Per input the log-odds of its bin [edge, next edge), of its special code, or of missing."""
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            x = rows[i, j]
            first, last = places.starts[j], places.starts[j + 1]
            interval = first + j + np.searchsorted(places.edges[first:last], x, side="right")
            out[i, j] = places.missing[j] if np.isnan(x) else places.points[interval]
            for k in range(places.special_starts[j], places.special_starts[j + 1]):
                if x == places.specials[k]:
                    out[i, j] = places.special_points[k]


@njit(cache=True, nogil=True)
def add_up(contributions: Array, intercept: float, out: Array) -> None:
    """Sum each row in input order, intercept first, so that one row and many give the same bits."""
    for i in range(contributions.shape[0]):
        total = intercept
        for j in range(contributions.shape[1]):
            total += contributions[i, j]
        out[i] = total
