"""No hostile request gets a score, an echo of what it sent, or a place in the ledger: each gets a 4xx problem+json."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from ledgers import decisions

from feature_repo.contract import APPLICANT_ID, NO_TIME
from governance.ledger.months import files
from serving.application import APPLICATION, MOST_FAULTS

ADDRESS = "/v1/decisions"
SECRET = "4111111111111111"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def valid(service) -> dict[str, Any]:
    return service.request


@pytest.fixture
def nothing_recorded(service, valid) -> Iterator[None]:
    """The ledger holds the same decisions after the test as before it; the request that is not hostile is recorded."""
    assert httpx.post(service.url + ADDRESS, json=valid).status_code == 200
    before = decisions(service.folder)
    yield
    assert decisions(service.folder) == before


def number_replaced(document: dict[str, Any], literal: str) -> bytes:
    """The request with its first number written as `literal`."""
    name = next(iter(document[APPLICATION]))
    marked = {**document, APPLICATION: {**document[APPLICATION], name: "@"}}
    return json.dumps(marked).replace('"@"', literal).encode()


def with_field(document: dict[str, Any], name: str, value: object) -> bytes:
    return json.dumps({**document, APPLICATION: {**document[APPLICATION], name: value}}).encode()


def with_id(document: dict[str, Any], value: object) -> bytes:
    return json.dumps({**document, APPLICANT_ID: value}).encode()


BODIES: dict[str, tuple[Callable[[dict[str, Any]], bytes], int]] = {
    "NaN": (lambda valid: number_replaced(valid, "NaN"), 400),
    "Infinity": (lambda valid: number_replaced(valid, "-Infinity"), 400),
    "a number no double holds": (lambda valid: number_replaced(valid, "1e400"), 422),
    "an integer of 5,000 digits": (lambda valid: number_replaced(valid, "9" * 5000), 400),
    "an integer no double holds": (lambda valid: number_replaced(valid, "9" * 400), 422),
    "a duplicate key": (lambda valid: number_replaced(valid, f'1, "{next(iter(valid[APPLICATION]))}": 2'), 400),
    "a duplicate key, escaped": (lambda valid: json.dumps(valid).replace("{", '{"applicant\\u005fid": "x", ', 1).encode(), 400),
    "an unknown field": (lambda valid: with_field(valid, "sneaky", SECRET), 422),
    "an unknown field beside the application": (lambda valid: json.dumps({**valid, "decided_at": "2020-01-01"}).encode(), 422),
    "a text for a number": (lambda valid: number_replaced(valid, f'"{SECRET}"'), 422),
    "true for a number": (lambda valid: number_replaced(valid, "true"), 422),
    "null where none may be": (lambda valid: number_replaced(valid, "null"), 422),
    "a list for a number": (lambda valid: number_replaced(valid, "[1]"), 422),
    "a missing field": (lambda valid: json.dumps({**valid, APPLICATION: {}}).encode(), 422),
    "no application": (lambda _: json.dumps({APPLICANT_ID: SECRET}).encode(), 422),
    "out of range": (lambda valid: number_replaced(valid, "-" + SECRET), 422),
    "an applicant without a name": (lambda valid: with_id(valid, ""), 422),
    "an applicant of blanks": (lambda valid: with_id(valid, "   "), 422),
    "an applicant with a line break for the log": (lambda valid: with_id(valid, f"1\n{SECRET} ERROR forged"), 422),
    "an applicant with a text direction mark": (lambda valid: with_id(valid, "1\u202e2"), 422),
    "an applicant of 129 characters": (lambda valid: with_id(valid, "a" * 129), 422),
    "an applicant who is a number": (lambda valid: with_id(valid, 1), 422),
    "half a surrogate pair": (lambda valid: json.dumps(valid).replace('"good"', '"\\ud800"').encode(), 400),
    "deep nesting": (lambda valid: number_replaced(valid, "[" * 100 + "]" * 100), 400),
    "very deep nesting": (lambda _: b"[" * 60_000, 400),
    "an empty body": (lambda _: b"", 400),
    "broken JSON": (lambda valid: json.dumps(valid).encode()[:-1], 400),
    "JSON and more": (lambda valid: json.dumps(valid).encode() + b"{}", 400),
    "not an object": (lambda _: b"[]", 422),
    "another encoding": (lambda valid: json.dumps(valid).encode("utf-16"), 400),
    "broken UTF-8": (lambda valid: json.dumps(valid).encode().replace(b"good", b"\xff\xfe"), 400),
    "a body of 5 MB": (lambda valid: with_id(valid, SECRET * 320_000), 413),
    "a body one byte too long": (lambda valid: json.dumps(valid).encode().ljust(2**16 + 1), 413),
}
HEADERS = {
    "another content type": ({"Content-Type": "text/plain"}, 415),
    "no content type": ({}, 415),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "a pickle": ({"Content-Type": "application/vnd.bentoml+pickle"}, 415),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "another charset": ({"Content-Type": "application/json; charset=latin-1"}, 415),
    "a compressed body": ({**JSON, "Content-Encoding": "gzip"}, 415),
    "a key with a blank": ({**JSON, "Idempotency-Key": "a b"}, 400),
    "a key of 256 characters": ({**JSON, "Idempotency-Key": "k" * 256}, 400),
}


LOOK_ALIKES = {ord("a"): "\u0430", ord("e"): "\u0435", ord("o"): "\u043e"}
LEVELS: dict[str, Callable[[str], object]] = {
    "of another column": lambda _: "other_column", "the raw code": lambda _: "OWN", "in capitals": str.upper, "with a blank": "{} ".format,
    "with an invisible mark": "{}\u200b".format, "with a look-alike letter": lambda level: level.translate(LOOK_ALIKES),
    "empty": lambda _: "", "a secret": lambda _: SECRET, "a number": lambda _: 1, "true": lambda _: True, "a list": lambda level: [level],
    "null": lambda _: None,
}


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Assert that this is a problem, without a score and without what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem["status"] == status
    assert not {"pd", "score", "decision_id", "outcome"} & problem.keys()
    assert SECRET not in answer.text
    return problem


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize(("spoil", "status"), BODIES.values(), ids=BODIES)
def test_a_hostile_body_gets_a_problem_and_no_score(service, valid, spoil, status):
    refused(httpx.post(service.url + ADDRESS, content=spoil(valid), headers=JSON), status)


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS)
def test_a_hostile_header_gets_a_problem_and_no_score(service, valid, headers, status):
    refused(httpx.post(service.url + ADDRESS, content=json.dumps(valid), headers=headers), status)


@pytest.mark.usefixtures("nothing_recorded")
def test_a_body_without_a_length_is_cut_at_the_limit(service):
    answer = httpx.post(service.url + ADDRESS, content=(b"x" * 2**14 for _ in range(400)), headers=JSON)
    refused(answer, 413)


@pytest.mark.usefixtures("nothing_recorded")
def test_a_length_that_lies_gets_no_score(service):
    url = urlsplit(service.url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        head_lines = f"POST {ADDRESS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999"
        raw.sendall(f"{head_lines}\r\n\r\n{{}}".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "GET", "PROPFIND"])
def test_an_unknown_method_is_told_which_there_are(service, method):
    answer = httpx.request(method, service.url + ADDRESS)
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize("path", ["/", "/v1", "/v1/decisions/", "/v1/decisions/../release%00", "/v1/decisions/' OR 1=1 --",
                                  "/docs.json", "/schema.json", "/static_content/x", "/v1/decisions/00000000-0000-0000-0000-000000000000"])
def test_nothing_is_exposed_that_the_api_does_not_name(service, path):
    refused(httpx.get(service.url + path), 404)


@pytest.mark.usefixtures("nothing_recorded")
def test_one_hostile_application_refuses_its_whole_batch_and_is_pointed_to(service, valid):
    batch = {"decisions": [valid, json.loads(with_field(valid, "sneaky", SECRET))]}
    problem = refused(httpx.post(f"{service.url}{ADDRESS}:batch", json=batch), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [f"/decisions/1/{APPLICATION}/sneaky"]


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize("batch", [{}, [], {"decisions": []}, {"decisions": {}}, {"decisions": [1]}, {"decisions": [{}] * 101},
                                   {"decisions": [], "x": 1}])
def test_a_hostile_batch_gets_a_problem_and_no_score(service, batch):
    refused(httpx.post(f"{service.url}{ADDRESS}:batch", json=batch), 422)


def test_every_fault_of_a_request_is_named_with_its_place(service, valid):
    body = json.loads(with_field({**valid, APPLICANT_ID: 7}, "sneaky", 1))
    body[APPLICATION][next(iter(valid[APPLICATION]))] = -1
    problem = refused(httpx.post(service.url + ADDRESS, json=body), 422)
    assert {fault["pointer"] for fault in problem["errors"]} == {
        f"/{APPLICANT_ID}", f"/{APPLICATION}/sneaky", f"/{APPLICATION}/{next(iter(valid[APPLICATION]))}"}


@pytest.fixture(scope="module")
def levelled(make_home, start) -> Iterator[Any]:
    """A service of a portfolio with closed levels, on the day its features were published for."""
    home = make_home("consumer_loans")
    with start(home, "consumer_loans", TALLY_BUSINESS_TIME=(NO_TIME + timedelta(days=1)).isoformat()) as service:
        yield service


@pytest.mark.parametrize("spoil", LEVELS.values(), ids=LEVELS)
def test_a_level_that_was_never_declared_gets_a_problem_and_no_score(levelled, spoil):
    valid, address = levelled.request, levelled.url + ADDRESS
    closed = {column.name: column.level_names[0] for column in levelled.portfolio.requests if column.is_level and not column.other}
    assert httpx.post(address, json=valid).status_code == 200
    before = decisions(levelled.folder)
    for name, level in closed.items():
        problem = refused(httpx.post(address, content=with_field(valid, name, spoil(level)), headers=JSON), 422)
        assert [fault["pointer"] for fault in problem["errors"]] == [f"/{APPLICATION}/{name}"]
    assert decisions(levelled.folder) == before
    assert closed


@pytest.mark.usefixtures("nothing_recorded")
def test_a_batch_of_unknown_fields_is_refused_with_less_than_was_sent(service):
    body = json.dumps({f"k{number}": 0 for number in range(70_000)}).encode()[:-1].ljust(2**20 - 1) + b"}"
    answer = httpx.post(f"{service.url}{ADDRESS}:batch", content=body, headers=JSON)
    assert len(refused(answer, 422)["errors"]) == MOST_FAULTS
    assert len(answer.content) < 2**15


def test_nothing_hostile_reaches_the_log(service):
    assert SECRET not in (service.home / "serve.log").read_text()
    assert "forged" not in (service.home / "serve.log").read_text()
    assert all(SECRET.encode() not in path.read_bytes() for path in files(service.folder / "ledger"))
