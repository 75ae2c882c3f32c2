"""From trees to the tables of their twigs, once when a release is loaded: what `shapley` adds up.

Responsible for finding the twigs and for filling each table exactly. Refuses a leaf whose path asks for more inputs than `DEEPEST`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from feature_repo.errors import ReleaseError
from serving.scoring.kernel import Array, Nodes
from serving.scoring.shapley import WIDTH, Splits, Twigs
from serving.scoring.walks import DEEPEST, LARGEST

LINE = 64  # bytes that come from memory together
POINTS, WEIGHTS = np.polynomial.legendre.leggauss((DEEPEST + 1) // 2)
POINTS, WEIGHTS = (POINTS + 1) / 2, WEIGHTS / 2
Shares = dict[int, float]
Path = dict[int, "Agreement"]


class Agreement(NamedTuple):
    """When an input agrees on the path of a leaf: of the bits of a table's row, `bits` are as in `set`. share: of the training rows."""

    bits: int
    set: int
    share: float


class Twig(NamedTuple):
    """A twig as it is found. splits: nodes, the topmost first; inputs: those above, then its own; leaves: value and path."""

    splits: list[int]
    above: int
    inputs: list[int]
    leaves: list[tuple[float, Path]]


def walked(nodes: Nodes, cover: Array) -> tuple[Splits, Twigs]:
    """What `add_twigs` takes. cover: float32, training rows per node. Raises ReleaseError."""
    slots: dict[int, int] = {}
    splits: list[tuple[int, Shares, int]] = []
    twigs: list[Twig] = []
    trees, cover = [(0, 0, 0)], cover.astype(np.float64)
    for root in nodes.roots:
        nobody = trees[-1][2]
        reached = list(_reached(nodes, cover, int(root), {}))
        slots.update((node, nobody + 1 + place) for place, (node, _, _) in enumerate(reached))
        splits += [(node, above, nobody) for node, above, _ in reached if int(nodes.left[node]) in slots or int(nodes.right[node]) in slots]
        twigs += [_twig(nodes, cover, twig, above) for _, above, twig in reached if twig]
        trees.append((len(splits), len(twigs), nobody + 1 + len(reached)))
    return _inner(nodes, splits, slots), _twigs(nodes, twigs, slots, np.array(trees))


def _reached(nodes: Nodes, cover: Array, node: int, above: Shares) -> Iterator[tuple[int, Shares, list[int]]]:
    """Every split at and below `node` but those within twigs, with the shares of inputs above it and the splits of the twig it begins."""
    if nodes.left[node] < 0:
        return
    twig, column = _splits_of_twig(nodes, node), int(nodes.feature[node])
    yield node, above, twig
    for child in (int(nodes.left[node]), int(nodes.right[node])):
        if child not in twig:
            yield from _reached(nodes, cover, child, {**above, column: above.get(column, 1.0) * (cover[child] / cover[node])})


def _splits_of_twig(nodes: Nodes, node: int) -> list[int]:
    """This split and those below where no other is below them; else it alone if a leaf is; none if none is."""
    below = [int(child) for child in (nodes.left[node], nodes.right[node]) if nodes.left[child] >= 0]
    if all(nodes.left[nodes.left[child]] < 0 and nodes.left[nodes.right[child]] < 0 for child in below):
        return [node, *below]
    return [node] if len(below) == 1 else []


def _twig(nodes: Nodes, cover: Array, splits: list[int], above: Shares) -> Twig:
    path = {column: Agreement(1 << place, 1 << place, share) for place, (column, share) in enumerate(above.items())}
    bits = {split: 1 << len(above) + place for place, split in enumerate(splits)}
    inputs = list(dict.fromkeys([*above, *(int(nodes.feature[split]) for split in splits)]))
    return Twig(splits, len(above), inputs, list(_leaves(nodes, cover, splits[0], bits, path)))


def _leaves(nodes: Nodes, cover: Array, node: int, bits: dict[int, int], path: Path) -> Iterator[tuple[float, Path]]:
    """Value and path of every leaf below `node` that only splits of the twig lead to. bits: theirs."""
    if nodes.left[node] < 0:
        if len(path) > DEEPEST:
            raise ReleaseError(f"a tree of the release asks for {len(path)} inputs on one path; reasons are exact for at most {DEEPEST}. "
                               "Train with a smaller depth")
        yield float(nodes.value[node]), path
    elif node in bits:
        column, bit = int(nodes.feature[node]), bits[node]
        so_far = path.get(column, Agreement(0, 0, 1.0))
        for child, side in ((int(nodes.left[node]), bit), (int(nodes.right[node]), 0)):
            own = Agreement(so_far.bits | bit, so_far.set | side, so_far.share * (cover[child] / cover[node]))
            yield from _leaves(nodes, cover, child, bits, {**path, column: own})


