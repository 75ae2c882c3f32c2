"""Many values of an applicant at once: a run of Feast's doubles in one unpacking instead of one call a value.

Responsible for speed alone: what is not a run of numbers goes through `feast_bytes.decode`, value by value, and comes out the same.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import DOUBLE, DOUBLE_FIELD, STRING_FIELD, Value, decode, encode

NOTHING = encode(float("nan"))  # stands for no value among numbers
COMMA = ord(",")


def values(raw: Sequence[bytes | None]) -> list[Value]:
    """The values of some messages; None for one that is not there."""
    whole = b"".join([one or NOTHING for one in raw])
    if len(whole) == DOUBLE.size * len(raw) and whole[::DOUBLE.size] == _tags(len(raw)):
        return [one if one == one else None for one in _doubles(len(raw), "xd").unpack(whole)]  # noqa: PLR0124 - NaN alone differs
    return [_value(one or b"") for one in raw]


def listed(whole: bytes, count: int) -> list[Value]:
    """The values of `count` messages with a comma between each two. Raises FeatureError where there are more or fewer."""
    step = DOUBLE.size + 1
    if len(whole) == step * count - 1 and whole[::step] == _tags(count):
        found = _doubles(count, "xdx").unpack(whole + b",")
        return [one if one == one else None for one in found]  # noqa: PLR0124 - NaN alone differs from itself
    return _parted(whole, count)


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
def _tags(count: int) -> bytes:
    return bytes([DOUBLE_FIELD]) * count


@cache
def _doubles(count: int, each: str) -> struct.Struct:
    return struct.Struct("<" + each * count)
