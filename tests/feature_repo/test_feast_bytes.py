"""Feast's bytes without Feast: held against Feast's own writers."""

from __future__ import annotations

import numpy as np
import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value as FeastValue
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import APPLICANT_ID
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import decode, decode_time, encode, encode_time, entity_key, redis_field, redis_key, redis_time

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS = st.integers(-62_135_596_800 * 10**6, 253_402_300_799 * 10**6)  # what a protobuf timestamp can say


def key_of(applicant_id: str) -> EntityKey:
    return EntityKey(join_keys=[APPLICANT_ID], entity_values=[FeastValue(string_val=applicant_id)])


@given(TEXT)
def test_names_in_redis_are_feasts(name):
    assert redis_key("harbour", name) == _redis_key("harbour", key_of(name), 3)
    assert redis_field(name, "depth") == _mmh3(f"{name}:depth")
    assert redis_time("tides") == b"_ts:tides"


@given(st.one_of(st.none(), st.floats(), TEXT, st.text("ä", min_size=100, max_size=20_000)))
def test_a_value_is_written_as_feast_writes_it(value):
    named = {} if value is None else {"string_val": value} if isinstance(value, str) else {"double_val": value}

    assert encode(value) == FeastValue(**named).SerializeToString()


@given(MOMENTS)
def test_a_time_is_feasts_there_and_back(microseconds):
    said = Timestamp()
    said.FromMicroseconds(microseconds)

    assert encode_time(microseconds) == said.SerializeToString()
    assert decode_time(said.SerializeToString()) == microseconds


@pytest.mark.parametrize("raw", [b"\x08", b"\x1a\x01a", b"\x08\xff\xff"])
def test_what_is_no_time_is_refused(raw):
    with pytest.raises(FeatureError, match="publish the features again"):
        decode_time(raw)


@given(TEXT)
def test_a_key_is_the_one_feast_writes(applicant_id):
    key = EntityKey(join_keys=[APPLICANT_ID], entity_values=[FeastValue(string_val=applicant_id)])

    assert entity_key(applicant_id) == serialize_entity_key(key, entity_key_serialization_version=3)


@given(st.floats(allow_nan=False))
def test_a_number_is_feasts_bit_for_bit(number):
    assert np.float64(decode(FeastValue(double_val=number).SerializeToString())).tobytes() == np.float64(number).tobytes()


@given(st.one_of(TEXT, st.text("ä", min_size=100, max_size=20_000)))
def test_a_text_is_feasts(text):
    assert decode(FeastValue(string_val=text).SerializeToString()) == text


def test_no_value_and_not_a_number_are_both_none():
    assert decode(FeastValue().SerializeToString()) is None
    assert decode(FeastValue(double_val=float("nan")).SerializeToString()) is None


@pytest.mark.parametrize("raw", [FeastValue(int64_val=3).SerializeToString(), FeastValue(float_val=1.0).SerializeToString(),
                                 FeastValue(double_val=1.0).SerializeToString()[:-1], FeastValue(string_val="ab").SerializeToString()[:-1],
                                 b"\x12\xff\xff"])
def test_what_publish_would_not_write_is_refused_and_never_guessed(raw):
    with pytest.raises(FeatureError, match="publish the features again"):
        decode(raw)
