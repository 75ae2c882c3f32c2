"""Guarantees of the API over a portfolio with every staleness policy: what is stored counts, its age counts, one key one decision."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import promote

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, WhenStale
from feature_repo.store import publish
from governance import ledger
from governance.ledger import locked
from governance.records import export, files, find, verify
from governance.release import verify as verify_release
from serving.app import Api
from serving.application import APPLICATION
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.openapi import example
from serving.settings import Settings

NOW = datetime(2024, 5, 1, tzinfo=UTC)
FRESH, OLD, STALE, FUTURE = timedelta(days=5), timedelta(days=20), timedelta(days=300), timedelta(days=-5)
AGES = {  # of an applicant's values: in views with a column that refuses, in the others
    "fresh": (FRESH, FRESH), "silent": (FRESH, FRESH), "doubted": (FRESH, STALE),
    "old": (OLD, OLD), "stale": (STALE, STALE), "future": (FUTURE, FUTURE),
}
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def home(tmp_path_factory, brought: Any, make_release) -> Path:
    """A home of the harbour portfolio: one applicant for each age of the stored values, a release and its pointer."""
    home = tmp_path_factory.mktemp("home")
    views = home / "views"
    views.mkdir()
    for table in brought.views:
        refuses = any(column.when_stale is WhenStale.REFUSE for column in table.stored)
        times = pd.Series([NOW - age[not refuses] for age in AGES.values()]).astype("datetime64[us, UTC]")
        stored = {column.name: [value(column, applicant) for applicant in AGES] for column in table.stored}
        seconds = [time.timestamp() for time in times]
        frame = pd.DataFrame({APPLICANT_ID: list(AGES), EVENT_TIME: times, table.as_of: seconds, **stored})
        frame.to_parquet(views / f"{table.name}.parquet")
    publish(brought, views, home / brought.name / "feast")
    promote(home, brought, make_release(home / "made", brought.name, intercept=-4.0), "7")
    return home


def value(column: Any, applicant: str) -> float | str | None:
    """A value at the lower bound; for "silent", none where the applicant may state one."""
    if applicant == "silent" and column.when_stale is WhenStale.REQUEST:
        return None
    return column.level_names[0] if column.is_level else float(column.low or 0)


@pytest.fixture(scope="module")
def brought(harbour) -> Iterator[Any]:
    from invented import brought

    with brought():
        yield harbour


@pytest.fixture
def settings(home, tmp_path, brought) -> Settings:
    """The home's release and features with a ledger of the test's own."""
    own = tmp_path / brought.name
    own.mkdir()
    for shared in ("feast", "releases", "champion.json"):
        (own / shared).symlink_to(home / brought.name / shared)
    return Settings(portfolio=brought.name, home=tmp_path, business_time=NOW, patience=2.0)


@pytest.fixture
def make_api(brought) -> Iterator[Callable[[Settings], Api]]:
    made = []

    def make(settings: Settings) -> Api:
        made.append(Decisions(settings, brought, Metrics()))
        made[-1].champions.look()
        return Api(settings, made[-1])

    yield make
    for decisions in made:
        decisions.close()


@pytest.fixture
def api(settings, make_api) -> Api:
    return make_api(settings)


@pytest.fixture
def request_of(brought) -> Callable[..., dict[str, Any]]:
    def make(applicant: str, **said: float) -> dict[str, Any]:
        document = example(brought)
        return {APPLICANT_ID: applicant, APPLICATION: {**document[APPLICATION], **said}}

    return make


@pytest.fixture
def said(brought) -> dict[str, float]:
    """A value for each stored column that an applicant may state."""
    return {column.name: 1.0 for column in brought.stored if column.when_stale is WhenStale.REQUEST}


def ask(api: Api, method: str, path: str, **options: Any) -> httpx.Response:
    return asyncio.run(asked(api, method, path, **options))


async def asked(api: Api, method: str, path: str, **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
        return await client.request(method, path, **options)


def decide(api: Api, document: object, **headers: str) -> httpx.Response:
    return ask(api, "POST", "/v1/decisions", json=document, headers={name.replace("_", "-"): value for name, value in headers.items()})


def names(brought: Any, policy: WhenStale) -> set[str]:
    return {column.name for column in brought.stored if column.when_stale is policy and column.fresh_for}


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
    assert answer.json() == {"release_id": given["release_id"], "model_version": "7", "portfolio": brought.name, "model": "scorecard",
                             "interface_hash": manifest.interface_hash}


def test_the_record_holds_all_that_was_decided_from(api, request_of, settings, brought):
    answer = decide(api, request_of("fresh")).json()
    record = find(files(settings.folder / "ledger"), "id", answer["decision_id"])
    content = record.content
    assert content.items() >= answer.items()
    assert content[APPLICATION] == request_of("fresh")[APPLICATION]
    assert set(content["stored"]) == {*(column.name for column in brought.stored), *(table.as_of for table in brought.views)}
    assert set(content["values"]) == {column.name for column in brought.inputs}
    assert content.keys() >= {"margin", "doubtful", "recorded_at", APPLICANT_ID}
    assert list(export(settings.folder / "ledger", NOW, NOW + timedelta(seconds=1))) == [content]


@pytest.mark.parametrize("applicant", ["old", "stale", "future", "unknown"])
def test_a_value_that_must_be_current_and_is_not_forbids_the_decision(api, request_of, settings, brought, applicant):
    answer = decide(api, request_of(applicant))
    assert answer.status_code == 409
    assert all(any(name in fault["detail"] for fault in answer.json()["errors"]) for name in names(brought, WhenStale.REFUSE))
    assert not files(settings.folder / "ledger")


def test_an_old_value_that_may_be_doubted_makes_the_decision_degraded_and_a_referral(api, settings, brought, request_of):
    answer = decide(api, request_of("doubted")).json()
    assert answer["degraded"] is True
    assert answer["outcome"] == "refer"
    assert answer["reasons"][0]["code"] == "not_current"
    content = find(files(settings.folder / "ledger"), "id", answer["decision_id"]).content
    assert names(brought, WhenStale.REFER) >= set(content["doubtful"]) != set()
    assert all(content["values"][name] is None for name in content["doubtful"])


def test_a_current_stored_value_wins_over_what_the_applicant_says(api, request_of, said, settings, brought):
    answer = decide(api, request_of("fresh", **said)).json()
    content = find(files(settings.folder / "ledger"), "id", answer["decision_id"]).content
    stored = {name: content["stored"][name] for name in said}
    assert {name: content["values"][name] for name in said} == stored != said
    assert content[APPLICATION].items() >= said.items()


def test_what_the_applicant_says_is_used_where_the_store_has_nothing(api, request_of, said, settings):
    silent = decide(api, request_of("silent")).json()
    answer = decide(api, request_of("silent", **said)).json()
    content = find(files(settings.folder / "ledger"), "id", answer["decision_id"]).content
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
    assert verify(settings.folder / "ledger")[0].seq == 1


def test_the_same_key_with_another_request_is_a_conflict(api, request_of, settings):
    decide(api, request_of("fresh"), Idempotency_Key="k")
    answer = decide(api, request_of("stale"), Idempotency_Key="k")
    assert (answer.status_code, answer.json()["type"]) == (422, "/docs#idempotency-conflict")
    assert verify(settings.folder / "ledger")[0].seq == 1


def test_a_key_remembers_an_answer_that_could_not_be_given_today(api, request_of, settings):
    first = decide(api, request_of("fresh"), Idempotency_Key="k")
    (settings.folder / "champion.json").unlink()
    api._decisions.champions.now = None
    assert decide(api, request_of("fresh"), Idempotency_Key="k").content == first.content
    assert decide(api, request_of("fresh")).status_code == 503


def test_duplicates_in_flight_are_decided_once(api, request_of, settings):
    async def together() -> set[bytes]:
        sent = {"json": request_of("fresh"), "headers": {"Idempotency-Key": "k"}}
        answers = await asyncio.gather(*(asked(api, "POST", "/v1/decisions", **sent) for _ in range(50)))
        return {answer.content for answer in answers}

    assert len(asyncio.run(together())) == 1
    assert verify(settings.folder / "ledger")[0].seq == 1


def test_different_requests_in_flight_with_one_key_get_one_decision_and_conflicts(api, request_of, settings):
    async def together() -> list[int]:
        key, documents = {"Idempotency-Key": "k"}, [request_of(applicant) for applicant in ("fresh", "silent", "doubted")]
        answers = await asyncio.gather(*(asked(api, "POST", "/v1/decisions", json=each, headers=key) for each in documents))
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(together()) == [200, 422, 422]
    assert verify(settings.folder / "ledger")[0].seq == 1


def test_a_batch_gives_the_decisions_of_single_requests_in_one_commit(api, request_of, settings):
    batch = ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh")] * 3}).json()["decisions"]
    alone = decide(api, request_of("fresh")).json()
    own = {"decision_id", "decided_at"}
    assert all({key: each[key] for key in each.keys() - own} == {key: alone[key] for key in alone.keys() - own} for each in batch)
    times = {find(files(settings.folder / "ledger"), "id", each["decision_id"]).recorded_at for each in batch}
    assert len(times) == 1


def test_a_batch_has_its_own_keys_and_is_repeated_whole(api, request_of, settings):
    body = {"decisions": [request_of("fresh")] * 3}
    first, again = (ask(api, "POST", "/v1/decisions:batch", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.content == again.content
    assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 200
    fewer = ask(api, "POST", "/v1/decisions:batch", json={"decisions": body["decisions"][:2]}, headers={"Idempotency-Key": "k"})
    assert fewer.status_code == 422
    assert verify(settings.folder / "ledger")[0].seq == 4


def test_a_batch_with_one_forbidden_decision_records_none(api, request_of, settings):
    answer = ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh"), request_of("stale")]})
    assert answer.status_code == 409
    assert not files(settings.folder / "ledger")


def test_a_decision_can_be_read_again_byte_for_byte(api, request_of):
    given = decide(api, request_of("fresh"))
    assert ask(api, "GET", f"/v1/decisions/{given.json()['decision_id']}").content == given.content


def test_without_a_durable_record_there_is_no_answer(settings, make_api, request_of):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=0.2))
    assert decide(api, request_of("fresh")).status_code == 200
    with locked(settings.folder / "ledger"):
        answer = decide(api, request_of("fresh"))
        unready = ask(api, "GET", "/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "pd" not in answer.json()
    assert "nothing was recorded" in answer.json()["detail"]
    assert [fault["pointer"] for fault in unready.json()["errors"]] == ["/ledger"]
    assert decide(api, request_of("fresh")).status_code == 200
    assert verify(settings.folder / "ledger")[0].seq == 2


def test_a_ledger_that_cannot_be_read_is_503_with_when_to_come_back(api, request_of, settings):
    given = decide(api, request_of("fresh")).json()
    month = files(settings.folder / "ledger")[0]
    api._decisions.close()
    month.write_bytes(b"")
    answers = [ask(api, "GET", f"/v1/decisions/{given['decision_id']}"), decide(api, request_of("fresh"), Idempotency_Key="k")]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
    assert all("cannot be read" in answer.json()["detail"] for answer in answers)


def test_a_refusal_after_the_commit_began_says_that_it_may_have_been_recorded(settings, make_api, request_of, monkeypatch):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=0.2))
    decide(api, request_of("fresh"))
    commit, row = threading.Event(), ledger.row_of
    monkeypatch.setattr(ledger, "row_of", lambda record: (commit.wait(5), row(record))[1])
    answer = decide(api, request_of("fresh"), Idempotency_Key="k")
    assert answer.status_code == 503
    assert "it may have been recorded; send the request again with the same Idempotency-Key" in answer.json()["detail"]
    commit.set()
    assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 200
    assert verify(settings.folder / "ledger")[0].seq == 2


def test_a_ledger_that_cannot_be_written_is_503_and_no_score(settings, make_api, request_of):
    (settings.folder / "ledger").write_text("not a folder")
    answer = decide(make_api(settings), request_of("fresh"))
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
    assert {key[-1]: value for key, value in after.items() if key[0] == "tally_release"}[given["release_id"]] == 1
    assert not any(given["decision_id"] in label for key in after for label in key)
