"""Exact path-dependent Shapley contributions of trees (Lundberg et al. 2020), from tables.

A leaf's contribution depends only on which of its path's distinct inputs agree with the row. Two leaves under one split share their path
but for that split's side, so every split with a leaf under it (an end) keeps one table for both: a row for each way the inputs above may
agree and each side, built once when a release is loaded. Refuses a leaf whose path asks for more inputs than `DEEPEST`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial
from typing import NamedTuple

import numpy as np
from numba import njit

from feature_repo.errors import ReleaseError
from serving.scoring.kernel import Array, Nodes
from serving.scoring.walks import DEEPEST, both_ways

BLOCK = 256  # rows that are added up together
SHALLOW = 5  # inputs on a path of most models
Condition = tuple[float, float, bool]
Path = dict[int, Condition]
Shares = dict[int, float]


class Ends(NamedTuple):
    """Every split with a leaf under it, in the order of a walk from left to right.

    slot: where the walk keeps which inputs above agree, one bit each; every: all those bits; side: the bit after them, of a row that goes
    left; place: as in `walks.Filled`. column, missing: the split's own input, and whether missing goes left. starts, columns_above, low,
    high, missing_above: the conditions above, an input each: the values that agree (low <= x < high), whether missing does. tables: where
    an end's table begins in `table`, whose rows are as wide as `columns`, the inputs of the path, shape (ends, width): beyond its own an
    end has places behind the last input of any tree, and zeros to add there, so that adding takes no branch.
    """

    slot: Array
    place: Array
    threshold: Array
    every: Array
    side: Array
    column: Array
    missing: Array
    starts: Array
    columns_above: Array
    low: Array
    high: Array
    missing_above: Array
    tables: Array
    table: Array
    columns: Array


class Splits(NamedTuple):
    """Every split with a split under it, those above before those below. bit: the place of its input among those of its path.

    own, left, right: slots; the last slot is of leaves, which nobody reads.
    """

    place: Array
    threshold: Array
    bit: Array
    own: Array
    left: Array
    right: Array


class End(NamedTuple):
    """An end as it is found. leaves: value and shares of training rows by input, of the left and of the right child where it is a leaf."""

    node: int
    above: Path
    leaves: tuple[tuple[float, Shares] | None, tuple[float, Shares] | None]

    @property
    def inputs(self) -> list[int]:
        """Of the path: those above, then the split's own where it is another."""
        shares = next(leaf[1] for leaf in self.leaves if leaf)
        return list(shares)


WEIGHTS = np.array([[factorial(size) * factorial(max(d - size - 1, 0)) / factorial(d) for size in range(DEEPEST + 1)]
                    for d in range(DEEPEST + 1)])


def walked(nodes: Nodes, cover: Array) -> tuple[Splits, Ends]:
    """What `add_ends` takes. cover: float32, training rows per node. Raises ReleaseError."""
    found, order = [], []
    for root in nodes.roots:
        for node, above, end in _splits(nodes, cover, int(root), {}, {}):
            order.append((node, above))
            if end:
                found.append(end)
    slots = {node: slot for slot, (node, _) in enumerate(order)}
    return _inner(nodes, order, slots), _ends(nodes, found, slots)


def _splits(nodes: Nodes, cover: Array, node: int, above: Path, shares: Shares) -> Iterator[tuple[int, Path, End | None]]:
    """Every split at and below `node`, with what agrees above it and, where a leaf is under it, its end."""
    children = int(nodes.left[node]), int(nodes.right[node])
    if children[0] < 0:
        return
    column, cut, goes_left = int(nodes.feature[node]), float(nodes.threshold[node]), bool(nodes.default_left[node])
    low, high, missing = above.get(column, (-np.inf, np.inf, True))
    below = ({**above, column: (low, min(high, cut), missing and goes_left)},
             {**above, column: (max(low, cut), high, missing and not goes_left)})
    shared = tuple({**shares, column: shares.get(column, 1.0) * (float(cover[child]) / float(cover[node]))} for child in children)
    leaves = [(float(nodes.value[child]), share) if nodes.left[child] < 0 else None for child, share in zip(children, shared, strict=True)]
    if any(leaves) and len(shared[0]) > DEEPEST:
        raise ReleaseError(f"a tree of the release asks for {len(shared[0])} inputs on one path; reasons are exact for at most {DEEPEST}. "
                           "Train with a smaller depth")
    yield node, above, End(node, above, (leaves[0], leaves[1])) if any(leaves) else None
    for child, path, share in zip(children, below, shared, strict=True):
        yield from _splits(nodes, cover, child, path, share)


