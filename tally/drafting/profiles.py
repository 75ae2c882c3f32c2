"""What a raw column holds, counted once: its distinct texts and how often each stands there. Rows stay as places of texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.sources import Csv, Parquet
from tally.drafting import dates, names, vocabulary
from training import casts

Array = np.ndarray[Any, Any]
NOTATIONS: tuple[tuple[str | None, str], ...] = ((None, "."), (",", "."), (None, ","), (".", ","), (" ", ","), ("'", "."))
TRIED = 2_000
SUFFIXED = re.compile(r"[+-]?[0-9][0-9.,']*( ?[%€$£¥]|\s+[^\W\d]+|[^\W\d]{2,})")
SECONDS = pa.timestamp("s")


@dataclass(frozen=True, eq=False)
class Profile:
    """A column: distinct texts (trimmed, not empty), most frequent first; how often each stands; which stands in each row (-1: none)."""

    raw: str
    words: str  # the header as the vocabulary's patterns read it
    texts: pa.Array
    counts: Array
    places: Array
    is_time: bool  # a time by its type, not as text

    @property
    def rows(self) -> int:
        return len(self.places)

    @property
    def empty(self) -> int:
        return int(self.rows - self.counts.sum())

    @property
    def distinct(self) -> int:
        return len(self.texts)

    @property
    def is_unique(self) -> bool:
        return self.distinct == self.rows

    @cached_property
    def listed(self) -> list[str]:
        """The distinct texts as Python's."""
        found: list[str] = self.texts.to_pylist()
        return found

    @cached_property
    def dates(self) -> dates.Dates | None:
        """How its dates are written, where they are dates."""
        present = [text for text in self.listed if text.lower() not in vocabulary.MISSING]
        packed = bool(vocabulary.DATE.search(self.words)) and not self.is_time
        return dates.guess(present, packed=packed)

    @cached_property
    def suffix(self) -> str:
        """What follows the number in every text that has a value, such as % or months; a letter joined to its figure is a code."""
        present = [text for text in self.listed if text.lower() not in vocabulary.MISSING]
        found = {match[1].strip() if (match := SUFFIXED.fullmatch(text)) else "" for text in present}
        return found.pop() if len(found) == 1 else ""

    def count(self, texts: set[str]) -> int:
        """How many rows hold one of the texts."""
        return int(self.counts[[text in texts for text in self.listed]].sum()) if texts else 0

    def spread(self, of_texts: Array) -> Array:
        """A number per distinct text as one per row, NaN where there is none."""
        return np.append(of_texts, np.nan)[self.places]


def profile(header: str, column: pa.ChunkedArray) -> Profile:
    """Counts a column as ingest would read it: trimmed, empty as missing."""
    is_time = pa.types.is_temporal(column.type)
    encoded = casts.text(column.cast(SECONDS, safe=False) if is_time else column).combine_chunks().dictionary_encode()
    places = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    counts = np.bincount(places[places >= 0], minlength=len(encoded.dictionary))
    order = np.argsort(-counts, kind="stable")
    ranked = np.append(np.argsort(order, kind="stable"), -1)
    return Profile(header, names.bounded(header), encoded.dictionary.take(pa.array(order)), counts[order], ranked[places],
                   is_time)


def numbers(column: Profile, reader: Csv | Parquet, among: int | None = None) -> tuple[Array, Array]:
    """(number per distinct text, whether each is one); `among` looks at the most frequent texts alone."""
    texts = column.texts[:among] if among else column.texts
    cast = casts.number(pa.chunked_array([texts], pa.string()), reader=reader, suffix=column.suffix)
    values = cast.values.to_numpy(zero_copy_only=False).astype(np.float64)
    return values, ~np.isnan(values)


def notation(reader: Csv, columns: list[Profile]) -> Csv:
    """The reader with the thousands and decimal marks under which the most columns are numbers throughout; plain where none gains any."""
    readers = [Csv(reader.separator, reader.header, reader.encoding, thousands, decimal, reader.skip) for thousands, decimal in NOTATIONS
               if reader.separator not in (thousands, decimal) or reader.separator == ","]
    marked = [column for column in columns if any(mark in text for text in column.listed[:TRIED] for mark in ",.'")]
    return max(readers, key=lambda each: sum(_is_numeric(column, each) for column in marked)) if marked else reader


def _is_numeric(column: Profile, reader: Csv) -> bool:
    _, good = numbers(column, reader, TRIED)
    others = [text for text, is_number in zip(column.listed[:TRIED], good, strict=False) if not is_number]
    return bool(good.any()) and all(text.lower() in vocabulary.MISSING for text in others)
