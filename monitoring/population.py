"""Who comes through the door, month by month: everybody decided on, as development was everybody who applied, booked or not.

Responsible for the shares of outcomes and of bands, of decisions in doubt for a stored value, and the mean PD, beside development's.
Judges nothing: the mix of bands and outcomes has its PSI among the columns of `monitoring.drift`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import pandas as pd

from feature_repo.portfolio import Portfolio
from monitoring import window
from serving.scoring.bins import Bins
from serving.scoring.decision import in_doubt

MIXES = ("outcome", "band")


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


def months(frame: pd.DataFrame, portfolio: Portfolio) -> tuple[Door, ...]:
    """Every month of a window; `frame` as `window.read` gives it."""
    doubtful = in_doubt(portfolio, {column.name: frame[column.name].to_numpy() for column in portfolio.raw_inputs})
    return tuple(_door(month, frame.iloc[rows], float(np.mean(doubtful[rows]))) for month, rows in window.slices(frame, portfolio))


def _door(month: str, part: pd.DataFrame, degraded: float) -> Door:
    outcomes, bands = ({str(name): float(share) for name, share in part[mix].value_counts(normalize=True, sort=False).sort_index().items()}
                       for mix in MIXES)
    return Door(month, len(part), outcomes, bands, degraded, float(part["pd"].mean()))
