"""Numbers in a raw column: codes that mean "no value", and bounds wide enough for the next file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from feature_repo.sources import Csv, Parquet
from tally.drafting import vocabulary
from tally.drafting.profiles import Profile, numbers

Array = np.ndarray[Any, Any]
ROOM = 1.2  # how far beyond what was seen a bound lies, before it is rounded
STEPS = (1, 2, 5, 10)
APART = 2.0  # a code lies at least this many ranges of the other values away from them
FAR_APART = 5.0  # the same, of a number that does not look like a code
LEAST_CODE = 90
MOST_CODES = 3
NEAR = 1.2  # several such codes lie near each other: 96 and 98
LEAST_REPEATS = 3


@dataclass(frozen=True)
class Figures:
    """A column as numbers. missing: texts that mean no value; codes: of them, the numbers; others: texts that are neither."""

    of_texts: Array
    missing: tuple[str, ...]
    codes: tuple[str, ...]
    others: tuple[str, ...]
    lowest: float
    highest: float
    is_whole: bool


def read(column: Profile, reader: Csv | Parquet) -> Figures | None:
    """None where there is no number at all."""
    values, good = numbers(column, reader)
    if not good.any():
        return None
    absent = [text for text, is_number in zip(column.listed, good, strict=True) if not is_number]
    texts = tuple(text for text in absent if text.lower() in vocabulary.MISSING)
    codes = sentinels(column, values)
    values = np.where([text in codes for text in column.listed], np.nan, values)
    present = values[~np.isnan(values)]
    others = tuple(text for text in absent if text not in texts)
    is_whole = bool((present == present.round()).all())
    return Figures(values, (*texts, *codes), codes, others, float(present.min()), float(present.max()), is_whole)


def sentinels(column: Profile, values: Array) -> tuple[str, ...]:
    """Texts such as -999 or 99999 that stand apart from the other numbers, several times: codes, most likely for "no value".

    Any other largest number is one too, where it stands very far apart.
    """
    odd = [at for at, text in enumerate(column.listed) if vocabulary.SENTINEL.fullmatch(text)]
    found: list[int] = []
    for at in sorted(odd, key=lambda each: -abs(values[each])):
        found += _apart(column, values, [at], found, APART)
    largest = [at for at in np.argsort(np.where(np.isnan(values), -np.inf, values))[::-1][:MOST_CODES].tolist() if at not in found]
    for many in range(len(largest), 0, -1):
        found += _apart(column, values, largest[:many], found, FAR_APART)
    return tuple(column.listed[at] for at in sorted(set(found)))


def _apart(column: Profile, values: Array, places: list[int], found: list[int], ranges: float) -> list[int]:
    """The places, where each is repeated and all lie apart from the numbers that are left without them; else none."""
    rest = np.delete(values, [*found, *places])
    rest = rest[~np.isnan(rest)]
    repeated = min(column.counts[places]) >= LEAST_REPEATS
    near = max(values[places]) <= NEAR * min(values[places]) or len(places) == 1
    return places if len(rest) > 1 and repeated and near and _is_apart(min(values[places]), rest, ranges) else []


def _is_apart(value: float, rest: Array, ranges: float) -> bool:
    """A negative among amounts, or beyond the others by ranges of them."""
    lowest, highest = float(rest.min()), float(rest.max())
    if value < 0:
        return lowest >= 0 and (len(rest) > 2 or value <= -9)
    return value >= LEAST_CODE and value - highest > max(ranges * (highest - min(lowest, 0)), 10)


def bounds(figures: Figures, name: str) -> tuple[float, float]:
    """Low and high: nought where nothing is negative, room above what was seen, rounded outwards."""
    low, high = figures.lowest, figures.highest
    if figures.is_whole and 1900 <= low <= high <= 2100:
        return math.floor(low / 10) * 10, 2100
    if low >= 0 and high <= 1 and not (figures.is_whole and high == 0):
        return 0, 1
    if low >= 0 and high <= 100 and ("percent" in name or "pct" in name):
        return 0, 100
    return (0 if low >= 0 else -outwards(-low)), (outwards(high) if high > 0 else 0)


def outwards(value: float) -> float:
    """Rounded up to a 1, 2 or 5 with noughts, with some room.

    >>> outwards(72_300), outwards(9), outwards(0.04)
    (100000.0, 20.0, 0.05)
    """
    wide = value * ROOM
    power = 10.0 ** math.floor(math.log10(wide))
    rounded = next(step * power for step in STEPS if step * power >= wide)
    return float(f"{rounded:.10g}")
