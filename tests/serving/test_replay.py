"""Guarantees of deciding again: equal to the last bit with the same release, every difference named, never with another release."""

from __future__ import annotations

import msgspec
import pytest

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load
from serving.replay import Scorers, again, many, replay
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


def test_many_at_once_come_out_as_each_alone(recorded, tmp_path, make_release):
    release, content = make_release(tmp_path / "lower", intercept=-2.0), recorded[1]
    scorer, contents = decision.load(release, PORTFOLIO), []
    for number in range(300):
        values = {column.name: column.low + number / 300 * (column.high - column.low) for column in PORTFOLIO.raw_inputs}
        doubtful = [PORTFOLIO.stored[0].name] if number % 5 == 0 else []
        made = scorer.decide(values | dict.fromkeys(doubtful), tuple(doubtful))
        contents.append({**content, "decision_id": str(number), "doubtful": doubtful, **msgspec.to_builtins(made)})
    contents[7] = {**contents[7], "pd": 0.5, "reasons": [{"code": "x", "feature": "x", "text": "other words"}]}

    found = list(many(contents, scorer))

    assert found == [again(content, scorer) for content in contents]
    assert {content["outcome"] for content in contents} == {"approve", "refer", "decline"}
    assert [(each.decision_id, set(each.differences)) for each in found if not each.same] == [("7", {"pd", "reasons"})]


def test_a_release_is_verified_and_loaded_once(recorded, tmp_path):
    release, _ = recorded
    (tmp_path / "releases").mkdir()
    release.path.rename(tmp_path / "releases" / release.id)
    scorers = Scorers(tmp_path / "releases", PORTFOLIO)
    assert scorers.of(release.id) is scorers.of(release.id)


def test_a_release_that_is_gone_or_was_altered_replays_nothing(recorded, tmp_path):
    release, _ = recorded
    (tmp_path / "releases").mkdir()
    scorers = Scorers(tmp_path / "releases", PORTFOLIO)
    with pytest.raises(ReleaseError, match="is not in"):
        scorers.of(release.id)
    release.path.rename(tmp_path / "releases" / release.id)
    (tmp_path / "releases" / release.id / "policy.json").write_text("{}")
    with pytest.raises(ReleaseError, match="changed"):
        scorers.of(release.id)
