"""Attribution drift: which inputs moved the log-odds of bad, by how much, since development.

Exact contributions of a sample of each month, against the mean contributions of everyone in development that the release holds. They add
up: what all inputs moved is what the mean margin moved. A column may drift and move nothing, or move the score by a little drift where it
weighs much; so this stands beside PSI and replaces none. Says nothing of a release that holds no such baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from scipy import stats

from governance.limits import Verdict, worst
from monitoring.distances import per_column
from monitoring.params import DriftParams
from serving.scoring.decision import Scorer, encode
from serving.scoring.kernel import Array
from serving.scoring.reasons import Against


class Moved(msgspec.Struct, frozen=True):
    """What an input adds to the log-odds of bad in a month, less what it added in development; low, high: null where too few decided."""

    month: str
    decisions: int
    shift: float
    low: float | None
    high: float | None
    verdict: Verdict


class Attribution(msgspec.Struct, frozen=True):
    """One input. verdict: the worst of its months."""

    column: str
    verdict: Verdict
    months: tuple[Moved, ...]


@dataclass(frozen=True)
class Sample:
    """What is looked at of the decisions of a month: so many there are, and the inputs of some, by name."""

    decisions: int
    columns: Mapping[str, Any]


def assess(samples: Mapping[str, Sample], scorer: Scorer, params: DriftParams) -> tuple[Attribution, ...]:
    """Every input in the model's order, none where the release has no baseline; samples: by month, oldest first."""
    baseline = scorer.baselines.get(Against.EVERYONE)
    if baseline is None:
        return ()
    judged = _Judged(params, per_column(params.false_alarms, len(baseline)))
    months = []
    for month, sample in samples.items():
        found = contributions(sample.columns, scorer)
        moved = [judged.moved(month, sample.decisions, column - before) for column, before in zip(found.T, baseline, strict=True)]
        months.append(moved)
    return tuple(Attribution(column.name, worst(each.verdict for each in of), tuple(of))
                 for column, of in zip(scorer.portfolio.inputs, zip(*months, strict=True), strict=True))


def contributions(columns: Mapping[str, Any], scorer: Scorer) -> Array:
    """What each input of each decision added to its margin, shape (n, inputs). columns: as `encode` takes them."""
    return scorer.kernel.contributions(encode(scorer.portfolio, scorer.encoding, columns))


def total(found: Iterable[Attribution], place: int) -> float:
    """What all inputs together moved in the month at `place`: the mean margin's own move."""
    return sum(each.months[place].shift for each in found)


@dataclass(frozen=True)
class _Judged:
    """alpha: false alarms of an input in a month, and what its interval leaves out."""

    params: DriftParams
    alpha: float

    def moved(self, month: str, decisions: int, shifts: Array) -> Moved:
        """shifts: of each decision of the sample."""
        if decisions < self.params.minimum or len(shifts) < 2:  # of one there is no spread, so nothing tells it from chance
            return Moved(month, decisions, float(shifts.mean()), None, None, Verdict.INSUFFICIENT)
        shift = float(shifts.mean())
        half = float(stats.norm.isf(self.alpha / 2) * shifts.std(ddof=1) / np.sqrt(len(shifts)))
        verdict = self.params.attribution.shift.verdict(abs(shift)) if abs(shift) > half else Verdict.OK
        return Moved(month, decisions, shift, shift - half, shift + half, verdict)


def evenly(rows: int, most: int) -> Array:
    """The places of so many rows at most, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(int))
