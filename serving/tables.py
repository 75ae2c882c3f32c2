"""From rows of an Arrow table to the arrays that scoring takes, by the contract: what the API checks of one request, of many at once.

Responsible for every check of a file's content; rows that break the contract are named by number and column, with what is allowed and never
with a value. Null and NaN are missing: a request input must be given unless it is nullable, a stored one may be missing and is then in
doubt, as live. Values in a file count as current: a file has no age. Refuses columns that are absent or of another type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import Input, Request, Stored, WhenStale
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from serving.application import bounds, level
from serving.scoring.kernel import Array, Levels
from serving.texts import Invalid

GIVEN = "must be given"
CURRENT = "must be given: the policy of this portfolio forbids a decision without it"


class Bad(msgspec.Struct, frozen=True):
    """A value that breaks the contract: the row of the file, from 1 on, the column and what is allowed."""

    row: int
    column: str
    allowed: str


@dataclass(frozen=True)
class Read:
    """Rows that can be scored, and why others cannot. kept: which rows of the table `values` has, bool; bad: by row, then as declared."""

    values: Mapping[str, Array | Levels]
    kept: Array
    bad: tuple[Bad, ...]


def require_columns(portfolio: Portfolio, schema: pa.Schema) -> None:
    """Raise DataError unless every raw input is there as a number or text, as the contract has it."""
    names = [column.name for column in portfolio.raw_inputs]
    absent = [name for name in names if name not in schema.names]
    twice = [name for name in names if schema.names.count(name) > 1]
    wrong = [f"{column.name} is {schema.field(column.name).type}, not {'text' if column.is_level else 'a number'}"
             for column in portfolio.raw_inputs
             if column.name not in [*absent, *twice] and not fits(column, schema.field(column.name).type)]
    if absent or twice or wrong:
        said = [f"absent: {', '.join(absent)}"] * bool(absent) + [f"there twice: {', '.join(twice)}"] * bool(twice) + wrong
        raise DataError(f"the file is not one of {portfolio.name}: {'; '.join(said)}. It must hold every request and stored column by name")


def fits(column: Input, kind: pa.DataType) -> bool:
    """Whether a column of this type can hold the input."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_null(kind):
        return True
    if column.is_level:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def read(portfolio: Portfolio, table: pa.Table, first: int) -> Read:
    """The rows of a table with these columns. first: the number of its first row in the file, from 1 on."""
    kept, bad = np.ones(table.num_rows, dtype=bool), []
    values: dict[str, Array | Levels] = {}
    for column in portfolio.raw_inputs:
        found = _levels(column, table[column.name]) if column.is_level else _numbers(column, table[column.name])
        values[column.name] = found.values
        for wrong, allowed in ((found.wrong, found.allowed), (_absent(column, found.missing), _required(column))):
            if wrong.any():
                kept &= ~wrong
                bad += [Bad(first + int(row), column.name, allowed) for row in np.flatnonzero(wrong)]
    if not kept.all():
        values = {name: Levels(each.codes[kept], each.names) if isinstance(each, Levels) else each[kept] for name, each in values.items()}
    return Read(values, kept, tuple(sorted(bad, key=lambda each: each.row)))


@dataclass(frozen=True)
class _Column:
    """A column's values, where they are missing, and where they are what is not `allowed`."""

    values: Array | Levels
    missing: Array
    wrong: Array
    allowed: str


def _numbers(column: Input, given: pa.ChunkedArray) -> _Column:
    """Finite numbers within bounds or one of the codes; -0.0 becomes 0.0."""
    plain = given.cast(pa.float64(), safe=False) if not pa.types.is_float64(given.type) else given
    values = plain.to_numpy() + 0.0
    low, high = -np.inf if column.low is None else column.low, np.inf if column.high is None else column.high
    outside = ~((values >= low) & (values <= high)) | np.isinf(values)
    missing = np.isnan(values)
    wrong = outside & ~missing
    if column.special and wrong.any():
        wrong &= ~np.isin(values, column.special)
    return _Column(values, missing, wrong, f"must be a number{bounds(column)}")


def _levels(column: Input, given: pa.ChunkedArray) -> _Column:
    """Declared levels; what is not declared is `other` where the contract has it."""
    texts = given.cast(pa.string()) if pa.types.is_null(given.type) or pa.types.is_dictionary(given.type) else given
    coded = pc.dictionary_encode(texts).combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    known, places = column.level_names, _places(column, coded.dictionary.to_pylist())
    at = coded.indices.fill_null(len(places) - 1).to_numpy(zero_copy_only=False)
    codes = places[at]
    return _Column(Levels(np.maximum(codes, -1), known), codes == -1, codes < -1, f"must be one of {list(known)}")


def _places(column: Input, texts: Iterable[str]) -> Array:
    """Where each text is among the declared levels, -2 where it is none; last -1, for missing."""
    found = []
    for text in texts:
        try:
            found.append(column.level_names.index(level(text, column)))
        except Invalid:
            found.append(-2)
    return np.array([*found, -1], dtype=np.int64)


def _absent(column: Input, missing: Array) -> Array:
    """Where a value is missing and must not be."""
    must = isinstance(column, Request) or (isinstance(column, Stored) and column.when_stale is WhenStale.REFUSE)
    return missing if must and not column.nullable else np.zeros(len(missing), dtype=bool)


def _required(column: Input) -> str:
    return GIVEN if isinstance(column, Request) else CURRENT
