"""How parts of the portfolio fare: each band, and each level of the columns that the contract calls segments.

Each figure says on how many decisions and outcomes it stands; below the minimum sample it is left out, with the words for why. Judges
nothing.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Action
from feature_repo.portfolio import Portfolio
from monitoring.intervals import Estimate, share
from monitoring.params import SegmentParams

BAND = "band"
NOT_STATED = "not stated"


class Segment(msgspec.Struct, frozen=True):
    """One part. mean_pd: of all its decisions; bad, bad_rate: of its matured outcomes, null below the minimum; note: why one is."""

    column: str
    value: str
    decisions: int
    approved: Estimate | None
    mean_pd: float | None
    matured: int
    bad: int | None
    bad_rate: Estimate | None
    note: str


def assess(frame: pd.DataFrame, portfolio: Portfolio, params: SegmentParams) -> tuple[Segment, ...]:
    """Of a window read with pd, band, outcome, the portfolio's segments, and bad (null where no outcome has matured)."""
    found = []
    for column in (BAND, *portfolio.segments):
        values = frame[column].fillna(NOT_STATED)
        found += [_segment(column, str(value), frame[(values == value).to_numpy()], params) for value in sorted(values.unique())]
    return tuple(found)


def _segment(column: str, value: str, rows: pd.DataFrame, params: SegmentParams) -> Segment:
    bad = rows[BAD].to_numpy(dtype=np.float64)
    matured, bads, enough = int(np.isfinite(bad).sum()), int((bad == 1).sum()), len(rows) >= params.minimum
    told = matured >= params.minimum
    approved = int((rows["outcome"] == Action.APPROVE).sum())
    lacking = [f"fewer than {params.minimum} {what}" for what, count in (("decisions", len(rows)), ("matured outcomes", matured))
               if count < params.minimum]
    return Segment(
        column, value, len(rows), share((approved, len(rows)), params.confidence) if enough else None,
        float(rows["pd"].mean()) if enough else None, matured, bads if told else None,
        share((bads, matured), params.confidence) if told else None, "; ".join(lacking))
