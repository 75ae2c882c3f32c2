"""A boosted tree ensemble as a kernel, with exact path-dependent Shapley contributions (Lundberg et al. 2020).

A leaf's contribution depends only on which of its path's distinct inputs agree with the row, so every leaf keeps a table of
2^d rows by d inputs, built once when a release is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import factorial

import numpy as np
from numba import njit

from serving.scoring.kernel import Array, walk_trees

DEEPEST = 6


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one after another; a leaf has left < 0.

    feature, left, right, roots: int32; threshold, value, cover, base: float32; default_left: uint8.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    default_left: Array
    value: Array
    cover: Array
    roots: Array
    base: Array

    def arrays(self) -> dict[str, Array]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def margins(self, rows: Array) -> Array:
        out = np.empty(len(rows), dtype=np.float32)
        walk_trees(rows.astype(np.float32), self.feature, self.threshold, self.left, self.right, self.default_left, self.value,
                   self.roots, np.float32(self.base[0]), out)
        return out.astype(np.float64)

    def contributions(self, rows: Array) -> Array:
        out = np.zeros(rows.shape, dtype=np.float64)
        add_leaves(rows.astype(np.float32), *self._leaves, out)
        return out

    @cached_property
    def _leaves(self) -> tuple[Array, ...]:
        paths = [path for root in self.roots for path in self._paths(int(root), {})]
        starts = np.cumsum([0] + [len(conditions) for _, conditions in paths])
        flat = [(column, *condition) for _, conditions in paths for column, condition in conditions.items()]
        column, low, high, missing, share = (np.array(part) for part in zip(*flat, strict=True)) if flat else (np.zeros(0),) * 5
        tables = np.cumsum([0] + [len(conditions) << len(conditions) for _, conditions in paths])
        values = np.array([value for value, _ in paths], dtype=np.float64)
        table = np.zeros(int(tables[-1]), dtype=np.float64)
        fill_tables(values, starts, share.astype(np.float64), tables, WEIGHTS, table)
        return (starts, column.astype(np.int32), low.astype(np.float32), high.astype(np.float32), missing.astype(np.uint8), tables, table)

    def _paths(self, node: int, path: dict[int, tuple[float, float, bool, float]]) -> list[tuple[float, dict[int, tuple[float, float, bool, float]]]]:
        """(leaf value, {input: (low, high, missing agrees, cover share)}) of every leaf below `node`."""
        left, right = int(self.left[node]), int(self.right[node])
        if left < 0:
            return [(float(self.value[node]), path)]
        column, cut = int(self.feature[node]), float(self.threshold[node])
        low, high, missing, share = path.get(column, (-np.inf, np.inf, True, 1.0))
        goes_left = bool(self.default_left[node])
        parts = [float(self.cover[child]) / float(self.cover[node]) for child in (left, right)]
        return [
            *self._paths(left, {**path, column: (low, min(high, cut), missing and goes_left, share * parts[0])}),
            *self._paths(right, {**path, column: (max(low, cut), high, missing and not goes_left, share * parts[1])}),
        ]


WEIGHTS = np.array([[factorial(size) * factorial(max(d - size - 1, 0)) / factorial(d) for size in range(DEEPEST + 1)]
                    for d in range(DEEPEST + 1)])


@njit(cache=True)
def fill_tables(values: Array, starts: Array, share: Array, tables: Array, weights: Array, table: Array) -> None:
    """For each leaf, agreement mask and input j: value x sum over subsets S of the others of weight x prod x (a_j - w_j)."""
    for leaf in range(len(values)):
        first = starts[leaf]
        d = starts[leaf + 1] - first
        for mask in range(1 << d):
            for j in range(d):
                total = 0.0
                for subset in range(1 << d):
                    if subset & (1 << j) or subset & ~mask:
                        continue
                    product, size = 1.0, 0
                    for k in range(d):
                        if subset & (1 << k):
                            size += 1
                        elif k != j:
                            product *= share[first + k]
                    total += weights[d, size] * product
                own = 1.0 if mask & (1 << j) else 0.0
                table[tables[leaf] + mask * d + j] = values[leaf] * total * (own - share[first + j])


@njit(cache=True, nogil=True)
def add_leaves(rows: Array, starts: Array, column: Array, low: Array, high: Array, missing: Array, tables: Array, table: Array,
               out: Array) -> None:
    """Add every leaf's table row for the mask of inputs that agree with its path."""
    for i in range(rows.shape[0]):
        for leaf in range(len(starts) - 1):
            first, last = starts[leaf], starts[leaf + 1]
            mask = 0
            for k in range(first, last):
                x = rows[i, column[k]]
                agrees = missing[k] == 1 if np.isnan(x) else low[k] <= x < high[k]
                mask |= int(agrees) << (k - first)
            at = tables[leaf] + mask * (last - first)
            for k in range(first, last):
                out[i, column[k]] += table[at + k - first]
