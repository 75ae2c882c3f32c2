"""Which leaves of a tree a row moves between when one input alone rises, and whether their values rise with it.

A leaf is a box: per input, the numbers that agree with its path and whether missing does. Two leaves can be neighbours along an input
where both hold some common value of every other one, number or missing. Numbers are float32, as the trees compare them. Knows no words
of a contract; `training.monotonicity` does.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numba import njit

from serving.scoring.trees import LARGEST, Trees

Array = np.ndarray[Any, Any]
FURTHEST = np.float32(LARGEST)


class Reversal(msgspec.Struct, frozen=True):
    """The two leaves of a tree that are furthest out of order for an input, as nodes, the lower place of the input first."""

    tree: int
    input: int
    below: int
    above: int


def compare_leaves(trees: Trees, risks: Array) -> tuple[Array, Reversal | None]:
    """How many pairs of leaves each input's direction orders, and the worst pair in the wrong order, if there is one."""
    before = np.nextafter(trees.threshold, np.float32(-np.inf))  # left is x < threshold: up to the float32 before it
    sizes = np.diff([*trees.roots, len(trees.left)])
    counts, worst = np.zeros(len(risks), dtype=np.int64), np.zeros(4, dtype=np.int64)
    scratch = (int(sizes.max(initial=1)), len(risks))
    low, high = np.empty(scratch, dtype=np.float32), np.empty(scratch, dtype=np.float32)
    nodes = (trees.feature, trees.threshold, before, trees.left, trees.right, trees.default_left, trees.value)
    disobeys = walk_pairs(nodes, trees.roots, risks, (low, high, np.empty(scratch, dtype=np.bool_)), (counts, worst))
    return counts, Reversal(*(int(at) for at in worst)) if disobeys else None


def path(trees: Trees, root: int, leaf: int, names: list[str]) -> str:
    """The conditions that lead from a root to a leaf, in words."""
    parents = {int(child): node for node in range(root, len(trees.left)) if trees.left[node] >= 0
               for child in (trees.left[node], trees.right[node])}
    said: list[str] = []
    while leaf != root:
        node = parents[leaf]
        goes_left = int(trees.left[node]) == leaf
        missing = " or missing" if goes_left == bool(trees.default_left[node]) else ""
        said.insert(0, f"{names[int(trees.feature[node])]} {'<' if goes_left else '>='} {trees.threshold[node]:.6g}{missing}")
        leaf = node
    return " and ".join(said) or "every row"


@njit(cache=True)
def walk_pairs(nodes: Any, roots: Array, risks: Array, boxes: Any, found: Any) -> bool:
    """Compare all pairs of leaves of all trees, one tree after another, into `found`; whether a pair is in the wrong order."""
    value, counts, worst, furthest, disobeys = nodes[6], found[0], found[1], -1.0, False
    leaves = np.empty(boxes[0].shape[0], dtype=np.int64)
    for tree in range(len(roots)):
        many = fill_boxes(nodes, roots[tree], boxes, leaves)
        for a in range(many):
            for b in range(many):
                j = moved_by(boxes, a, b)
                if j < 0 or risks[j] == 0:
                    continue
                counts[j] += 1
                step = risks[j] * (float(value[leaves[b]]) - float(value[leaves[a]]))
                if not step >= 0 and (not disobeys or -step > furthest):
                    disobeys, furthest = True, -step
                    worst[0], worst[1], worst[2], worst[3] = tree, j, leaves[a], leaves[b]
    return disobeys


@njit(cache=True)
def fill_boxes(nodes: Any, root: int, boxes: Any, leaves: Array) -> int:
    """Per leaf below `root`, and input: the numbers on its path, from low to high, and whether missing is on it. How many leaves."""
    feature, threshold, before, left, right, default_left, _ = nodes
    low, high, missing = boxes
    low[0], high[0], missing[0], leaves[0] = -FURTHEST, FURTHEST, True, root
    many, at = 1, 0
    while at < many:
        node = leaves[at]
        if left[node] < 0:
            at += 1
            continue
        j, goes_left = feature[node], default_left[node] == 1
        low[many], high[many], missing[many], leaves[many] = low[at], high[at], missing[at], right[node]
        low[many, j], missing[many, j] = max(low[at, j], threshold[node]), missing[at, j] and not goes_left
        high[at, j], missing[at, j], leaves[at] = min(high[at, j], before[node]), missing[at, j] and goes_left, left[node]
        many += 1
    return many


@njit(cache=True)
def moved_by(boxes: Any, a: int, b: int) -> int:
    """The one input whose higher number moves some row from leaf a to leaf b, or -1: on all others the two must be able to agree."""
    low, high, missing = boxes
    apart = -1
    for j in range(low.shape[1]):
        if (missing[a, j] and missing[b, j]) or max(low[a, j], low[b, j]) <= min(high[a, j], high[b, j]):
            continue
        if apart >= 0 or not (low[a, j] <= high[a, j] and low[b, j] <= high[b, j] and low[a, j] < low[b, j]):
            return -1
        apart = j
    return apart
