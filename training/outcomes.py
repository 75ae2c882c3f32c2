"""What becomes of a recorded outcome: bad only within the outcome window, and counted only once the application has matured.

Judges no row away: a text the contract does not know, or a bad row that does not say when, stays as text for validate to find.
"""

from __future__ import annotations

from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import UNDATED_BAD, Outcome
from training import casts

Column: TypeAlias = pa.ChunkedArray


def bad(declared: Outcome, raw: pa.Table, event_time: Column | None) -> Column | None:
    """1, 0 or null for no outcome that counts; None where a raw column of it is missing. Texts where one row cannot be told.

    event_time: times in UTC; None, or text where one could not be cast.
    """
    if not {declared.raw, *([declared.bad_on.raw] if declared.bad_on else [])} <= set(raw.column_names):
        return None
    recorded = casts.outcome(raw[declared.raw], declared)
    dated = event_time if event_time is not None and event_time.type == casts.TIME else None
    undated = _undated(declared, raw, recorded, dated)
    if not recorded.whole or pc.any(undated).as_py():
        return pc.if_else(undated, UNDATED_BAD, raw[declared.raw].cast(pa.string()))
    if dated is None or declared.observed_until is None:
        return recorded.values
    return pc.if_else(mature(declared, dated), within(declared, raw, recorded, dated), pa.scalar(None, pa.float64()))


def mature(declared: Outcome, event_time: Column) -> Column:
    """Whether each application was `matures_after` old when outcomes were last seen."""
    if declared.observed_until is None:
        return pc.is_valid(event_time)
    return pc.less_equal(event_time, pa.scalar(declared.observed_until - declared.matures_after, casts.TIME))


def within(declared: Outcome, raw: pa.Table, recorded: casts.Cast, event_time: Column) -> Column:
    """The recorded outcomes, those good that went bad only after the outcome window."""
    if declared.bad_on is None or declared.within is None:
        return recorded.values
    last = pc.add(event_time, pa.scalar(declared.within, pa.duration("us")))
    late = pc.greater(casts.time(raw[declared.bad_on.raw], declared.bad_on).values, last)
    return pc.if_else(pc.and_kleene(pc.equal(recorded.values, 1.0), late), 0.0, recorded.values)


def _undated(declared: Outcome, raw: pa.Table, recorded: casts.Cast, event_time: Column | None) -> Column:
    """Which bad rows of an outcome window have no day, one that could not be cast, or one before the application."""
    if declared.bad_on is None:
        return pa.chunked_array([pa.repeat(pa.scalar(value=False), raw.num_rows)])
    went_bad = casts.time(raw[declared.bad_on.raw], declared.bad_on).values
    early = went_bad.is_null() if event_time is None else pc.coalesce(pc.less(went_bad, event_time), went_bad.is_null())
    return pc.and_(pc.coalesce(pc.equal(recorded.values, 1.0), pa.scalar(value=False)), early)
