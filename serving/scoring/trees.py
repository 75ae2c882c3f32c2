"""A boosted tree ensemble as a kernel: margins with XGBoost's own bits, and exact contributions (`shapley`).

Responsible for taking the quickest of several ways that all give the same bits. What the ways need is laid out when first asked for,
which the golden questions do before a release serves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from serving.scoring import shapley, twigs, walks
from serving.scoring.kernel import Array, Nodes, walk_trees
from serving.scoring.shapley import BLOCK
from serving.scoring.walks import DEEPEST, LARGEST

__all__ = ["BLOCK", "DEEPEST", "FEW", "LARGEST", "Trees", "single"]
FEW = 32


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
        if self._fits and len(rows) >= FEW:
            sums = np.empty(len(rows), dtype=np.float32)
            walks.strike_many(np.ascontiguousarray(rows.T, dtype=np.float64), self._strikes, sums)
            return sums.astype(np.float64)
        out = np.empty(len(rows))  # of sums in float32 all the same
        if self._fits:
            walks.walk_levels(wide(rows), self._filled, out)
        else:
            walk_trees(single(rows), self._nodes, out)
        return out

    def contributions(self, rows: Array) -> Array:
        out = np.zeros(rows.shape, dtype=np.float64)
        if len(rows) < FEW:
            shapley.add_twigs(wide(rows), *self._walked, out)
        else:
            shapley.add_twigs_to_many(np.ascontiguousarray(rows.T, dtype=np.float64), *self._walked, out.T)
        return out

    @cached_property
    def _nodes(self) -> Nodes:
        return Nodes(self.feature, self.threshold, self.left, self.right, self.default_left, self.value, self.roots, self.base)

    @cached_property
    def _fits(self) -> bool:
        return walks.fits(self._nodes)

    @cached_property
    def _filled(self) -> walks.Filled:
        return walks.filled(self._nodes)

    @cached_property
    def _strikes(self) -> walks.Strikes:
        return walks.strikes(self._nodes)

    @cached_property
    def _walked(self) -> tuple[shapley.Splits, shapley.Twigs]:
        return twigs.walked(self._nodes, self.cover)


def single(rows: Array) -> Array:
    """Rows in float32, as XGBoost compares them; what is beyond its range counts as its largest number, never as infinite."""
    return np.clip(rows, -LARGEST, LARGEST).astype(np.float32)


def wide(rows: Array) -> Array:
    """Rows as the loops over single rows take them: float64, one after another in memory."""
    return np.ascontiguousarray(rows, dtype=np.float64)