def _inner(nodes: Nodes, order: list[tuple[int, Path]], slots: dict[int, int]) -> Splits:
    some = [(node, [*{**above, int(nodes.feature[node]): None}]) for node, above in order
            if int(nodes.left[node]) in slots or int(nodes.right[node]) in slots]
    at, nobody = np.array([node for node, _ in some], dtype=np.int64), len(order)
    bit = np.array([1 << inputs.index(int(nodes.feature[node])) for node, inputs in some], dtype=np.uint8)
    own, left, right = (np.array([slots.get(int(node), nobody) for node in side], dtype=np.int32)
                        for side in (at, nodes.left[at], nodes.right[at]))
    return Splits(_places(nodes, at), nodes.threshold[at], bit, own, left, right)


def _ends(nodes: Nodes, found: list[End], slots: dict[int, int]) -> Ends:
    at, last = np.array([end.node for end in found], dtype=np.int64), int(nodes.feature.max(initial=-1))
    width = max([SHALLOW, *(len(end.inputs) for end in found)])
    columns = np.tile(np.arange(last + 1, last + 1 + width, dtype=np.int32), (len(found), 1))
    value, share = np.full((len(found), 2), np.nan), np.ones((len(found), 2, width))
    for place, end in enumerate(found):
        columns[place, : len(end.inputs)] = end.inputs
        for side, leaf in enumerate(end.leaves):
            if leaf:
                value[place, side], share[place, side, : len(leaf[1])] = leaf[0], list(leaf[1].values())
    above = [len(end.above) for end in found]
    flat = np.array([(column, *condition) for end in found for column, condition in end.above.items()], dtype=np.float64).reshape(-1, 4).T
    tables = np.cumsum([0, *((2 << d) * width for d in above)])
    table = np.zeros(int(tables[-1]))
    own = np.array([end.inputs.index(int(nodes.feature[end.node])) for end in found], dtype=np.int64)
    fill_tables((value, share, np.array([len(end.inputs) for end in found], dtype=np.int64), np.array(above, dtype=np.int64), own),
                tables, WEIGHTS, table.reshape(-1, width))
    return Ends(
        slot=np.array([slots[end.node] for end in found], dtype=np.int32), place=_places(nodes, at), threshold=nodes.threshold[at],
        every=np.array([(1 << d) - 1 for d in above], dtype=np.uint8), side=np.array([1 << d for d in above], dtype=np.int64),
        column=nodes.feature[at].astype(np.int32), missing=nodes.default_left[at].astype(np.uint8), starts=np.cumsum([0, *above]),
        columns_above=flat[0].astype(np.int32), low=flat[1].astype(np.float32), high=flat[2].astype(np.float32),
        missing_above=flat[3].astype(np.uint8), tables=tables, table=table.astype(np.float32), columns=columns,
    )


def _places(nodes: Nodes, at: Array) -> Array:
    return np.asarray(2 * nodes.feature[at] + (nodes.default_left[at] == 0), dtype=np.int32)


