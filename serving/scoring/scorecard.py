"""A points scorecard as a kernel: every input falls in a bin, every bin has its log-odds, the sum is the margin."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from serving.scoring.kernel import Array, Places, add_up, look_up


@dataclass(frozen=True)
class Scorecard:
    """Bins of all inputs, one after another.

    starts: int64 (inputs + 1,), where each input's edges begin; edges: float64; points: float64, one more per input than edges,
    log-odds of bad; missing: float64 (inputs,); special_starts, specials, special_points: the same for codes; intercept: float64 (1,).
    """

    starts: Array
    edges: Array
    points: Array
    missing: Array
    special_starts: Array
    specials: Array
    special_points: Array
    intercept: Array

    def arrays(self) -> dict[str, Array]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def contributions(self, rows: Array) -> Array:
        out = np.empty(rows.shape, dtype=np.float64)
        look_up(np.ascontiguousarray(rows, dtype=np.float64), self._places, out)
        return out

    def margins(self, rows: Array) -> Array:
        out = np.empty(len(rows), dtype=np.float64)
        add_up(self.contributions(rows), float(self.intercept[0]), out)
        return out

    @property
    def _places(self) -> Places:
        return Places(self.starts, self.edges, self.points, self.missing, self.special_starts, self.specials, self.special_points)
