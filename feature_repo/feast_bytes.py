"""How Feast 0.67 writes keys, values, times and names, spelled without Feast: the one place that knows its bytes.

Responsible for both directions, so that what we write Feast reads, and what Feast writes we read, in microseconds and without its
imports. Refuses to guess: bytes that are not as Feast writes them (key serialization 3) are an error. Opens no store.
"""

from __future__ import annotations

import struct
from math import isnan

import mmh3

from feature_repo.contract import APPLICANT_ID
from feature_repo.errors import FeatureError

Value = float | str | None

STRING = 2  # feast.types.ValueType.STRING
DOUBLE_FIELD = (5 << 3) | 1  # feast.types.Value.double_val: field 5, eight bytes, little endian
STRING_FIELD = (2 << 3) | 2  # feast.types.Value.string_val: field 2, a length, then UTF-8
SECONDS_FIELD, NANOS_FIELD = 1 << 3, 2 << 3  # google.protobuf.Timestamp: two varints, absent where they are 0
DOUBLE = struct.Struct("<Bd")
KEY = struct.pack(f"<III{len(APPLICANT_ID)}sI", 1, STRING, len(APPLICANT_ID), APPLICANT_ID.encode(), STRING)


def entity_key(applicant_id: str) -> bytes:
    """An applicant's key as Feast writes it (entity key serialization version 3)."""
    raw = applicant_id.encode(errors="surrogatepass")
    return KEY + struct.pack("<I", len(raw)) + raw


def redis_key(project: str, applicant_id: str) -> bytes:
    """The key of an applicant's hash in Redis."""
    return entity_key(applicant_id) + project.encode()


def redis_field(view: str, feature: str) -> bytes:
    """The field of a feature in that hash: murmur3 (32 bits, little endian) of its reference."""
    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))


def redis_time(view: str) -> bytes:
    """The field of a view's event time in that hash."""
    return f"_ts:{view}".encode()


def encode(value: Value) -> bytes:
    """A feast.types.Value message: a double, a text, or nothing for None. NaN stays a double, as Feast writes it."""
    if value is None:
        return b""
    if isinstance(value, str):
        raw = value.encode()
        return bytes([STRING_FIELD]) + _written(len(raw)) + raw
    return DOUBLE.pack(DOUBLE_FIELD, value)


def decode(raw: bytes) -> Value:
    """A feast.types.Value message: a number, a text, or None for no value and NaN."""
    if not raw:
        return None
    if raw[0] == DOUBLE_FIELD and len(raw) == DOUBLE.size:
        number: float = DOUBLE.unpack(raw)[1]
        return None if isnan(number) else number
    if raw[0] == STRING_FIELD:
        length, start = _varint(raw, 1)
        if start + length == len(raw):
            return raw[start:].decode()
    raise FeatureError(f"an online value is neither a number nor a text (message field {raw[0] >> 3}); publish the features again")


def encode_time(microseconds: int) -> bytes:
    """A google.protobuf.Timestamp of so many microseconds since 1970 (UTC)."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return (bytes([SECONDS_FIELD]) + _written(seconds & (2**64 - 1)) if seconds else b"") + (
        bytes([NANOS_FIELD]) + _written(rest * 1000) if rest else b"")


def decode_time(raw: bytes) -> int:
    """The microseconds since 1970 (UTC) of a google.protobuf.Timestamp."""
    at, fields = 0, {SECONDS_FIELD: 0, NANOS_FIELD: 0}
    while at < len(raw):
        field = raw[at]
        number, at = _varint(raw, at + 1)
        if field not in fields or not at:
            raise FeatureError("an online event time is no timestamp of Feast's; publish the features again")
        fields[field] = number
    seconds = fields[SECONDS_FIELD]
    return (seconds - 2**64 if seconds >= 2**63 else seconds) * 1_000_000 + fields[NANOS_FIELD] // 1000


def _written(number: int) -> bytes:
    """A varint (protobuf base-128) of a number that is not negative."""
    said = bytearray()
    while number >= 0x80:
        said.append(number & 0x7F | 0x80)
        number >>= 7
    said.append(number)
    return bytes(said)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at a place (protobuf base-128), and where the next begins; (0, 0) where it does not end."""
    number = shift = 0
    for place, byte in enumerate(raw[at:], at + 1):
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
    return 0, 0
