"""From what a file says to what the contract means: numbers, times, levels, groups and the outcome, a column at a time.

Every cast returns the values and the rows it could not cast. It judges nothing: who calls decides what becomes of those.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import OTHER, Input, Outcome, Protected
from feature_repo.sources import Csv, EventTime, Parquet

Column: TypeAlias = pa.ChunkedArray
TIME = pa.timestamp("us", tz="UTC")
PLAIN = Csv()


class Cast(NamedTuple):
    """values: null where there is no value or it failed; failed: bool, a value that could not be cast."""

    values: Column
    failed: Column

    @property
    def whole(self) -> bool:
        return not pc.any(self.failed).as_py()


def text(raw: Column, missing: tuple[str, ...] = ()) -> Column:
    """Trimmed text; null where it is empty or a code that means "no value"."""
    trimmed = pc.utf8_trim_whitespace(raw.cast(pa.string()))
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(["", *missing], pa.string())), pa.scalar(None, pa.string()), trimmed)


def number(raw: Column, missing: tuple[str, ...] = (), reader: Csv | Parquet = PLAIN, suffix: str = "") -> Cast:
    """Float64, written as the reader says, with or without `suffix`. "nan" and "inf" are no numbers unless declared as missing."""
    if not missing and (pa.types.is_integer(raw.type) or pa.types.is_floating(raw.type) or pa.types.is_decimal(raw.type)):
        values = raw.cast(pa.float64(), safe=False)
        return _sure(pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values))
    texts, written = text(raw, missing), reader if isinstance(reader, Csv) and pa.types.is_string(raw.type) else PLAIN
    bare = pc.replace_substring_regex(texts, rf"\s*{re.escape(suffix.strip())}$", "") if suffix.strip() else texts
    good = pc.match_substring_regex(bare, _pattern(written))
    bare = pc.replace_substring(bare, written.thousands, "") if written.thousands else bare
    bare = pc.replace_substring(bare, written.decimal, ".") if written.decimal != "." else bare
    return Cast(pc.if_else(good, bare, pa.scalar(None, pa.string())).cast(pa.float64()), _failed(texts, good))


def _pattern(written: Csv) -> str:
    """Thousands stand in groups (the last of three) or not at all: "1.5" is no number where "." groups, and never fifteen."""
    grouped = rf"|[0-9]{{1,3}}({mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}" if (mark := re.escape(written.thousands or "")) else ""
    point = re.escape(written.decimal)
    return rf"^[+-]?(([0-9]+{grouped})({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?$"


def time(raw: Column, declared: EventTime) -> Cast:
    """Timestamps in UTC; a time without a zone is taken as UTC. Arrow's strptime is not used: it reads 31 February as 2 March."""
    if pa.types.is_temporal(raw.type):
        return _sure(raw.cast(TIME, safe=False))
    texts = text(raw).combine_chunks().dictionary_encode()
    moments = pa.array([_moment(value, declared.format) for value in texts.dictionary.to_pylist()], TIME)
    values = moments.take(texts.indices)
    return Cast(pa.chunked_array([values]), pa.chunked_array([pc.and_(texts.indices.is_valid(), values.is_null())]))


def _moment(value: str, pattern: str) -> datetime | None:
    try:
        moment = datetime.strptime(value, pattern)  # noqa: DTZ007 - the zone is set below
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def level(raw: Column, column: Input) -> Column:
    """Level names; an unseen level is "other" where the contract accepts it, else it stays as it was written."""
    texts = text(raw, column.missing)
    named = _look_up(texts, column.level_of)
    unseen = pc.if_else(texts.is_valid(), OTHER, pa.scalar(None, pa.string())) if column.other else texts
    return pc.coalesce(named, unseen)


def group(raw: Column, column: Protected, reader: Csv | Parquet = PLAIN) -> Column:
    """Group names; a value that no group is declared for stays as it was written."""
    texts = text(raw)
    return pc.coalesce(_look_up(texts, dict(column.groups)), _by_edges(raw, column, reader), texts)


def _by_edges(raw: Column, column: Protected, reader: Csv | Parquet) -> Column:
    if not column.edges:
        return pa.chunked_array([pa.nulls(len(raw), pa.string())])
    values = number(raw, reader=reader).values.to_numpy(zero_copy_only=False)
    bounds, names = zip(*column.edges, strict=True)
    at = np.searchsorted(np.array(bounds, dtype=np.float64), values, side="right")
    known = np.isfinite(values) & (at < len(names))
    return pa.chunked_array([pa.array(names, pa.string()).take(pa.array(at, mask=~known))])


def outcome(raw: Column, declared: Outcome) -> Cast:
    """1.0 bad, 0.0 good, null for no outcome yet; a text the contract does not know fails."""
    texts = text(raw, (*declared.neither, *declared.rejected))
    verdicts = {**dict.fromkeys(declared.good, 0.0), **dict.fromkeys(declared.bad, 1.0)}
    found = pc.index_in(texts, value_set=pa.array(list(verdicts), pa.string()))
    return Cast(_take(pa.array(list(verdicts.values()), pa.float64()), found), _failed(texts, found.is_valid()))


def _look_up(texts: Column, names: dict[str, str]) -> Column:
    return _take(pa.array(list(names.values()), pa.string()), pc.index_in(texts, value_set=pa.array(list(names), pa.string())))


def _take(values: pa.Array, indices: Column) -> Column:
    return pa.chunked_array([values.take(chunk) for chunk in indices.chunks], values.type)


def _sure(values: Column) -> Cast:
    return Cast(values, pa.chunked_array([pa.repeat(pa.scalar(value=False), len(values))]))


def _failed(texts: Column, good: Column) -> Column:
    return pc.and_not_kleene(texts.is_valid(), good)
