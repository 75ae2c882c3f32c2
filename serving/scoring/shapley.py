"""Exact path-dependent Shapley contributions of trees (Lundberg et al. 2020), from tables.

A leaf's contribution depends only on which of its path's distinct inputs agree with the row, so every leaf keeps a table of
2^d rows for its d inputs, built once when a release is loaded. Refuses a leaf whose path asks for more inputs than `DEEPEST`.
"""

from __future__ import annotations

from math import factorial
from typing import NamedTuple

import numpy as np
from numba import njit

from feature_repo.errors import ReleaseError
from serving.scoring.kernel import Array, Nodes
from serving.scoring.walks import DEEPEST, both_ways

BLOCK = 256  # rows that are added up together
SHALLOW = 5  # inputs on a path of most models
Condition = tuple[float, float, bool, float]
Path = dict[int, Condition]


class Leaves(NamedTuple):
    """Every leaf's path and table, one after another, in the order of a walk from left to right.

    starts: where a leaf's conditions begin; per condition its input (column), the values that agree (low <= x < high), whether
    missing agrees, and the share of training rows that does; value: per leaf. tables: where a leaf's table begins in `table`, whose
    rows are as wide as `columns`, the same inputs again, shape (leaves, width): beyond a leaf's own it has places behind the last input
    of any tree, and zeros to add there, so that adding takes no branch. every: all of a leaf's bits.
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
    columns: Array
    every: Array


class Splits(NamedTuple):
    """Every split, those above before those below; a slot is a split's or (from `slots` on, in order) a leaf's.

    place: as in `walks.Filled`; bit: the place of its input among those of its path; own, left, right: slots.
    """

    place: Array
    threshold: Array
    bit: Array
    own: Array
    left: Array
    right: Array


WEIGHTS = np.array([[factorial(size) * factorial(max(d - size - 1, 0)) / factorial(d) for size in range(DEEPEST + 1)]
                    for d in range(DEEPEST + 1)])


def leaves(nodes: Nodes, cover: Array) -> Leaves:
    """The tables of all trees. cover: float32, training rows per node. Raises ReleaseError."""
    paths = [path for root in nodes.roots for path in _paths(nodes, cover, int(root), {})]
    inputs = [len(conditions) for _, conditions in paths]
    if max(inputs, default=0) > DEEPEST:
        raise ReleaseError(f"a tree of the release asks for {max(inputs)} inputs on one path; reasons are exact for at most {DEEPEST}. "
                           "Train with a smaller depth")
    last = int(nodes.feature.max(initial=-1))
    columns = np.tile(np.arange(last + 1, last + 1 + max(SHALLOW, *inputs), dtype=np.int32), (len(paths), 1))
    for leaf, (_, conditions) in enumerate(paths):
        columns[leaf, : len(conditions)] = list(conditions)
    flat = np.array([(column, *condition) for _, conditions in paths for column, condition in conditions.items()]).reshape(-1, 5).T
    tables = np.cumsum([0, *(columns.shape[1] << d for d in inputs)])
    found = Leaves(
        value=np.array([value for value, _ in paths], dtype=np.float64), starts=np.cumsum([0, *inputs]),
        column=flat[0].astype(np.int32), low=flat[1].astype(np.float32), high=flat[2].astype(np.float32),
        missing=flat[3].astype(np.uint8), share=flat[4].copy(), tables=tables, table=np.zeros(int(tables[-1]), dtype=np.float64),
        columns=columns, every=np.array([(1 << d) - 1 for d in inputs], dtype=np.uint8),
    )
    fill_tables(found, WEIGHTS)
    return found


def _paths(nodes: Nodes, cover: Array, node: int, path: Path) -> list[tuple[float, Path]]:
    """(leaf value, {input: (low, high, missing agrees, cover share)}) of every leaf below `node`."""
    left, right = int(nodes.left[node]), int(nodes.right[node])
    if left < 0:
        return [(float(nodes.value[node]), path)]
    column, cut = int(nodes.feature[node]), float(nodes.threshold[node])
    low, high, missing, share = path.get(column, (-np.inf, np.inf, True, 1.0))
    goes_left = bool(nodes.default_left[node])
    parts = [float(cover[child]) / float(cover[node]) for child in (left, right)]
    return [
        *_paths(nodes, cover, left, {**path, column: (low, min(high, cut), missing and goes_left, share * parts[0])}),
        *_paths(nodes, cover, right, {**path, column: (max(low, cut), high, missing and not goes_left, share * parts[1])}),
    ]


def splits(nodes: Nodes) -> Splits:
    """The splits of all trees with their slots; leaves have the slots after them, in the order of `Leaves`."""
    order: list[tuple[int, int]] = []
    leaf_of: dict[int, int] = {}
    for root in nodes.roots:
        _gather(nodes, int(root), (), order, leaf_of)
    at = np.array([node for node, _ in order], dtype=np.int64)
    slot = np.zeros(len(nodes.left), dtype=np.int32)
    slot[at] = np.arange(len(at))
    slot[list(leaf_of)] = len(at) + np.array(list(leaf_of.values()), dtype=np.int32)
    place = 2 * nodes.feature[at] + (nodes.default_left[at] == 0)
    return Splits(place.astype(np.int32), nodes.threshold[at], np.array([1 << bit for _, bit in order], dtype=np.uint8), slot[at],
                  slot[nodes.left[at]], slot[nodes.right[at]])


def _gather(nodes: Nodes, node: int, known: tuple[int, ...], order: list[tuple[int, int]], leaf_of: dict[int, int]) -> None:
    """Add the splits at and below `node`, each with the place of its input among the inputs of its path, and number the leaves."""
    if nodes.left[node] < 0:
        leaf_of[node] = len(leaf_of)
        return
    column = int(nodes.feature[node])
    known = known if column in known else (*known, column)
    order.append((node, known.index(column)))
    _gather(nodes, int(nodes.left[node]), known, order, leaf_of)
    _gather(nodes, int(nodes.right[node]), known, order, leaf_of)


@njit(cache=True)
def fill_tables(leaves: Leaves, weights: Array) -> None:
    """For each leaf, agreement mask and input j: value x sum over subsets S of the others of weight x prod x (a_j - w_j)."""
    width = leaves.columns.shape[1]
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
                leaves.table[leaves.tables[leaf] + mask * width + j] = leaves.value[leaf] * total * (own - leaves.share[first + j])


@njit(cache=True, nogil=True)
def add_leaves(rows: Array, splits: Splits, leaves: Leaves, out: Array) -> None:
    """Per row, strike at every split the bit of its input from the side not taken; add every leaf's table row for what is left."""
    both = np.empty(2 * rows.shape[1], dtype=np.float32)
    first_leaf, width = len(splits.place), leaves.columns.shape[1]
    sums = np.empty(rows.shape[1] + width)
    agree = np.full(first_leaf + len(leaves.value), np.uint8(255), dtype=np.uint8)
    for i in range(rows.shape[0]):
        both_ways(rows[i], both)
        sums[:] = 0
        for split in range(first_leaf):
            mask, bit = agree[splits.own[split]], splits.bit[split]
            goes_left = both[splits.place[split]] < splits.threshold[split]
            agree[splits.left[split]] = mask if goes_left else mask & ~bit
            agree[splits.right[split]] = mask & ~bit if goes_left else mask
        for leaf in range(len(leaves.value)):
            at = leaves.tables[leaf] + np.int64(agree[first_leaf + leaf] & leaves.every[leaf]) * width
            for k in range(SHALLOW):  # a constant, so that no loop is left of it
                sums[leaves.columns[leaf, k]] += leaves.table[at + k]
            for k in range(SHALLOW, width):
                sums[leaves.columns[leaf, k]] += leaves.table[at + k]
        out[i] = sums[: rows.shape[1]]


@njit(cache=True, nogil=True)
def add_leaves_to_many(columns: Array, leaves: Leaves, out: Array) -> None:
    """`add_leaves` for rows that stand in columns: a leaf at a time over a block that fits the cache, so the same sums, bit for bit."""
    masks, width = np.empty(BLOCK, dtype=np.int64), leaves.columns.shape[1]
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
                    out[column, start + i] += leaves.table[at + masks[i] * width]
