"""When the applications of each part were made: what later tells whether another model may have seen a row. Holds no value of a person."""

from __future__ import annotations

from datetime import date

import msgspec
import pandas as pd

from feature_repo.contract import EVENT_TIME
from training.splits import PART, PARTS


class Period(msgspec.Struct, frozen=True):
    """parts.json, per part: its rows, and the days of the first and the last one; null without a time axis."""

    rows: int
    first: date | None
    last: date | None


def by_part(judged: pd.DataFrame, *, dated: bool) -> dict[str, Period]:
    """judged: part and event time of every row with a part."""
    found = ((part, judged.loc[judged[PART] == part, EVENT_TIME]) for part in PARTS)
    return {part: Period(len(times), times.min().date() if dated else None, times.max().date() if dated else None)
            for part, times in found if len(times)}
