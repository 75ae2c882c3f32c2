"""Two quick ways through trees of a small depth: one row at a time, and many rows at once. Both give the bits of `kernel.walk_trees`.

One row: every tree is filled up to the same depth, so that a step is a comparison and no jump, and steps of different trees overlap.
Many rows: every split that sends a row right strikes the leaves on its left; the first leaf left over is the row's. No row takes a path
of its own, so a processor compares many of them at once: QuickScorer, Lucchese et al. (2015).

Knows no deeper trees than `DEEPEST` and no split at minus infinity: `fits` says so, and who asks walks them node by node.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from serving.scoring.kernel import Array, Nodes

DEEPEST = 6
BLOCK = 128  # rows whose values stay near the processor
LARGEST = float(np.finfo(np.float32).max)
WIDEST, INFINITE = np.float32(LARGEST), np.float32(np.inf)
# A lone bit times this number, shifted, tells which bit it is.
DE_BRUIJN: dict[int, tuple[Any, int]] = {32: (np.uint32(0x077CB531), 27), 64: (np.uint64(0x03F79D71B4CB0A89), 58)}


class Filled(NamedTuple):
    """Trees of one depth, children of node k at 2k + 1 and 2k + 2.

    place: 2 x input, one more where missing goes right; threshold: shape (trees, 2^depth - 1); value: (trees, 2^depth); base: (1,).
    """

    place: Array
    threshold: Array
    value: Array
    base: Array


class Strikes(NamedTuple):
    """Splits of all trees, one after another, four at a time: the last of a tree may be some that strike nothing.

    starts: where a tree's begin; place, threshold: as in `Filled`; stay: the leaves that stay when a row goes right, a bit each;
    value: per tree the leaves, in the order in which `magic` and `shift` find the lowest bit.
    """

    starts: Array
    place: Array
    threshold: Array
    stay: Array
    value: Array
    magic: Array
    shift: Array
    base: Array


def depth(nodes: Nodes) -> int:
    """How many splits the longest path has."""
    levels, at = 0, nodes.roots
    while len(at := at[nodes.left[at] >= 0]):
        at, levels = np.concatenate([nodes.left[at], nodes.right[at]]), levels + 1
    return levels


def fits(nodes: Nodes) -> bool:
    """Whether the trees can be laid out for either way."""
    return depth(nodes) <= DEEPEST and bool((nodes.threshold[nodes.left >= 0] > -np.inf).all())


def filled(nodes: Nodes) -> Filled:
    """Every tree filled up: below a leaf, splits whose two sides are that leaf."""
    levels = depth(nodes)
    place = np.zeros((len(nodes.roots), (1 << levels) - 1), dtype=np.int32)
    threshold = np.full(place.shape, np.inf, dtype=np.float32)
    at = nodes.roots.copy()[:, None]
    for level in range(levels):
        first, splits = (1 << level) - 1, nodes.left[at] >= 0
        own = 2 * nodes.feature[at] + (nodes.default_left[at] == 0)
        place[:, first : 2 * first + 1] = np.where(splits, own, 0)
        threshold[:, first : 2 * first + 1] = np.where(splits, nodes.threshold[at], np.float32(np.inf))
        below = [np.where(splits, side[at], at) for side in (nodes.left, nodes.right)]
        at = np.stack(below, axis=2).reshape(len(at), -1)
    return Filled(place, threshold, np.ascontiguousarray(nodes.value[at]), nodes.base)


def strikes(nodes: Nodes) -> Strikes:
    """Every split of every tree, with the leaves of its left side as bits."""
    width = 32 if depth(nodes) <= 5 else 64
    magic, shift = DE_BRUIJN[width]
    found: list[tuple[int, int]] = []
    every = (1 << width) - 1
    starts, values = [0], np.zeros((len(nodes.roots), width), dtype=np.float32)
    for tree, root in enumerate(nodes.roots):
        leaves: list[int] = []
        _strike(nodes, int(root), found, leaves)
        found += [(-1, 0)] * (-len(found) % 4)
        starts.append(len(found))
        for bit, leaf in enumerate(leaves):
            values[tree, ((int(magic) << bit) & every) >> shift] = nodes.value[leaf]
    at = np.array([node for node, _ in found], dtype=np.int64)
    place = np.where(at < 0, 0, 2 * nodes.feature[at] + (nodes.default_left[at] == 0)).astype(np.int32)
    threshold = np.where(at < 0, INFINITE, nodes.threshold[at]).astype(np.float32)
    stay = np.array([every - struck for _, struck in found], dtype=magic.dtype)
    return Strikes(np.array(starts), place, threshold, stay, values, np.array([magic]), np.array([shift], dtype=magic.dtype), nodes.base)


def _strike(nodes: Nodes, node: int, found: list[tuple[int, int]], leaves: list[int]) -> None:
    """Add the splits at and below `node`, and its leaves from left to right."""
    if nodes.left[node] < 0:
        leaves.append(node)
        return
    first = len(leaves)
    _strike(nodes, int(nodes.left[node]), found, leaves)
    found.append((node, (1 << len(leaves)) - (1 << first)))
    _strike(nodes, int(nodes.right[node]), found, leaves)


@njit(cache=True, nogil=True)
def both_ways(row: Array, out: Array) -> None:
    """A row in float32, every value twice: missing is once below every threshold and once not. As `trees.single` rounds it."""
    for j in range(len(row)):
        x = row[j]
        out[2 * j] = out[2 * j + 1] = np.float32(min(max(x, -LARGEST), LARGEST))
        if np.isnan(x):
            out[2 * j], out[2 * j + 1] = -np.inf, np.inf


@njit(cache=True, nogil=True)
def walk_levels(rows: Array, trees: Filled, out: Array) -> None:
    """Margins of some rows, each by itself, all trees a level at a time: leaf values in float32, base first, then in tree order."""
    many, splits = trees.place.shape
    place, threshold = trees.place.reshape(-1), trees.threshold.reshape(-1)
    both, at = np.empty(2 * rows.shape[1], dtype=np.float32), np.empty(many, dtype=np.int32)
    for i in range(rows.shape[0]):
        both_ways(rows[i], both)
        at[:] = 0
        level = 1
        while level <= splits:
            for tree in range(many):
                split = tree * splits + at[tree]
                at[tree] = 2 * at[tree] + 2 - np.int32(both[place[split]] < threshold[split])
            level *= 2
        total = trees.base[0]
        for tree in range(many):
            total += trees.value[tree, at[tree] - splits]
        out[i] = total


@njit(cache=True, nogil=True)
def strike_many(columns: Array, trees: Strikes, out: Array) -> None:
    """Margins of rows that stand in float64 columns, a tree at a time over a block of them: the same sums, bit for bit."""
    left, both = np.empty(BLOCK, dtype=trees.stay.dtype), np.empty((2 * len(columns), BLOCK), dtype=np.float32)
    magic, shift = trees.magic[0], trees.shift[0]
    for start in range(0, columns.shape[1], BLOCK):
        many = min(BLOCK, columns.shape[1] - start)
        for j in range(len(columns)):
            both_ways_of_many(columns[j, start : start + many], both[2 * j], both[2 * j + 1])
        sums = out[start : start + many]
        sums[:] = trees.base[0]
        for tree in range(len(trees.value)):
            left[:] = ~trees.stay.dtype.type(0)
            for split in range(trees.starts[tree], trees.starts[tree + 1], 4):
                strike(both, trees, split, left)
            for i in range(BLOCK):
                left[i] = (left[i] & (~left[i] + 1)) * magic
            values = trees.value[tree]
            for i in range(many):
                sums[i] += values[left[i] >> shift]


@njit(cache=True, nogil=True)
def both_ways_of_many(column: Array, low: Array, high: Array) -> None:
    """`both_ways` of one input."""
    for i in range(len(column)):
        x = max(min(np.float32(column[i]), WIDEST), -WIDEST)
        low[i], high[i] = (-INFINITE, INFINITE) if np.isnan(column[i]) else (x, x)


@njit(cache=True, nogil=True)
def strike(both: Array, trees: Strikes, split: int, left: Array) -> None:
    """Keep what stays of a block's rows at four splits of a tree: what is left is read and written a quarter as often."""
    first, second, third, fourth = (both[trees.place[split]], both[trees.place[split + 1]],
                                    both[trees.place[split + 2]], both[trees.place[split + 3]])
    limits, stays = trees.threshold[split : split + 4], trees.stay[split : split + 4]
    at_first, at_second, at_third, at_fourth = limits[0], limits[1], limits[2], limits[3]
    one, two, three, four = stays[0], stays[1], stays[2], stays[3]
    for i in range(BLOCK):
        kept = left[i] if first[i] < at_first else left[i] & one
        kept = kept if second[i] < at_second else kept & two
        kept = kept if third[i] < at_third else kept & three
        left[i] = kept if fourth[i] < at_fourth else kept & four
