"""Who comes through the door, month by month: everybody decided on, as development was everybody who applied, booked or not.

Responsible for the shares of outcomes and of bands, of decisions in doubt for a stored value, and the mean PD, beside development's, in
memory that does not grow with the rows.
Judges nothing: the mix of bands and outcomes has its PSI among the columns of `monitoring.drift`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa

from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from monitoring.counting import plain
from serving.scoring.bins import Bins
from serving.scoring.decision import in_doubt
from serving.scoring.kernel import Array, Levels

MIXES = ("outcome", "band")
HIGH, UNIT = 30, 60  # bits behind the point of a PD: the upper ones, and all that are summed


class Door(msgspec.Struct, frozen=True):
    """One month, or development. outcomes, bands: shares by name; degraded, mean_pd: null where the release does not tell (development)."""

    month: str
    decisions: int
    outcomes: dict[str, float]
    bands: dict[str, float]
    degraded: float | None
    mean_pd: float | None


def development(bins: Mapping[str, Bins]) -> Door:
    """Everyone who applied in development, as the release froze them; no bands where it froze none."""
    outcomes, bands = ({name: share for name, share in zip(bins[mix].names, bins[mix].shares, strict=False) if share > 0}
                       if mix in bins else {} for mix in MIXES)
    return Door("development", bins["outcome"].rows, outcomes, bands, None, None)


@dataclass
class _Tally:
    """One month so far. pds: the sum of PDs, in units of 2^-`UNIT`."""

    decisions: int = 0
    doubtful: int = 0
    pds: int = 0
    mixes: dict[str, Counter[str]] = field(default_factory=lambda: {mix: Counter() for mix in MIXES})

    def add(self, other: _Tally) -> None:
        self.decisions, self.doubtful, self.pds = self.decisions + other.decisions, self.doubtful + other.doubtful, self.pds + other.pds
        for mix, counts in other.mixes.items():
            self.mixes[mix].update(counts)

    def door(self, month: str) -> Door:
        outcomes, bands = ({name: counts[name] / counts.total() for name in sorted(counts)} for counts in self.mixes.values())
        return Door(month, self.decisions, outcomes, bands, self.doubtful / self.decisions, self.pds / (self.decisions << UNIT))


class Doors:
    """Everybody decided on, while the rows of months come in, in any order and any pieces."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._months: dict[str, _Tally] = {}

    def look(self, month: str, rows: pa.RecordBatch) -> None:
        columns = {column.name: plain(rows[column.name]) for column in self._portfolio.raw_inputs}
        mixes = {mix: Counter(_counted(plain(rows[mix]))) for mix in MIXES}
        doubtful = int(in_doubt(self._portfolio, columns).sum())
        self._months.setdefault(month, _Tally()).add(_Tally(len(rows), doubtful, _summed(np.asarray(plain(rows["pd"]))), mixes))

    def found(self, spans: Mapping[str, str]) -> tuple[Door, ...]:
        """By span, oldest first. spans: of each month, as `window.vintages` tells."""
        found: dict[str, _Tally] = {}
        for month in sorted(self._months):
            found.setdefault(spans[month], _Tally()).add(self._months[month])
        return tuple(tally.door(span) for span, tally in found.items())


def _counted(levels: Array | Levels) -> dict[str, int]:
    if not isinstance(levels, Levels):
        raise DataError("outcomes and bands of a window are texts; export it again")
    counts = np.bincount(levels.codes[levels.codes >= 0], minlength=len(levels.names)).tolist()
    return {name: count for name, count in zip(levels.names, counts, strict=True) if count}


def _summed(pds: Array) -> int:
    """In whole units of 2^-`UNIT`, so that sums of pieces add up to exactly that of all, in any order."""
    high = np.floor(pds * (1 << HIGH))
    low = np.floor((pds * (1 << HIGH) - high) * (1 << UNIT - HIGH))
    return (int(high.astype(np.int64).sum()) << UNIT - HIGH) + int(low.astype(np.int64).sum())