def _inner(nodes: Nodes, splits: list[tuple[int, Shares, int]], slots: dict[int, int]) -> Splits:
    at = np.array([node for node, _, _ in splits], dtype=np.int64)
    bits = [1 << [*above, column].index(column) for (_, above, _), column in zip(splits, nodes.feature[at].tolist(), strict=True)]
    own, left, right = (np.array([slots.get(int(node), nobody) for node, (_, _, nobody) in zip(side, splits, strict=True)], dtype=np.uint32)
                        for side in (at, nodes.left[at], nodes.right[at]))
    return Splits(_places(nodes, at), _thresholds(nodes, at), np.array(bits, dtype=np.uint8), own, left, right)


def _twigs(nodes: Nodes, twigs: list[Twig], slots: dict[int, int], trees: Array) -> Twigs:
    behind, most = int(nodes.feature.max(initial=-1)) + 1, max((len(twig.inputs) for twig in twigs), default=0)
    columns = np.tile(np.arange(behind, behind + most, dtype=np.uint32), (len(twigs), 1))
    place, threshold = np.zeros((len(twigs), 3), dtype=np.uint32), np.full((len(twigs), 3), -np.inf, dtype=np.float32)
    for i, twig in enumerate(twigs):
        at = np.array(twig.splits)
        columns[i, : len(twig.inputs)] = twig.inputs
        place[i, : len(at)], threshold[i, : len(at)] = _places(nodes, at), _thresholds(nodes, at)
    first = np.cumsum([0, *(1 << twig.above + len(twig.splits) for twig in twigs)])
    table = _on_lines(int(first[-1]))
    fill_tables(first, np.cumsum([0, *(len(twig.leaves) for twig in twigs)]), _agreements(twigs, most), table)
    return Twigs(
        slot=np.array([slots[twig.splits[0]] for twig in twigs], dtype=np.uint32),
        above=np.array([twig.above for twig in twigs], dtype=np.uint8), place=place, threshold=threshold,
        first=first.astype(np.uint32), columns=columns, table=table, trees=trees,
    )


def _agreements(twigs: list[Twig], most: int) -> tuple[Array, Array, Array, Array]:
    """Of every leaf the value, and by input of its twig what `Agreement` says; an input that is not on its path always agrees."""
    leaves = [(leaf, twig.inputs) for twig in twigs for leaf in twig.leaves]
    told = np.array([(at, inputs.index(column), *agreement) for at, ((_, path), inputs) in enumerate(leaves)
                     for column, agreement in path.items()]).reshape(-1, 5).T
    bits, state, share = np.zeros((len(leaves), most)), np.zeros((len(leaves), most)), np.ones((len(leaves), most))
    for table, column in ((bits, told[2]), (state, told[3]), (share, told[4])):
        table[told[0].astype(np.int64), told[1].astype(np.int64)] = column
    return np.array([value for (value, _), _ in leaves], dtype=np.float64), bits.astype(np.int64), state.astype(np.int64), share


def _on_lines(rows: int) -> Array:
    """Zeros for so many rows of a table, none of which lies on two lines."""
    space = np.zeros(rows * WIDTH + LINE // 4, dtype=np.float32)
    skipped = -space.ctypes.data % LINE // 4
    return space[skipped : skipped + rows * WIDTH].reshape(rows, WIDTH)


def _places(nodes: Nodes, at: Array) -> Array:
    return np.asarray(2 * nodes.feature[at] + (nodes.default_left[at] == 0), dtype=np.uint32)


def _thresholds(nodes: Nodes, at: Array) -> Array:
    """In float32; minus infinity becomes what is still below every number and above a missing value that goes left."""
    return np.maximum(nodes.threshold[at], np.float32(-LARGEST))


@njit(cache=True, nogil=True)
def fill_tables(first: Array, starts: Array, leaves: tuple[Array, Array, Array, Array], table: Array) -> None:
    """Add up, for each row of each twig, what its leaves contribute to each input. starts: where the leaves of a twig begin.

    A leaf's contribution to input j is a sum over subsets of the other inputs, weighted by their size. The weights are Beta integrals, so
    the sum is the integral from 0 to 1 of a product of linear functions, which Gauss's rule gives exactly.
    """
    value, bits, state, share = leaves
    most = share.shape[1]
    agrees, before, total = np.empty(most), np.empty(most), np.empty(most)
    for twig in range(len(first) - 1):
        for index in range(first[twig + 1] - first[twig]):
            total[:] = 0.0
            for leaf in range(starts[twig], starts[twig + 1]):
                for j in range(most):
                    agrees[j] = 1.0 if index & bits[leaf, j] == state[leaf, j] else 0.0
                for point in range(len(POINTS)):
                    x, product = POINTS[point], WEIGHTS[point] * value[leaf]
                    for j in range(most):
                        before[j] = product
                        product *= (1.0 - x) * share[leaf, j] + x * agrees[j]
                    product = 1.0
                    for j in range(most - 1, -1, -1):
                        total[j] += before[j] * product * (agrees[j] - share[leaf, j])
                        product *= (1.0 - x) * share[leaf, j] + x * agrees[j]
            table[first[twig] + index, : most] = total
