"""Exact path-dependent Shapley contributions of trees (Lundberg et al. 2020), from tables.

What a leaf contributes depends only on which inputs of its path agree with the row. Leaves that hang together share most of their path, so
the last splits above them, up to three (a twig), keep one table: a row for each way the inputs above may agree and each side of the twig's
own splits (`twigs`). Responsible for adding them up, the same bits for one row and for many. Refuses nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from serving.scoring.kernel import Array
from serving.scoring.walks import both_ways, both_ways_of_many

BLOCK = 256  # rows that are added up together
WIDTH = 8  # values a table's row has room for, so that none lies on two lines; a twig has at most DEEPEST + 1 inputs


class Splits(NamedTuple):
    """Every split that has more than its twig below it, those above before those below. bit: the place of its input among its path's.

    place: as in `walks.Filled`. own, left, right: slots, where a row's agreeing inputs are kept, one bit each. The first slot of a tree is
    of whatever nobody reads, the second of its root.
    """

    place: Array
    threshold: Array
    bit: Array
    own: Array
    left: Array
    right: Array


class Twigs(NamedTuple):
    """Every twig, in the order of a walk from left to right. slot: which inputs above agree; above: how many there are.

    place, threshold: of its splits, shape (twigs, 3); one that is not there sends every row right. first: where its rows of `table` begin,
    by the bits of its slot and, above them, one for each split that sends the row left. columns: the inputs of a row's values; a twig with
    fewer than the largest has places behind the last input of any tree, and zeros to add there, so that adding takes no branch.
    trees: where the splits, twigs and slots of a tree begin, shape (trees + 1, 3).
    """

    slot: Array
    above: Array
    place: Array
    threshold: Array
    first: Array
    columns: Array
    table: Array
    trees: Array


@njit(cache=True, nogil=True)
def add_twigs(rows: Array, splits: Splits, twigs: Twigs, out: Array) -> None:
    """Per row, strike at every split the bit of its input from the side not taken; add every twig's row of its table for what is left."""
    both, sums = np.empty(2 * rows.shape[1], dtype=np.float32), np.empty(rows.shape[1] + WIDTH + 1)
    agree, at = np.full(twigs.trees[-1, 2], np.uint8(255), dtype=np.uint8), np.empty(len(twigs.slot), dtype=np.uint32)
    for i in range(rows.shape[0]):
        both_ways(rows[i], both)
        strike_bits(both, splits, agree)
        find_rows(both, twigs, agree, at)
        sums[:] = 0.0
        for twig in range(len(at)):  # a place nobody reads: it asks memory for all rows before the first is waited for
            sums[-1] += twigs.table[at[twig], 0]
        for twig in range(len(at)):
            for k in range(twigs.columns.shape[1]):
                sums[twigs.columns[twig, k]] += twigs.table[at[twig], k]
        out[i] = sums[: rows.shape[1]]


@njit(cache=True, nogil=True)
def strike_bits(both: Array, splits: Splits, agree: Array) -> None:
    """Which inputs agree, into the slots of both sides of every split."""
    for split in range(len(splits.own)):
        mask, bit = agree[splits.own[split]], splits.bit[split]
        goes_left = both[splits.place[split]] < splits.threshold[split]
        agree[splits.left[split]] = mask if goes_left else mask & ~bit
        agree[splits.right[split]] = mask & ~bit if goes_left else mask


@njit(cache=True, nogil=True)
def find_rows(both: Array, twigs: Twigs, agree: Array, at: Array) -> None:
    """The row's own row in the table of every twig."""
    place, threshold = twigs.place, twigs.threshold
    for twig in range(len(at)):
        sides = (np.uint32(both[place[twig, 0]] < threshold[twig, 0]) + 2 * np.uint32(both[place[twig, 1]] < threshold[twig, 1])
                 + 4 * np.uint32(both[place[twig, 2]] < threshold[twig, 2]))
        above = twigs.above[twig]
        at[twig] = twigs.first[twig] + (agree[twigs.slot[twig]] & ((1 << above) - 1)) + (sides << above)


@njit(cache=True, nogil=True)
def add_twigs_to_many(columns: Array, splits: Splits, twigs: Twigs, out: Array) -> None:
    """`add_twigs` for rows that stand in float64 columns: a tree at a time over a block that fits the cache; the same sums, bit for bit."""
    inputs, trees = len(columns), twigs.trees
    both, sums = np.empty((2 * inputs, BLOCK), dtype=np.float32), np.empty((inputs + WIDTH, BLOCK))
    agree, at = np.empty((trees[-1, 2] + 2, BLOCK), dtype=np.uint8), np.empty(BLOCK, dtype=np.uint32)
    agree[1] = 255
    for start in range(0, columns.shape[1], BLOCK):
        many = min(BLOCK, columns.shape[1] - start)
        for j in range(inputs):
            both_ways_of_many(columns[j, start : start + many], both[2 * j], both[2 * j + 1])
        sums[:] = 0.0
        for tree in range(len(trees) - 1):
            for split in range(trees[tree, 0], trees[tree + 1, 0]):
                strike_bits_of_many(both[:, :many], splits, split, agree, trees[tree, 2])
            for twig in range(trees[tree, 1], trees[tree + 1, 1]):
                find_rows_of_many(both, twigs, twig, agree[twigs.slot[twig] - trees[tree, 2]], at[:many])
                for k in range(twigs.columns.shape[1]):
                    added = sums[twigs.columns[twig, k]]
                    for i in range(many):
                        added[i] += twigs.table[at[i], k]
        out[:, start : start + many] = sums[:inputs, :many]


@njit(cache=True, nogil=True)
def strike_bits_of_many(both: Array, splits: Splits, split: int, agree: Array, first: int) -> None:
    """`strike_bits` of one split. first: the first slot of its tree."""
    own, left, right = agree[splits.own[split] - first], agree[splits.left[split] - first], agree[splits.right[split] - first]
    values, threshold, bit = both[splits.place[split]], splits.threshold[split], splits.bit[split]
    for i in range(len(values)):
        goes_left = np.uint8(values[i] < threshold) * bit
        left[i] = own[i] & (goes_left | ~bit)
        right[i] = own[i] & ~goes_left


@njit(cache=True, nogil=True)
def find_rows_of_many(both: Array, twigs: Twigs, twig: int, mask: Array, at: Array) -> None:
    """`find_rows` of one twig."""
    place, threshold = twigs.place[twig], twigs.threshold[twig]
    first, second, third = both[place[0]], both[place[1]], both[place[2]]
    above = twigs.above[twig]
    for i in range(len(at)):
        sides = np.uint32(first[i] < threshold[0]) + 2 * np.uint32(second[i] < threshold[1]) + 4 * np.uint32(third[i] < threshold[2])
        at[i] = twigs.first[twig] + (mask[i] & ((1 << above) - 1)) + (sides << above)
