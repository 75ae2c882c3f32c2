"""Guarantees of pushing: who may, what is refused and where, kept before online, online with the answer, and never over what is newer."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from asking import NOW, ask, decide
from jsonschema import Draft202012Validator
from ledgers import recorded

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, NO_TIME
from feature_repo.portfolios import load
from feature_repo.pushed import JOURNAL, every, read
from feature_repo.store import publish
from serving import openapi
from serving.problems import Problem
from serving.pushes import PushForm
from serving.settings import Settings

TOKEN = "a token of the test"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROW = {APPLICANT_ID: "fresh", EVENT_TIME: NOW.isoformat(), "hull_wear": 1.5, "rust": "錆", "refits": None}


@pytest.fixture
def owned(settings, home, brought):
    """The settings of a service with features of its own."""
    (settings.folder / "feast").unlink()
    shutil.copytree(home / brought.name / "feast", settings.folder / "feast")
    return settings


@pytest.fixture(params=["sqlite", "redis"])
def pushed_to(request, owned, home, brought, make_api):
    """A service to which may be pushed, and where its journal is."""
    address, settings = "", owned
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.client.flushdb()
        address = server.address
        publish(brought, home / "views", settings.folder / "feast", address)
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=2.0, features=address,
                            features_patience=1.0, push_token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(), push_size=3))
    yield api, settings.folder / "feast" / JOURNAL
    api.close()


def push(api, *rows, table="surveys", headers=HEADERS):
    return ask(api, "POST", f"/v1/features/{table}", json={"rows": list(rows)}, headers=headers)


def test_the_next_decision_uses_what_was_pushed_and_it_is_kept(pushed_to, request_of, settings):
    api, journal = pushed_to
    answer = push(api, ROW)
    decision = decide(api, request_of("fresh")).json()
    stored = recorded(settings.folder, decision["decision_id"]).content["stored"]

    assert (answer.status_code, answer.json()) == (200, {"table": "surveys", "rows": 1, "newer": 1})
    assert {name: stored[name] for name in ("hull_wear", "rust", "refits", "surveys_as_of")} == {
        "hull_wear": 1.5, "rust": "錆", "refits": None, "surveys_as_of": NOW.timestamp()}
    (kept,) = read(journal, "surveys")
    assert (kept.applicant_id, kept.event_us, kept.values) == (
        "fresh", int(NOW.timestamp() * 10**6), {"hull_wear": 1.5, "rust": "錆", "refits": None})


def test_a_stranger_becomes_known_by_a_push(pushed_to, request_of):
    api, _ = pushed_to
    mooring = {APPLICANT_ID: "new", EVENT_TIME: NOW.isoformat(), "mooring_debt": 1, "crew_wages": 1, "first_mooring": 2000}
    push(api, {**ROW, APPLICANT_ID: "new"})
    before = decide(api, request_of("new"))
    assert push(api, mooring, table="moorings").status_code == 200
    after = decide(api, request_of("new"))

    assert (before.status_code, after.status_code, after.json()["degraded"]) == (409, 200, False)


def test_an_older_row_is_kept_for_training_and_not_taken_online(pushed_to, request_of, settings):
    api, journal = pushed_to
    push(api, ROW)
    older = push(api, {**ROW, EVENT_TIME: (NOW - timedelta(microseconds=1)).isoformat(), "hull_wear": -1.0})
    again = push(api, {**ROW, "hull_wear": 2.0})
    decision = decide(api, request_of("fresh")).json()

    assert (older.json()["newer"], again.json()["newer"]) == (0, 1)
    assert recorded(settings.folder, decision["decision_id"]).content["stored"]["hull_wear"] == 2.0
    assert [row.values["hull_wear"] for row in read(journal, "surveys")] == [-1.0, 2.0]
    assert [row.values["hull_wear"] for row in every(journal, "surveys")] == [-1.0, 1.5, 2.0]


@pytest.mark.parametrize(("changed", "pointer"), [
    ({"hull_wear": 5.1}, "/rows/0/hull_wear"), ({"hull_wear": True}, "/rows/0/hull_wear"), ({"hull_wear": None}, "/rows/0/hull_wear"),
    ({"rust": "gold"}, "/rows/0/rust"), ({"depth": 1}, "/rows/0/depth"), ({APPLICANT_ID: ""}, f"/rows/0/{APPLICANT_ID}"),
    ({EVENT_TIME: "2024-05-01T00:00:00"}, f"/rows/0/{EVENT_TIME}"), ({EVENT_TIME: 1714521600}, f"/rows/0/{EVENT_TIME}"),
    ({EVENT_TIME: (NOW + timedelta(minutes=1)).isoformat()}, f"/rows/0/{EVENT_TIME}"),
    ({EVENT_TIME: "1899-12-31T23:59:59Z"}, f"/rows/0/{EVENT_TIME}"), ({EVENT_TIME: "yesterday"}, f"/rows/0/{EVENT_TIME}"),
])
def test_what_the_contract_does_not_allow_is_refused_with_its_place_and_nothing_is_kept(pushed_to, changed, pointer):
    api, journal = pushed_to
    answer = push(api, {**ROW, **changed}, {**ROW, APPLICANT_ID: "other"})

    assert (answer.status_code, answer.json()["type"]) == (422, "/docs#invalid-rows")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert not any(str(value) in answer.text for value in changed.values() if isinstance(value, str) and value)
    assert list(every(journal, "surveys")) == []


def test_rows_are_bounded_and_no_moment_of_an_applicant_is_there_twice(pushed_to):
    api, journal = pushed_to
    answers = [push(api), push(api, *[{**ROW, APPLICANT_ID: f"p{number}"} for number in range(4)]), push(api, ROW, ROW)]

    assert [(answer.status_code, answer.json()["errors"][0]["pointer"]) for answer in answers] == [
        (422, "/rows"), (422, "/rows"), (422, "/rows/1")]
    assert list(every(journal, "surveys")) == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}])
def test_without_the_token_nothing_is_read_or_told(pushed_to, headers):
    api, journal = pushed_to
    answers = [push(api, ROW, headers=headers), push(api, {"not": "a row"}, table="nothing", headers=headers)]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(401, "/docs#not-authenticated")}
    assert list(every(journal, "surveys")) == []


def test_a_table_without_stored_columns_cannot_be_pushed_to(pushed_to):
    assert push(pushed_to[0], ROW, table="boats").status_code == 404


def test_a_service_without_a_token_has_no_such_address(api):
    assert push(api, ROW).status_code == 404
    assert "/v1/features/surveys" not in ask(api, "GET", "/openapi.json").json()["paths"]


def test_what_could_not_be_put_online_says_so_and_is_kept(owned, make_api, home, free_port, request_of):
    api = make_api(Settings(portfolio=owned.portfolio, home=owned.home, business_time=NOW, push_token_sha256=digest(),
                            features=f"redis://127.0.0.1:{free_port}/0"))
    answer = push(api, ROW)
    api.close()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "kept for training" in answer.json()["detail"]
    assert len(list(every(owned.folder / "feast" / JOURNAL, "surveys"))) == 1
    publish(load(owned.portfolio), home / "views", owned.folder / "feast")  # what was kept is put online with the next publication
    decision = decide(make_api(owned), request_of("fresh")).json()
    assert recorded(owned.folder, decision["decision_id"]).content["stored"]["hull_wear"] == 1.5


def test_the_description_allows_what_the_service_takes(brought):
    settings = Settings(portfolio=brought.name, push_token_sha256=digest())
    document = openapi.document(brought, settings)
    for table in brought.views:
        content = document["paths"][f"/v1/features/{table.name}"]["post"]["requestBody"]["content"]["application/json"]
        Draft202012Validator(content["schema"]).validate(content["example"])
        (row,) = PushForm(brought).rows(table, content["example"], 1, datetime.now(UTC))
        assert set(row.values) == {column.name for column in table.stored}


def test_a_portfolio_without_a_time_axis_takes_no_times():
    portfolio = load("card_default")
    (table,) = portfolio.views
    row = {APPLICANT_ID: "1", **{column.name: openapi.typical(column) for column in table.stored}}
    (found,) = PushForm(portfolio).rows(table, {"rows": [row]}, 1, datetime.now(UTC))

    assert found.event_us == NO_TIME.timestamp() * 10**6 < found.created_us
    with pytest.raises(Problem, match="not as the contract says"):
        PushForm(portfolio).rows(table, {"rows": [{**row, EVENT_TIME: "2024-01-01T00:00:00Z"}]}, 1, datetime.now(UTC))


def digest() -> str:
    return hashlib.sha256(TOKEN.encode()).hexdigest()
