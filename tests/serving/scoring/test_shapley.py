"""Tables of twigs say what the definition says, by brute force, for trees of any shape; and one row and many say the same bits."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pytest

from serving.scoring.trees import FEW, Trees
from serving.scoring.twigs import LINE

INPUTS = 4
CUTS = (-1.0, 0.0, 1.0, np.inf, -np.inf)


def grown(random, depth, chance):
    """Trees of any shape, inputs repeated on a path included, as one kernel; a leaf comes early by `chance`."""
    nodes = []

    def grow(level, cover):
        at = len(nodes)
        nodes.append([random.integers(INPUTS), random.choice(CUTS), -1, -1, random.integers(2), random.normal(), cover])
        if level and random.random() > chance:
            share = random.uniform(0.1, 0.9)
            nodes[at][2:4] = grow(level - 1, cover * share), grow(level - 1, cover * (1 - share))
        return at

    roots = [grow(depth, 100.0) for _ in range(5)]
    kinds = (np.int32, np.float32, np.int32, np.int32, np.uint8, np.float32, np.float32)
    return Trees(*(np.array(column, dtype=kind) for column, kind in zip(zip(*nodes, strict=True), kinds, strict=True)),
                 roots=np.array(roots, dtype=np.int32), base=np.zeros(1, dtype=np.float32))


def expected(trees, node, row, known):
    """The mean of a tree over its training rows, where only some inputs are known."""
    left, right = trees.left[node], trees.right[node]
    if left < 0:
        return float(trees.value[node])
    column = trees.feature[node]
    if column in known:
        x = row[column]
        goes_left = trees.default_left[node] if np.isnan(x) else x < trees.threshold[node]
        return expected(trees, left if goes_left else right, row, known)
    return sum(float(trees.cover[child]) / float(trees.cover[node]) * expected(trees, child, row, known) for child in (left, right))


def by_definition(trees, row):
    found = np.zeros(INPUTS)
    worth = {known: sum(expected(trees, root, row, known) for root in trees.roots)
             for size in range(INPUTS + 1) for known in itertools.combinations(range(INPUTS), size)}
    for known, j in itertools.product(worth, range(INPUTS)):
        if j not in known:
            weight = factorial(len(known)) * factorial(INPUTS - len(known) - 1) / factorial(INPUTS)
            found[j] += weight * (worth[tuple(sorted((*known, j)))] - worth[known])
    return found


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 5, 9])
@pytest.mark.parametrize("chance", [0.0, 0.3])
def test_trees_of_any_shape_have_the_contributions_of_the_definition_one_by_one_and_together(depth, chance):
    random = np.random.default_rng(depth)
    trees = grown(random, depth, max(chance, 0.3 if depth > 5 else 0.0))
    rows = random.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, np.nan], size=(FEW + 3, INPUTS))

    together = trees.contributions(rows)

    assert np.abs(together[:6] - [by_definition(trees, row) for row in rows[:6]]).max() < 1e-5
    assert together.tobytes() == b"".join(trees.contributions(row[None]).tobytes() for row in rows)


def test_no_row_of_a_table_lies_on_two_lines_of_memory():
    table = grown(np.random.default_rng(1), 5, 0.0)._walked[1].table

    assert table.ctypes.data % LINE == 0
    assert LINE % table.strides[0] == 0
