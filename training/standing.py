"""Where each application stands before window and maturity are applied: what its outcome says, the day it went bad, an early sign of it.

An application without an outcome is young, open or rejected, and `bad` alone cannot tell them apart: the contract's words do, and nothing
is guessed. Judges no row: what cannot be told stands as nothing, for validate has stopped the run over it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import APPLICATION_ID, EVENT_TIME, Outcome
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EARLY, Early, EventTime
from training import casts, outcomes

STANDING, BAD_ON = "standing", "bad_on"
WENT_BAD, STAYED_GOOD, OPEN, REJECTED, NOTHING = "bad", "good", "open", "rejected", "nothing"
FILE = "outcome-record.parquet"  # no table's name has a hyphen


def of(portfolio: Portfolio, raw: pa.Table, translated: pa.Table) -> pa.Table:
    """application_id, standing and bad_on (UTC; null where unknown or not bad) per row of the applications table.

    Where the contract declares an early sign, also `early`: 1 for yes, 0 for no, null for a text of neither.
    raw: as it was read; translated: in the platform's columns.
    """
    declared = portfolio.outcome
    bare = pa.chunked_array([pa.nulls(raw.num_rows, pa.string())])
    texts = casts.text(raw[declared.raw]) if declared.raw in raw.column_names else bare
    keys = translated[APPLICATION_ID] if APPLICATION_ID in translated.column_names else bare
    found = _standing(declared, texts, _old_enough(portfolio, translated))
    sign = {EARLY: _early(declared.early, raw)} if declared.early else {}
    return pa.table({APPLICATION_ID: keys, STANDING: found, BAD_ON: _bad_on(declared, raw, found), **sign})


def _standing(declared: Outcome, texts: pa.ChunkedArray, old_enough: pa.ChunkedArray) -> pa.ChunkedArray:
    kinds = {WENT_BAD: declared.bad, STAYED_GOOD: declared.good, OPEN: declared.neither, REJECTED: declared.rejected}
    told = [pc.is_in(texts, value_set=pa.array(said, pa.string())) for said in kinds.values()]
    unbooked = pc.and_(pc.is_null(texts), old_enough) if "" in declared.rejected else pc.is_in(texts, value_set=pa.array([], pa.string()))
    found = pa.scalar(NOTHING)
    for kind, here in reversed(list(zip([*kinds, REJECTED], [*told, unbooked], strict=True))):
        found = pc.if_else(here, pa.scalar(kind), found)
    return found


def _old_enough(portfolio: Portfolio, translated: pa.Table) -> pa.ChunkedArray:
    times = translated[EVENT_TIME] if EVENT_TIME in translated.column_names else None
    if times is None or times.type != casts.TIME:
        return pa.chunked_array([pa.repeat(pa.scalar(value=False), translated.num_rows)])
    if not isinstance(portfolio.applications.time, EventTime):
        return pc.is_valid(times)
    return pc.fill_null(outcomes.mature(portfolio.outcome, times), fill_value=False)


def _bad_on(declared: Outcome, raw: pa.Table, standing: pa.ChunkedArray) -> pa.ChunkedArray:
    nothing = pa.scalar(None, casts.TIME)
    if declared.bad_on is None or declared.bad_on.raw not in raw.column_names:
        return pa.chunked_array([pa.nulls(raw.num_rows, casts.TIME)])
    return pc.if_else(pc.equal(standing, WENT_BAD), casts.time(raw[declared.bad_on.raw], declared.bad_on).values, nothing)


def _early(declared: Early, raw: pa.Table) -> pa.ChunkedArray:
    if declared.raw not in raw.column_names:
        return pa.chunked_array([pa.nulls(raw.num_rows, pa.float64())])
    texts = casts.text(raw[declared.raw])
    yes, no = (pc.is_in(texts, value_set=pa.array(said, pa.string())) for said in (declared.yes, declared.no))
    return pc.if_else(yes, 1.0, pc.if_else(no, 0.0, pa.scalar(None, pa.float64())))
