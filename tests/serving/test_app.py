"""Guarantees of the API: plain answers, no answer without a record, what a refusal says, metrics."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import httpx
from asking import NOW, ask, asked, decide
from ledgers import decisions, recorded, window
from prometheus_client.parser import text_string_to_metric_families

from feature_repo.contract import APPLICANT_ID
from governance.ledger import writer
from governance.ledger.months import files, locked
from governance.release import verify as verify_release
from serving.application import APPLICATION
from serving.settings import Settings


def test_fresh_values_give_a_plain_decision_with_the_declared_fields(api, request_of):
    answer = decide(api, request_of("fresh"))
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["decision_id", "release_id", "model_version", "portfolio", "pd", "score", "band", "outcome", "reasons",
                                   "degraded", "decided_at"]
    assert answer.json()["degraded"] is False
    assert answer.json()["decided_at"] == NOW.isoformat(timespec="milliseconds")


def test_the_release_that_serves_is_named_as_the_decisions_name_it(api, request_of, settings, brought):
    answer, given = ask(api, "GET", "/v1/release"), decide(api, request_of("fresh")).json()
    manifest = verify_release(settings.folder / "releases" / given["release_id"]).manifest
    assert answer.status_code == 200
    said = answer.json()
    assert said.items() >= {"release_id": given["release_id"], "model_version": "7", "portfolio": brought.name, "model": "scorecard",
                            "interface_hash": manifest.interface_hash}.items()
    assert said["workers"] == [{name: said[name] for name in ("worker", "release_id", "model_version", "since")}]


def test_the_record_holds_all_that_was_decided_from(api, request_of, settings, brought):
    answer = decide(api, request_of("fresh")).json()
    record = recorded(settings.folder, answer["decision_id"])
    content = record.content
    assert content.items() >= answer.items()
    assert content[APPLICATION] == request_of("fresh")[APPLICATION]
    assert set(content["stored"]) == {*(column.name for column in brought.stored), *(table.as_of for table in brought.views)}
    assert set(content["values"]) == {column.name for column in brought.inputs}
    assert content.keys() >= {"margin", "doubtful", "recorded_at", APPLICANT_ID}
    assert window(settings.folder, NOW, NOW + timedelta(seconds=1)) == [content]


def test_a_decision_can_be_read_again_byte_for_byte(api, request_of):
    given = decide(api, request_of("fresh"))
    assert ask(api, "GET", f"/v1/decisions/{given.json()['decision_id']}").content == given.content


def test_without_a_durable_record_there_is_no_answer(settings, make_api, request_of):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=1.0))
    assert decide(api, request_of("fresh")).status_code == 200
    with locked(settings.folder / "ledger"):
        answer = decide(api, request_of("fresh"))
        unready = ask(api, "GET", "/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "pd" not in answer.json()
    assert "nothing was recorded" in answer.json()["detail"]
    assert [fault["pointer"] for fault in unready.json()["errors"]] == ["/ledger"]
    assert decide(api, request_of("fresh")).status_code == 200
    assert len(decisions(settings.folder)) == 2


def test_a_ledger_that_cannot_be_read_is_503_with_when_to_come_back(api, request_of, settings):
    given = decide(api, request_of("fresh")).json()
    month = files(settings.folder / "ledger")[0]
    api._decisions.close()
    month.write_bytes(b"")
    answers = [ask(api, "GET", f"/v1/decisions/{given['decision_id']}"), decide(api, request_of("fresh"), Idempotency_Key="k")]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
    assert all("cannot be read" in answer.json()["detail"] for answer in answers)


def test_a_refusal_after_the_commit_began_says_that_it_may_have_been_recorded(settings, make_api, request_of, monkeypatch):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=1.0))
    decide(api, request_of("fresh"))
    commit, record = threading.Event(), writer.recorded
    monkeypatch.setattr(writer, "recorded", lambda *given: (commit.wait(60), record(*given))[1])
    answer = decide(api, request_of("fresh"), Idempotency_Key="k")
    assert answer.status_code == 503
    assert "it may have been recorded; send the request again with the same Idempotency-Key" in answer.json()["detail"]
    commit.set()
    again = next(told for _ in range(50) if (told := decide(api, request_of("fresh"), Idempotency_Key="k")).status_code != 503)
    assert again.status_code == 200
    assert len(decisions(settings.folder)) == 2


def test_a_ledger_that_cannot_be_written_is_503_and_no_score(settings, make_api, request_of):
    api = make_api(settings)
    (settings.folder / "ledger").rename(settings.folder / "gone")
    (settings.folder / "ledger").write_text("not a folder")
    answer = decide(api, request_of("fresh"))
    assert answer.status_code == 503
    assert "pd" not in answer.text
    assert str(settings.home) not in answer.text


def test_one_decision_too_many_is_told_when_to_come_back(settings, make_api, request_of):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, in_flight=1))

    async def together() -> list[httpx.Response]:
        return list(await asyncio.gather(*(asked(api, "POST", "/v1/decisions", json=request_of("fresh")) for _ in range(2))))

    statuses = {answer.status_code: answer for answer in asyncio.run(together())}
    assert sorted(statuses) == [200, 429]
    assert statuses[429].headers["retry-after"] == "1"


def test_an_unexpected_error_tells_nothing_of_the_applicant(api, request_of, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError("the income of fresh is 12345")

    monkeypatch.setattr("serving.decisions.fresh", fail)
    answer = decide(api, request_of("fresh"))
    assert answer.status_code == 500
    assert "12345" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_metrics_name_routes_by_template_outcomes_and_the_release(api, request_of):
    def page() -> dict[tuple[str, ...], float]:
        found = text_string_to_metric_families(ask(api, "GET", "/metrics").text)
        samples = [sample for family in found for sample in family.samples]
        return {(sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in samples}

    before = page()
    given = decide(api, request_of("fresh")).json()
    ask(api, "GET", f"/v1/decisions/{given['decision_id']}")
    ask(api, "GET", "/no/such/address")
    after = page()
    grown = {key for key in after if after[key] == before.get(key, 0) + 1}
    assert grown >= {("tally_requests_total", "/v1/decisions/{decision_id}", "200"), ("tally_requests_total", "other", "404"),
                     ("tally_decisions_total", "false", given["outcome"])}
    assert grown >= {("tally_step_seconds_count", step) for step in ("read", "features", "score", "record")}
    assert given["release_id"] in {key[-1] for key, value in after.items() if key[0] == "tally_release" and value == 1}
    assert not any(given["decision_id"] in label for key in after for label in key)
