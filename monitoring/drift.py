"""Whether what is decided on still looks like what the model was made on: every column of a window against the release's frozen bins.

Covers every input, the PD, the score, and the mix of bands and outcomes. A column drifts where its PSI reaches the limits of practice and
chance does not explain it; faults of data are told apart (`monitoring.quality`). Reads counts alone, so a window counted in shards gets
the verdict of one. Refuses a verdict on few decisions: with no drift at all a decile PSI exceeds 0.1 in 39.5% of samples of 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import Derived, Input
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, worst
from monitoring import distances, quality, window
from monitoring.distances import Distance, Interval
from monitoring.params import DriftParams
from monitoring.quality import Fault
from serving.scoring.bins import Bins, psi, psi_by_chance
from serving.scoring.counter import count
from serving.scoring.counts import ColumnCounts, Counts, merged

QUESTIONS = 2  # a column is asked whether it drifted and whether its data are at fault


class Cell(msgspec.Struct, frozen=True):
    """One column in one month, or in all of them.

    counts: decisions per bin, in the order of the column's labels; psi, interval: how far they are from development; by_chance: the PSI
    expected of no change on so few; p_value: how often no change looks so unlike; js, ks: other distances, each with the limit of chance;
    missing: share of missing values; unusual: values outside the contract's usual range, null where it names none; unseen: levels that
    no bin names; faults: of the data. A wrong unit or an outlier in few rows moves no PSI and shows there.
    """

    month: str
    decisions: int
    psi: float
    interval: Interval
    by_chance: float
    p_value: float
    js: Distance
    ks: Distance | None
    missing: float
    unusual: int | None
    unseen: int
    counts: tuple[int, ...]
    verdict: Verdict
    quality: Verdict
    faults: tuple[Fault, ...]


class Column(msgspec.Struct, frozen=True):
    """One column against development.

    kind: request, stored, derived, or result; verdict: the worst of its months and of the window as a whole; quality: so of its data.
    """

    column: str
    kind: str
    unit: str
    verdict: Verdict
    quality: Verdict
    labels: tuple[str, ...]
    expected: tuple[float, ...]
    development_rows: int
    development_missing: float
    total: Cell
    months: tuple[Cell, ...]

    def flagged(self, verdict: Verdict) -> tuple[str, ...]:
        """The months with that verdict."""
        return tuple(cell.month for cell in self.months if cell.verdict is verdict)


@dataclass(frozen=True)
class _Judged:
    """What a column is judged by. alpha: false alarms each of its questions may give."""

    name: str
    column: Input | Derived | None
    bins: Bins
    params: DriftParams
    alpha: float

    def cell(self, month: str, found: ColumnCounts) -> Cell:
        counts, bins, params = np.array(found.bins), self.bins, self.params
        decisions, index, chance = int(counts.sum()), psi(counts, bins.shares), distances.p_value(counts, bins)
        enough = decisions >= params.minimum
        verdict = params.psi.verdict(index) if chance < self.alpha else Verdict.OK
        faults = quality.faults(found, quality.Against(self.column, bins, params.quality, self.alpha)) if enough else ()
        return Cell(
            month=month, decisions=decisions, psi=index, interval=distances.psi_interval(counts, bins, params.confidence),
            by_chance=psi_by_chance(counts, bins), p_value=chance, js=distances.jensen_shannon(counts, bins, self.alpha),
            ks=distances.kolmogorov_smirnov(counts, bins, self.alpha), missing=float(counts[-1] / decisions),
            unusual=found.unusual if isinstance(self.column, Input) and self.column.usual else None, unseen=found.unseen,
            counts=found.bins, verdict=verdict if enough else Verdict.INSUFFICIENT,
            quality=worst((Verdict.OK, *(fault.verdict for fault in faults))) if enough else Verdict.INSUFFICIENT, faults=faults,
        )

    def judge(self, months: Mapping[str, Counts]) -> Column:
        mine = {month: Counts({self.name: counts.columns[self.name]}) for month, counts in months.items()}
        cells = tuple(self.cell(month, counts.columns[self.name]) for month, counts in mine.items())
        total = self.cell(window.ALL, merged(mine.values()).columns[self.name])
        return Column(
            column=self.name, kind=type(self.column).__name__.lower() if self.column else "result",
            unit=self.column.unit if self.column else "", verdict=worst(cell.verdict for cell in (total, *cells)),
            quality=worst(cell.quality for cell in (total, *cells)), labels=self.bins.labels, expected=self.bins.shares,
            development_rows=self.bins.rows, development_missing=self.bins.shares[-1], total=total, months=cells,
        )


def assess(frame: pd.DataFrame, portfolio: Portfolio, bins: Mapping[str, Bins], params: DriftParams) -> tuple[Column, ...]:
    """Every column that has frozen bins, inputs in the model's order first; `frame` as `window.read` gives it."""
    months = {month: count(frame.iloc[rows], bins, portfolio) for month, rows in window.slices(frame, portfolio)}
    return judge(months, portfolio, bins, params)


def judge(months: Mapping[str, Counts], portfolio: Portfolio, bins: Mapping[str, Bins], params: DriftParams) -> tuple[Column, ...]:
    """`assess` of counts by month, oldest first."""
    inputs: dict[str, Input | Derived] = {column.name: column for column in portfolio.inputs}
    alpha = distances.per_column(params.false_alarms, QUESTIONS * len(bins))
    names = (*(name for name in inputs if name in bins), *(name for name in bins if name not in inputs))
    return tuple(_Judged(name, inputs.get(name), bins[name], params, alpha).judge(months) for name in names)


def peak(column: Column) -> Cell:
    """The month with the highest PSI among those that got a verdict; among all where none did."""
    judged = [cell for cell in column.months if cell.verdict is not Verdict.INSUFFICIENT]
    return max(judged or column.months, key=lambda cell: cell.psi)
