"""Many values of an applicant at once: a run of Feast's doubles in one unpacking instead of one call a value.

Responsible for speed alone: what is not a run of numbers goes through `feast_bytes.decode`, value by value, and comes out the same.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from math import isnan

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import DOUBLE, DOUBLE_FIELD, STRING_FIELD, Value, decode, encode

NOTHING = encode(float("nan"))  # stands for no value among numbers
COMMA = ord(",")


def values(raw: Sequence[bytes | None]) -> list[Value]:
    """The values of some messages; None for one that is not there."""
    whole = b"".join([one or NOTHING for one in raw])
    length, tags, doubles, _ = _run(len(raw))
    if len(whole) == length and whole[::DOUBLE.size] == tags:
        return _known(doubles.unpack(whole))
    return [_value(one or b"") for one in raw]


def listed(whole: bytes, count: int) -> list[Value]:
    """The values of `count` messages with a comma between each two. Raises FeatureError where there are more or fewer."""
    length, tags, _, apart = _run(count)
    if len(whole) == length + count - 1 and whole[::DOUBLE.size + 1] == tags:
        return _known(apart.unpack(whole))
    return _parted(whole, count)


def _known(numbers: tuple[float, ...]) -> list[Value]:
    """Numbers as a decision takes them: None for NaN. A sum is NaN where any of them is, or where infinities meet."""
    if isnan(sum(numbers)):
        return [None if isnan(one) else one for one in numbers]
    return list(numbers)


def _parted(whole: bytes, count: int) -> list[Value]:
    """Message by message: each says by its first byte how long it is."""
    found: list[Value] = []
    at = 0
    while at <= len(whole):
        end = _end(whole, at)
        found.append(_value(whole[at:end]))
        if whole[end:end + 1] not in (b",", b""):
            break
        at = end + 1
    if len(found) != count or at != len(whole) + 1:
        raise FeatureError(f"an applicant's online values are not {count} of Feast's messages; publish the features again")
    return found


def _value(raw: bytes) -> Value:
    try:
        return decode(raw)
    except UnicodeDecodeError:
        raise FeatureError("an online text is not UTF-8; publish the features again") from None


def _end(whole: bytes, at: int) -> int:
    """Where the message that begins here ends."""
    if at == len(whole) or whole[at] == COMMA:
        return at
    if whole[at] == DOUBLE_FIELD:
        return at + DOUBLE.size
    length = shift = 0
    for place in range(at + 1, len(whole)):
        length |= (whole[place] & 0x7F) << shift
        shift += 7
        if whole[at] != STRING_FIELD or whole[place] < 0x80:
            return place + 1 + length
    return len(whole)


@cache
def _run(count: int) -> tuple[int, bytes, struct.Struct, struct.Struct]:
    """So many doubles: their length, their first bytes, and how they are unpacked, without and with a comma between each two."""
    return DOUBLE.size * count, bytes([DOUBLE_FIELD]) * count, struct.Struct("<" + "xd" * count), struct.Struct("<xd" + "xxd" * (count - 1))
