"""What is stored counts, its age counts, one key one decision, a batch all or none."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest
from asking import ask, asked, decide, names
from ledgers import decisions, recorded

from feature_repo.contract import WhenStale
from serving.application import APPLICATION


@pytest.mark.parametrize("applicant", ["old", "stale", "future", "unknown"])
def test_a_value_that_must_be_current_and_is_not_forbids_the_decision(api, request_of, settings, brought, applicant):
    answer = decide(api, request_of(applicant))
    assert answer.status_code == 409
    assert all(any(name in fault["detail"] for fault in answer.json()["errors"]) for name in names(brought, WhenStale.REFUSE))
    assert not decisions(settings.folder)


def test_an_old_value_that_may_be_doubted_makes_the_decision_degraded_and_a_referral(api, settings, brought, request_of):
    answer = decide(api, request_of("doubted")).json()
    assert answer["degraded"] is True
    assert answer["outcome"] == "refer"
    assert answer["reasons"][0]["code"] == "not_current"
    content = recorded(settings.folder, answer["decision_id"]).content
    assert names(brought, WhenStale.REFER) >= set(content["doubtful"]) != set()
    assert all(content["values"][name] is None for name in content["doubtful"])


def test_a_current_stored_value_wins_over_what_the_applicant_says(api, request_of, said, settings, brought):
    answer = decide(api, request_of("fresh", **said)).json()
    content = recorded(settings.folder, answer["decision_id"]).content
    stored = {name: content["stored"][name] for name in said}
    assert {name: content["values"][name] for name in said} == stored != said
    assert content[APPLICATION].items() >= said.items()


def test_what_the_applicant_says_is_used_where_the_store_has_nothing(api, request_of, said, settings):
    silent = decide(api, request_of("silent")).json()
    answer = decide(api, request_of("silent", **said)).json()
    content = recorded(settings.folder, answer["decision_id"]).content
    assert (silent["degraded"], answer["degraded"]) == (True, False)
    assert {name: content["values"][name] for name in said} == said


def test_a_stored_column_that_may_not_be_stated_is_an_unknown_field(api, request_of, brought):
    other = next(column.name for column in brought.stored if column.when_stale is not WhenStale.REQUEST)
    assert decide(api, request_of("fresh", **{other: 1.0})).status_code == 422


def test_an_unreadable_feature_store_follows_the_policies_and_makes_the_worker_not_ready(settings, make_api, request_of):
    (settings.folder / "feast").unlink()
    api = make_api(settings)
    assert decide(api, request_of("fresh")).status_code == 409
    problem = ask(api, "GET", "/readyz")
    assert problem.status_code == 503
    assert [fault["pointer"] for fault in problem.json()["errors"]] == ["/features"]
    assert str(settings.home) not in problem.text


def test_the_same_key_gives_the_same_bytes_and_one_record(api, request_of, settings):
    first, again = (decide(api, request_of("fresh"), Idempotency_Key="k") for _ in range(2))
    assert first.content == again.content
    assert len(decisions(settings.folder)) == 1


def test_the_same_key_with_another_request_is_a_conflict(api, request_of, settings):
    decide(api, request_of("fresh"), Idempotency_Key="k")
    answer = decide(api, request_of("stale"), Idempotency_Key="k")
    assert (answer.status_code, answer.json()["type"]) == (422, "/docs#idempotency-conflict")
    assert len(decisions(settings.folder)) == 1


def test_a_key_remembers_an_answer_that_could_not_be_given_today(api, request_of, settings):
    first = decide(api, request_of("fresh"), Idempotency_Key="k")
    (settings.folder / "champion.json").unlink()
    api._decisions.champions.now = None
    assert decide(api, request_of("fresh"), Idempotency_Key="k").content == first.content
    assert decide(api, request_of("fresh")).status_code == 503


def test_a_key_in_flight_is_told_to_come_back_and_then_has_the_same_bytes(api, request_of, settings):
    async def together() -> list[httpx.Response]:
        sent = {"json": request_of("fresh"), "headers": {"Idempotency-Key": "k"}}
        return list(await asyncio.gather(*(asked(api, "POST", "/v1/decisions", **sent) for _ in range(50))))

    answers = asyncio.run(together())
    (first,) = {answer.content for answer in answers if answer.is_success}
    refused = [answer for answer in answers if not answer.is_success]
    assert {(answer.status_code, answer.json()["type"], answer.headers["retry-after"]) for answer in refused} == {
        (409, "/docs#idempotency-in-flight", "1")}
    assert decide(api, request_of("fresh"), Idempotency_Key="k").content == first
    assert len(decisions(settings.folder)) == 1


def test_a_key_in_flight_is_refused_whatever_the_request_and_a_conflict_afterwards(api, request_of, settings):
    async def together() -> list[int]:
        key, documents = {"Idempotency-Key": "k"}, [request_of(applicant) for applicant in ("fresh", "silent", "doubted")]
        answers = await asyncio.gather(*(asked(api, "POST", "/v1/decisions", json=each, headers=key) for each in documents))
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(together()) == [200, 409, 409]
    assert decide(api, request_of("silent"), Idempotency_Key="k").status_code == 422
    assert len(decisions(settings.folder)) == 1


def test_a_key_is_free_again_where_its_request_failed(api, request_of, settings, monkeypatch):
    with monkeypatch.context() as failing:
        failing.setattr("serving.decisions.fresh", lambda *_: 1 / 0)
        assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 500
    assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 200


def test_two_callers_have_keys_of_their_own_and_a_key_of_nobody_is_refused(settings, make_api, request_of):
    api = make_api(msgspec.structs.replace(settings, caller_header="X-Caller"))
    north, south = (decide(api, request_of("fresh"), Idempotency_Key="k", X_Caller=name) for name in ("north", "south"))
    again = decide(api, request_of("fresh"), Idempotency_Key="k", X_Caller="north")
    nobody, free = decide(api, request_of("fresh"), Idempotency_Key="k"), decide(api, request_of("fresh"))
    assert north.content == again.content != south.content
    assert (nobody.status_code, nobody.json()["type"], free.status_code) == (400, "/docs#invalid-idempotency-key", 200)
    assert not any("north" in str(record.idempotency_key) for record in decisions(settings.folder))


def test_the_header_of_a_caller_means_nothing_where_no_gateway_is_trusted(api, request_of, settings):
    north, south = (decide(api, request_of("fresh"), Idempotency_Key="k", X_Caller=name) for name in ("north", "south"))
    assert north.content == south.content
    assert [record.idempotency_key for record in decisions(settings.folder)] == ["decision/0/k"]


def test_a_batch_gives_the_decisions_of_single_requests_in_one_commit(api, request_of, settings):
    batch = ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh")] * 3}).json()["decisions"]
    alone = decide(api, request_of("fresh")).json()
    own = {"decision_id", "decided_at"}
    assert all({key: each[key] for key in each.keys() - own} == {key: alone[key] for key in alone.keys() - own} for each in batch)
    times = {recorded(settings.folder, each["decision_id"]).recorded_at for each in batch}
    assert len(times) == 1


def test_a_batch_has_its_own_keys_and_is_repeated_whole(api, request_of, settings):
    body = {"decisions": [request_of("fresh")] * 3}
    first, again = (ask(api, "POST", "/v1/decisions:batch", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.content == again.content
    assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 200
    fewer = ask(api, "POST", "/v1/decisions:batch", json={"decisions": body["decisions"][:2]}, headers={"Idempotency-Key": "k"})
    assert fewer.status_code == 422
    assert len(decisions(settings.folder)) == 4


def test_a_batch_with_one_forbidden_decision_records_none(api, request_of, settings):
    answer = ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh"), request_of("stale")]})
    assert answer.status_code == 409
    assert not decisions(settings.folder)
