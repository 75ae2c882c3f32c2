"""Pairs of leaves are what an exhaustive grid finds, no more and no less: on trees of any shape, on XGBoost's own, and on edited ones."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from serving.scoring.trees import Trees
from training.encoding import Sample
from training.leaves import compare_leaves
from training.models import boost
from training.params import TreesParams

PARAMS = TreesParams(rounds=30, patience=10, early_share=0.2, depth=3, rate=0.3, smallest_leaf=1, rows=0.8, columns=1, ridge=1, threads=1)
CUTS, CHANCES = (-1.0, 0.0, 1.0, np.inf, -np.inf), (0.3, 0.3, 0.3, 0.05, 0.05)
GRID = (-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, np.nan)
"""A number in every cell that the cuts make, both zeros, each cut itself, and missing."""


def grown(random, depth, inputs, values):
    """A tree of any shape, splits repeated on one path included; leaf values drawn from `values`, which runs out for no tree."""
    nodes = {name: [] for name in ("feature", "threshold", "left", "right", "default_left", "value")}

    def grow(level):
        at = len(nodes["left"])
        is_leaf = level == 0 or (level < depth and random.random() < 0.2)
        node = {"feature": random.integers(inputs), "threshold": random.choice(CUTS, p=CHANCES), "default_left": random.integers(2),
                "left": -1, "right": -1, "value": next(values) if is_leaf else 0.0}
        for name, value in node.items():
            nodes[name].append(value)
        if not is_leaf:
            nodes["left"][at], nodes["right"][at] = grow(level - 1), grow(level - 1)
        return at

    grow(depth)
    return nodes


def forest(*trees):
    sizes = [len(tree["left"]) for tree in trees]
    roots = np.cumsum([0, *sizes])[:-1]

    def joined(name, kind):
        return np.concatenate([tree[name] for tree in trees]).astype(kind)

    def children(name):
        return np.concatenate([np.where(np.array(tree[name]) < 0, -1, np.array(tree[name]) + root)
                               for tree, root in zip(trees, roots, strict=True)]).astype(np.int32)

    return Trees(feature=joined("feature", np.int32), threshold=joined("threshold", np.float32), left=children("left"),
                 right=children("right"), default_left=joined("default_left", np.uint8), value=joined("value", np.float32),
                 cover=np.ones(sum(sizes), dtype=np.float32), roots=roots.astype(np.int32), base=np.zeros(1, dtype=np.float32))


def pairs_on_the_grid(tree, inputs, risks):
    """(input, value below, value above) of every pair of leaves that some row of the grid moves between, by a higher number alone."""
    rows = np.array(list(itertools.product(GRID, repeat=inputs)))
    margins = tree.margins(rows).reshape([len(GRID)] * inputs)
    found = set()
    for j, risk in enumerate(risks):
        along = np.moveaxis(margins, j, 0)[:-1]
        for below, above in itertools.combinations(range(len(along)), 2):
            found |= {(j, a, b) for a, b in zip(along[below].ravel(), along[above].ravel(), strict=True) if risk and a != b}
    return found


@pytest.mark.parametrize("seed", range(60))
def test_it_compares_exactly_the_leaves_that_some_row_of_an_exhaustive_grid_moves_between(seed):
    random = np.random.default_rng(seed)
    inputs, risks = 3, random.permutation([1, -1, random.integers(-1, 2)])
    tree = forest(grown(random, 4, inputs, iter(random.permutation(100) / 8)))

    counts, reversal = compare_leaves(tree, risks)

    expected = pairs_on_the_grid(tree, inputs, risks)
    wrong = {(j, a, b) for j, a, b in expected if risks[j] * (b - a) < 0}
    assert counts.tolist() == [sum(pair[0] == j for pair in expected) for j in range(inputs)]
    assert (reversal is not None) == bool(wrong)
    if reversal:
        named = (reversal.input, tree.value[reversal.below], tree.value[reversal.above])
        assert named in wrong
        assert abs(named[2] - named[1]) == max(abs(b - a) for _, a, b in wrong), "the worst is named"


def test_both_verdicts_come_up_among_trees_of_any_shape():
    verdicts = set()
    for seed in range(40):
        random = np.random.default_rng(seed)
        verdicts.add(compare_leaves(forest(grown(random, 2, 3, iter(random.permutation(9) / 8))), np.array([1, -1, 0]))[1] is None)
    assert verdicts == {True, False}


@pytest.mark.parametrize("seed", range(8))
def test_what_xgboost_makes_under_its_constraint_holds_and_what_it_makes_without_does_not(seed):
    risks = (1, -1, 0)
    sample = noise(seed)

    obeying, free = (boost(sample, 30, each, PARAMS, seed).kernel for each in (risks, (0, 0, 0)))

    counts, reversal = compare_leaves(obeying, np.array(risks))
    assert reversal is None
    assert counts[0] > 0
    assert counts[1] > 0
    assert counts[2] == 0
    assert compare_leaves(free, np.array(risks))[1] is not None


@pytest.mark.parametrize("seed", range(8))
def test_one_leaf_edited_against_a_direction_is_found_and_the_grid_agrees(seed):
    random, risks = np.random.default_rng(seed), (1, -1, 0)
    kernel = boost(noise(seed), 5, risks, PARAMS, seed).kernel
    leaf = random.choice(np.flatnonzero(kernel.left < 0))
    value = kernel.value.copy()
    value[leaf] = random.choice([-9, 9])
    edited = dataclasses.replace(kernel, value=value)

    cuts = [np.unique(kernel.threshold[(kernel.left >= 0) & (kernel.feature == j)]) for j in range(3)]
    grid = [np.concatenate([[-1e6], cut, [np.nan]]) for cut in cuts]
    margins = edited.margins(np.array(list(itertools.product(*grid)))).reshape([len(cells) for cells in grid])
    steps = np.concatenate([np.diff(margins[:-1], axis=0).ravel(), -np.diff(margins[:, :-1], axis=1).ravel()])
    reversal = compare_leaves(edited, np.array(risks))[1]

    assert (reversal is None) == bool((steps >= -1e-6).all())
    if reversal:
        assert leaf in {reversal.below, reversal.above}


def noise(seed):
    """Outcomes that turn against the directions, so that a free booster disobeys; a tenth missing."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(1500, 3))
    margin = 2 * np.sin(2 * rows[:, 0]) + np.cos(2 * rows[:, 1]) + rows[:, 2]
    rows[random.random(rows.shape) < 0.1] = np.nan
    return Sample(rows, (margin + random.normal(size=1500) > 0).astype(float))
