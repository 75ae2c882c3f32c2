"""A boosted tree ensemble as a kernel, with exact path-dependent Shapley contributions (Lundberg et al. 2020).

A leaf's contribution depends only on which of its path's distinct inputs agree with the row, so every leaf keeps a table of
2^d rows by d inputs, built once when a release is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import factorial
from typing import NamedTuple

import numpy as np
from numba import njit

from feature_repo.errors import ReleaseError
from serving.scoring.kernel import Array, Nodes, walk_trees

DEEPEST = 6
FEW, BLOCK = 32, 256
LARGEST = float(np.finfo(np.float32).max)
Condition = tuple[float, float, bool, float]
Path = dict[int, Condition]


class Leaves(NamedTuple):
    """Every leaf's path and table, one after another.

    starts: where a leaf's conditions begin; per condition its input (column), the values that agree (low <= x < high), whether
    missing agrees, and the share of training rows that does; tables: where a leaf's table begins in `table`; value: per leaf.
    """

    value: Array
    starts: Array
    column: Array
    low: Array
    high: Array
    missing: Array
    share: Array
    tables: Array
    table: Array


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
        nodes = Nodes(self.feature, self.threshold, self.left, self.right, self.default_left, self.value, self.roots, self.base)
        walk_trees(single(rows), nodes, out)
        return out.astype(np.float64)

    def contributions(self, rows: Array) -> Array:
        out = np.zeros(rows.shape, dtype=np.float64)
        if len(rows) < FEW:
            add_leaves(single(rows), self._leaves, out)
        else:
            add_leaves_to_many(np.ascontiguousarray(single(rows).T), self._leaves, out.T)
        return out

    @cached_property
    def _leaves(self) -> Leaves:
        paths = [path for root in self.roots for path in self._paths(int(root), {})]
        inputs = [len(conditions) for _, conditions in paths]
        if max(inputs, default=0) > DEEPEST:
            raise ReleaseError(f"a tree of the release asks for {max(inputs)} inputs on one path; reasons are exact for at most {DEEPEST}. "
                               "Train with a smaller depth")
        flat = np.array([(column, *condition) for _, conditions in paths for column, condition in conditions.items()]).reshape(-1, 5).T
        tables = np.cumsum([0, *(d << d for d in inputs)])
        leaves = Leaves(
            value=np.array([value for value, _ in paths], dtype=np.float64), starts=np.cumsum([0, *inputs]),
            column=flat[0].astype(np.int32), low=flat[1].astype(np.float32), high=flat[2].astype(np.float32),
            missing=flat[3].astype(np.uint8), share=flat[4].copy(), tables=tables, table=np.zeros(int(tables[-1]), dtype=np.float64),
        )
        fill_tables(leaves, WEIGHTS)
        return leaves

    def _paths(self, node: int, path: Path) -> list[tuple[float, Path]]:
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


def single(rows: Array) -> Array:
    """Rows in float32, as XGBoost compares them; what is beyond its range counts as its largest number, never as infinite."""
    return np.clip(rows, -LARGEST, LARGEST).astype(np.float32)


WEIGHTS = np.array([[factorial(size) * factorial(max(d - size - 1, 0)) / factorial(d) for size in range(DEEPEST + 1)]
                    for d in range(DEEPEST + 1)])


@njit(cache=True)
def fill_tables(leaves: Leaves, weights: Array) -> None:
    """For each leaf, agreement mask and input j: value x sum over subsets S of the others of weight x prod x (a_j - w_j)."""
    for leaf in range(len(leaves.value)):
        first = leaves.starts[leaf]
        d = leaves.starts[leaf + 1] - first
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
                            product *= leaves.share[first + k]
                    total += weights[d, size] * product
                own = 1.0 if mask & (1 << j) else 0.0
                leaves.table[leaves.tables[leaf] + mask * d + j] = leaves.value[leaf] * total * (own - leaves.share[first + j])


@njit(cache=True, nogil=True)
def add_leaves(rows: Array, leaves: Leaves, out: Array) -> None:
    """Add every leaf's table row for the mask of inputs that agree with its path."""
    for i in range(rows.shape[0]):
        for leaf in range(len(leaves.value)):
            first, last = leaves.starts[leaf], leaves.starts[leaf + 1]
            mask = 0
            for k in range(first, last):
                x = rows[i, leaves.column[k]]
                agrees = leaves.missing[k] == 1 if np.isnan(x) else leaves.low[k] <= x < leaves.high[k]
                mask |= int(agrees) << (k - first)
            at = leaves.tables[leaf] + mask * (last - first)
            for k in range(first, last):
                out[i, leaves.column[k]] += leaves.table[at + k - first]


@njit(cache=True, nogil=True)
def add_leaves_to_many(columns: Array, leaves: Leaves, out: Array) -> None:
    """`add_leaves` for rows that stand in columns: a leaf at a time over a block that fits the cache, so the same sums, bit for bit."""
    masks = np.empty(BLOCK, dtype=np.int64)
    for start in range(0, columns.shape[1], BLOCK):
        many = min(BLOCK, columns.shape[1] - start)
        for leaf in range(len(leaves.value)):
            first, d = leaves.starts[leaf], leaves.starts[leaf + 1] - leaves.starts[leaf]
            masks[:many] = 0
            for k in range(first, first + d):
                column, low, high, missing = leaves.column[k], leaves.low[k], leaves.high[k], leaves.missing[k] == 1
                for i in range(many):
                    x = columns[column, start + i]
                    agrees = ((low <= x) & (x < high)) | (np.isnan(x) & missing)
                    masks[i] |= int(agrees) << (k - first)
            for k in range(d):
                column, at = leaves.column[first + k], leaves.tables[leaf] + k
                for i in range(many):
                    out[column, start + i] += leaves.table[at + masks[i] * d]
