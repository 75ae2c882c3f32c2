"""Finding rows as of a moment in a file that is in order: each key's rows beside each other, by time, as the pipeline writes its views.

Responsible for seeing whether a file is so, and for one binary search of all asked rows at once: no join and no sort, so the cost is
reading two columns. Says nothing of a file that is not in order, or whose keys are no texts. Knows neither Feast nor a portfolio.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Array: TypeAlias = np.ndarray[Any, Any]
MOMENT = pa.timestamp("us", "UTC")
NOT_THERE = -1
MICROSECOND = timedelta(microseconds=1)


class Runs:
    """The rows of a file by key. first, last: of each key's rows, the last one beyond them."""

    def __init__(self, keys: pa.DictionaryArray, times: Array) -> None:
        codes = keys.indices.to_numpy()
        begins = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]])) if len(codes) else np.array([], np.int64)
        self._known, self._times, self._codes = keys.dictionary, times, codes
        self._first = np.zeros(len(keys.dictionary), np.int64)
        self._last = np.zeros(len(keys.dictionary), np.int64)
        self._first[codes[begins]], self._last[codes[begins]] = begins, np.append(begins[1:], len(codes))
        self.together = len(begins) == len(np.unique(codes[begins]))

    def in_order(self, created: Array | None) -> bool:
        """Whether each key's rows are together and by time, and those of one time by when they were created."""
        if not self.together:
            return False
        same = self._codes[1:] == self._codes[:-1]
        earlier = self._times[1:] < self._times[:-1]
        if created is not None:
            earlier |= (self._times[1:] == self._times[:-1]) & (created[1:] < created[:-1])
        return not (same & earlier).any()

    def newest(self, keys: pa.Array, at: Array) -> Array:
        """The number of each key's last row that is not younger; `NOT_THERE` where there is none."""
        code = pc.index_in(keys, value_set=self._known)
        place = code.fill_null(0).to_numpy()
        known = code.is_valid().to_numpy(zero_copy_only=False) & bool(len(self._known))
        first = np.where(known, self._first[place], 0) if len(self._known) else np.zeros(len(at), np.int64)
        low, high = first.copy(), np.where(known, self._last[place], 0) if len(self._known) else first.copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            old_enough = self._times[np.where(open_, middle, 0)] <= at
            low = np.where(open_ & old_enough, middle + 1, low)
            high = np.where(open_ & ~old_enough, middle, high)
        return np.where(low > first, low - 1, NOT_THERE)


def find(path: Path, columns: tuple[str, str, str | None], keys: pa.Array, at: pa.Array, ttl: timedelta | None) -> Array | None:
    """The number of the row in the file for each key and moment, `NOT_THERE` where none is; None where the file is not in order.

    columns: the file's key, time and created. A moment that is null finds nothing.
    """
    key, time, created = columns
    if not (pa.types.is_string(pq.read_schema(path).field(key).type) and pa.types.is_string(keys.type)):
        return None
    table = pq.read_table(path, columns=[name for name in columns if name], read_dictionary=[key])
    if any(column.null_count for column in table.columns):
        return None
    times = _microseconds(table[time])
    runs = Runs(table[key].unify_dictionaries().combine_chunks(), times)
    if not runs.in_order(_microseconds(table[created]) if created else None):
        return None
    moments = _microseconds(at.fill_null(0))
    found = runs.newest(keys, moments)
    living = found != NOT_THERE if not ttl else (found != NOT_THERE) & (times[found] + ttl // MICROSECOND >= moments)
    return np.where(living & at.is_valid().to_numpy(zero_copy_only=False), found, NOT_THERE)


def _microseconds(moments: Any) -> Array:
    """Since 1970 (UTC); without a zone it is UTC."""
    found: Array = moments.cast(pa.timestamp("us", moments.type.tz), safe=False).cast(pa.int64()).to_numpy()
    return found
