"""From a lending system's question to a proof, over a real `bentoml serve`: answered, recorded, read again, proved, decided again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from ledgers import decisions, recorded, window
from served import BAD, GOOD

from feature_repo.contract import APPLICANT_ID
from governance.release import verify as verify_release
from serving.replay import replay


def decide(service, applicant: str, **headers: str) -> httpx.Response:
    answer = httpx.post(f"{service.url}/v1/decisions", json={**service.request, APPLICANT_ID: applicant}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(("applicant", "outcome"), [(GOOD, "approve"), (BAD, "decline"), ("unknown to the store", "refer")])
def test_a_decision_is_answered_recorded_proved_and_decided_again(service, applicant, outcome):
    answer = decide(service, applicant).json()
    assert answer["outcome"] == outcome
    assert bool(answer["reasons"]) is (outcome != "approve")
    assert len(answer["reasons"]) <= 4
    assert httpx.get(f"{service.url}/v1/decisions/{answer['decision_id']}").json() == answer
    content = recorded(service.folder, answer["decision_id"]).content
    release = verify_release(service.folder / "releases" / answer["release_id"], answer["release_id"])
    assert replay(content, release, service.portfolio).same


def test_a_key_gives_the_same_answer_after_the_service_was_started_again(make_home, start):
    home = make_home()
    with start(home) as first:
        before = decide(first, GOOD, **{"Idempotency-Key": "k"})
        folder = first.folder
    with start(home) as second:
        assert decide(second, GOOD, **{"Idempotency-Key": "k"}).content == before.content
    assert len(decisions(folder)) == 1


def test_business_time_is_said_by_the_operator_and_exported_by(make_home, start):
    then = datetime(2007, 3, 1, tzinfo=UTC)
    with start(make_home(), TALLY_BUSINESS_TIME=then.isoformat()) as service:
        answer = decide(service, GOOD).json()
    assert datetime.fromisoformat(answer["decided_at"]) == then
    (content,) = window(service.folder, then, then + timedelta(days=1))
    assert datetime.fromisoformat(content["recorded_at"]).year > then.year
    assert msgspec.json.encode(content["reasons"]) == b"[]"
