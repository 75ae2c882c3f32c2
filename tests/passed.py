"""Windows in memory as the passes over a file see them: what the drift report needs besides counts."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from feature_repo.portfolio import Portfolio
from monitoring import window
from monitoring.attribution import Sample, evenly
from monitoring.population import Door, Doors


def doors(frame: pd.DataFrame, portfolio: Portfolio) -> tuple[Door, ...]:
    """Who came through the door; `frame` as `window.read` gives it."""
    found, spans = Doors(portfolio), {}
    for month, rows in window.slices(frame, portfolio):
        found.look(month, pa.RecordBatch.from_pandas(frame.iloc[rows], preserve_index=False))
        spans[month] = month
    return found.found(spans)


def samples(frame: pd.DataFrame, portfolio: Portfolio, most: int) -> dict[str, Sample]:
    """Evenly spaced rows of each month; `frame` as `window.read` gives it."""
    parts = {month: frame.iloc[rows] for month, rows in window.slices(frame, portfolio)}
    return {month: Sample(len(part), {column.name: part[column.name].to_numpy()[evenly(len(part), most)] for column in portfolio.inputs})
            for month, part in parts.items()}