@njit(cache=True)
def fill_tables(ends: tuple[Array, Array, Array, Array, Array], tables: Array, weights: Array, table: Array) -> None:
    """Add up, for each end, mask above and side, what both leaves contribute to each input.

    ends: value and shares of the leaves (left, right), how many inputs they have, how many of them are above, and which is the split's own.
    """
    value, share, inputs, above, own = ends
    leaf = np.empty((1 << DEEPEST, table.shape[1]))
    for end in range(len(inputs)):
        first = tables[end] // table.shape[1]
        for right in range(2):
            if np.isnan(value[end, right]):
                continue
            fill_leaf(value[end, right], share[end, right], inputs[end], weights, leaf)
            for index in range(2 << above[end]):
                goes_left = index >> above[end]
                mask = index & ((1 << above[end]) - 1)
                agrees = (goes_left != right) and (own[end] == above[end] or mask & (1 << own[end]) != 0)
                mask = (mask | (1 << own[end])) if agrees else mask & ~(1 << own[end])
                for j in range(inputs[end]):
                    table[first + index, j] += leaf[mask, j]


@njit(cache=True)
def fill_leaf(value: float, share: Array, d: int, weights: Array, leaf: Array) -> None:
    """For each agreement mask and input j: value x sum over subsets S of the others of weight x prod x (a_j - w_j)."""
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
                        product *= share[k]
                total += weights[d, size] * product
            leaf[mask, j] = value * total * ((1.0 if mask & (1 << j) else 0.0) - share[j])


@njit(cache=True, nogil=True)
def add_ends(rows: Array, splits: Splits, ends: Ends, out: Array) -> None:
    """Per row, strike at every split the bit of its input from the side not taken; add every end's table row for what is left."""
    both = np.empty(2 * rows.shape[1], dtype=np.float32)
    width = ends.columns.shape[1]
    sums = np.empty(rows.shape[1] + width)
    agree = np.full(len(splits.place) + len(ends.slot) + 1, np.uint8(255), dtype=np.uint8)
    for i in range(rows.shape[0]):
        both_ways(rows[i], both)
        sums[:] = 0
        for split in range(len(splits.place)):
            mask, bit = agree[splits.own[split]], splits.bit[split]
            goes_left = both[splits.place[split]] < splits.threshold[split]
            agree[splits.left[split]] = mask if goes_left else mask & ~bit
            agree[splits.right[split]] = mask & ~bit if goes_left else mask
        for end in range(len(ends.slot)):
            goes_left = both[ends.place[end]] < ends.threshold[end]
            index = np.int64(agree[ends.slot[end]] & ends.every[end]) + (ends.side[end] if goes_left else 0)
            at = ends.tables[end] + index * width
            for k in range(SHALLOW):  # a constant, so that no loop is left of it
                sums[ends.columns[end, k]] += ends.table[at + k]
            for k in range(SHALLOW, width):
                sums[ends.columns[end, k]] += ends.table[at + k]
        out[i] = sums[: rows.shape[1]]


@njit(cache=True, nogil=True)
def add_ends_to_many(columns: Array, ends: Ends, out: Array) -> None:
    """`add_ends` for rows that stand in columns: an end at a time over a block that fits the cache, so the same sums, bit for bit."""
    masks, width = np.empty(BLOCK, dtype=np.int64), ends.columns.shape[1]
    for start in range(0, columns.shape[1], BLOCK):
        many = min(BLOCK, columns.shape[1] - start)
        for end in range(len(ends.slot)):
            first, d = ends.starts[end], ends.starts[end + 1] - ends.starts[end]
            column, cut, missing = ends.column[end], ends.threshold[end], ends.missing[end] == 1
            for i in range(many):
                x = columns[column, start + i]
                masks[i] = int((x < cut) | (np.isnan(x) & missing)) << d
            for k in range(first, first + d):
                column, low, high, missing = ends.columns_above[k], ends.low[k], ends.high[k], ends.missing_above[k] == 1
                for i in range(many):
                    x = columns[column, start + i]
                    agrees = ((low <= x) & (x < high)) | (np.isnan(x) & missing)
                    masks[i] |= int(agrees) << (k - first)
            for k in range(width):
                column, at = ends.columns[end, k], ends.tables[end] + k
                if column >= columns.shape[0]:
                    break
                for i in range(many):
                    out[column, start + i] += ends.table[at + masks[i] * width]
