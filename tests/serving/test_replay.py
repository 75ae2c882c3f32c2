"""Guarantees of deciding again: equal to the last bit with the same release, every difference named, never with another release."""

from __future__ import annotations

import msgspec
import pytest

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load
from serving.replay import replay
from serving.scoring import decision

PORTFOLIO = load("card_default")


@pytest.fixture
def recorded(tmp_path, make_release):
    """A release, and a record made with it."""
    release = make_release(tmp_path / "release")
    values = {column.name: float(column.high or 1) for column in PORTFOLIO.raw_inputs}
    doubtful = PORTFOLIO.stored[0].name
    decided = decision.load(release, PORTFOLIO).decide({**values, doubtful: None}, (doubtful,))
    content = {"decision_id": "d", "release_id": release.id, "doubtful": [doubtful], **msgspec.structs.asdict(decided)}
    return release, msgspec.json.decode(msgspec.json.encode(content))


def test_a_recorded_decision_is_decided_again_to_the_last_bit(recorded):
    release, content = recorded
    assert replay(content, release, PORTFOLIO).same


@pytest.mark.parametrize(("field", "value"), [("pd", 0.5), ("outcome", "approve"), ("reasons", []), ("degraded", False)])
def test_a_record_that_was_not_decided_so_is_found(recorded, field, value):
    release, content = recorded
    found = replay({**content, field: value}, release, PORTFOLIO)
    assert list(found.differences) == [field]
    assert found.differences[field][0] == value


def test_another_release_cannot_stand_in(recorded, tmp_path, make_release):
    _, content = recorded
    with pytest.raises(ReleaseError, match="was made with release"):
        replay(content, make_release(tmp_path / "other", intercept=-2.0), PORTFOLIO)
