"""Whether what is decided on still looks like what the model was made on: PSI per column and month on the release's frozen bins.

Covers every input, the PD, the score and the mix of outcomes. Refuses a verdict on few decisions: with no drift at all a decile
PSI exceeds 0.1 in 39.5% of samples of 100 and in none of 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import Derived, Input
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, worst
from monitoring import window
from monitoring.params import DriftParams
from serving.scoring.bins import Bins, psi, psi_by_chance
from serving.scoring.kernel import Array


class Cell(msgspec.Struct, frozen=True):
    """One column in one month, or in all of them.

    counts: decisions per bin, in the order of the column's labels; by_chance: the PSI that chance alone makes of a sample this small;
    missing: share of missing values; unusual: values outside the contract's usual range, null where it names none. A wrong unit or an
    outlier in few rows moves no PSI and shows there.
    """

    month: str
    decisions: int
    psi: float
    by_chance: float
    missing: float
    unusual: int | None
    counts: tuple[int, ...]
    verdict: Verdict


class Column(msgspec.Struct, frozen=True):
    """One column against development.

    kind: request, stored, derived, or result; verdict: the worst of its months and of the window as a whole.
    """

    column: str
    kind: str
    unit: str
    verdict: Verdict
    labels: tuple[str, ...]
    expected: tuple[float, ...]
    development_rows: int
    development_missing: float
    total: Cell
    months: tuple[Cell, ...]

    def flagged(self, verdict: Verdict) -> tuple[str, ...]:
        """The months with that verdict."""
        return tuple(cell.month for cell in self.months if cell.verdict is verdict)


def assess(frame: pd.DataFrame, portfolio: Portfolio, bins: Mapping[str, Bins], params: DriftParams) -> tuple[Column, ...]:
    """Every column that has frozen bins, inputs in the model's order first; `frame` as `window.read` gives it."""
    inputs = {column.name: column for column in portfolio.inputs}
    spans = list(window.slices(frame, portfolio))
    found = []
    for name in (*(name for name in inputs if name in bins), *(name for name in bins if name not in inputs)):
        values = {month: frame[name].iloc[rows] for month, rows in spans}
        found.append(_column(name, inputs.get(name), bins[name], values, params))
    return tuple(found)


def _column(name: str, column: Input | Derived | None, bins: Bins, values: Mapping[str, pd.Series[Any]], params: DriftParams) -> Column:
    counted = {month: (bins.count(some), unusual(column, some)) for month, some in values.items()}
    outside = [outside for _, outside in counted.values() if outside is not None]
    total = _cell(window.ALL, bins, np.sum([counts for counts, _ in counted.values()], axis=0), sum(outside) if outside else None, params)
    months = tuple(_cell(month, bins, *found, params) for month, found in counted.items())
    return Column(
        column=name, kind=type(column).__name__.lower() if column else "result", unit=column.unit if column else "",
        verdict=worst(cell.verdict for cell in (total, *months)), labels=bins.labels, expected=bins.shares,
        development_rows=bins.rows, development_missing=bins.shares[-1], total=total, months=months,
    )


def unusual(column: Input | Derived | None, values: pd.Series[Any]) -> int | None:
    """How many values lie outside the contract's usual range; missing values and special codes do not."""
    if not isinstance(column, Input) or column.usual is None:
        return None
    outside = ~values.between(*column.usual) & values.notna() & ~values.isin(column.special)
    return int(outside.sum())


def _cell(month: str, bins: Bins, counts: Array, outside: int | None, params: DriftParams) -> Cell:
    decisions, index = int(counts.sum()), psi(counts, bins.shares)
    return Cell(
        month=month, decisions=decisions, psi=index, by_chance=psi_by_chance(counts, bins),
        missing=float(counts[-1] / decisions), unusual=outside, counts=tuple(counts.tolist()),
        verdict=params.psi.verdict(index) if decisions >= params.minimum else Verdict.INSUFFICIENT,
    )


def peak(column: Column) -> Cell:
    """The month with the highest PSI among those that got a verdict; among all where none did."""
    judged = [cell for cell in column.months if cell.verdict is not Verdict.INSUFFICIENT]
    return max(judged or column.months, key=lambda cell: cell.psi)
