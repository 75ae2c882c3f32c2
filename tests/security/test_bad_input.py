"""The classes of bad input of docs/input.md, by their numbers, against a real service; `test_hostile_requests.py` has more of most."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import pickle
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest
from ledgers import decisions, recorded
from lending import BEARER

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, NO_TIME
from serving.application import APPLICATION, DECISIONS
from serving.openapi import document
from serving.settings import Settings

MB = 2**20
HEAD = "POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def good(lending) -> dict[str, Any]:
    return lending.request


@pytest.fixture
def number(lending) -> str:
    """A column whose lowest value is zero, and which must be given."""
    return next(each.name for each in lending.portfolio.requests if not each.is_level and each.low == 0 and not each.nullable)


@pytest.fixture
def nothing_scored(lending) -> Iterator[None]:
    before = len(decisions(lending.folder))
    yield
    assert len(decisions(lending.folder)) == before


def post(lending, body: Any, **options: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{lending.url}/v1/decisions", content=content, headers={**JSON, **options.pop("headers", {})}, timeout=30, **options)


def spelled(good: dict[str, Any], name: str, literal: str) -> bytes:
    return json.dumps({**good, APPLICATION: {**good[APPLICATION], name: "@"}}).replace('"@"', literal).encode()


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize(("literal", "status"), [("NaN", 400), ("Infinity", 400), ("-Infinity", 400), ("1e400", 422), ("-5e-324", 422)])
def test_b1_a_number_that_is_none_is_not_scored(lending, good, number, literal, status):
    assert post(lending, spelled(good, number, literal)).status_code == status


def test_b1_zero_has_one_sign_and_the_smallest_number_is_one(lending, good, number):
    said = [post(lending, spelled(good, number, literal)).json() for literal in ("0", "-0.0", "5e-324")]
    assert len({(each["pd"], each["score"]) for each in said}) == 1
    content = recorded(lending.folder, said[1]["decision_id"]).content
    assert math.copysign(1, content[APPLICATION][number]) == 1


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize("literal", ['"1000"', "true", "null", "[1]", "{}", '"NaN"'])
def test_b2_a_value_of_another_kind_is_not_scored(lending, good, number, literal):
    refused = post(lending, spelled(good, number, literal))
    assert (refused.status_code, [fault["pointer"] for fault in refused.json()["errors"]]) == (422, [f"/{APPLICATION}/{number}"])


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize("change", [lambda fields, name: fields.pop(name), lambda fields, _: fields.update(extra=1),
                                    lambda fields, name: fields.update({name.upper(): fields.pop(name)})])
def test_b3_a_field_that_is_missing_unknown_or_of_another_case_is_not_scored(lending, good, number, change):
    fields = dict(good[APPLICATION])
    change(fields, number)
    assert post(lending, {**good, APPLICATION: fields}).status_code == 422


@pytest.mark.usefixtures("nothing_scored")
def test_b4_a_key_that_is_there_twice_is_not_scored(lending, good, number):
    assert post(lending, spelled(good, number, f'1, "{number}": 1')).status_code == 400


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize("value", [-1, -5, 1e15, 1e308])
def test_b5_what_is_out_of_its_bounds_is_not_scored(lending, good, number, value):
    assert post(lending, {**good, APPLICATION: {**good[APPLICATION], number: value}}).status_code == 422


def test_b5_a_moment_that_has_not_come_is_not_taken(lending):
    path, row = pushing(lending)[0]
    rows = [{**row, EVENT_TIME: "2099-01-01T00:00:00Z"}]
    assert httpx.post(lending.url + path, json={"rows": rows}, headers=BEARER).status_code == 422


def pushing(lending) -> list[tuple[str, dict[str, Any]]]:
    """Where rows are pushed, and a row that may be."""
    paths = document(lending.portfolio, Settings(portfolio="any", push_token_sha256="0" * 64))["paths"]
    found = [(path, said["post"]["requestBody"]["content"]["application/json"]["example"]["rows"][0])
             for path, said in paths.items() if path.startswith("/v1/features/")]
    return [(path, {**row, EVENT_TIME: NO_TIME.isoformat()}) for path, row in found]


def test_b6_one_person_has_one_score_however_their_id_is_composed(lending, good):
    composed, apart = "Jos\u00e9 \u00c5kesson", "Jose\u0301 A\u030akesson"
    for path, row in pushing(lending):
        pushed = httpx.post(lending.url + path, json={"rows": [{**row, APPLICANT_ID: apart}]}, headers=BEARER)
        assert pushed.status_code == 200, pushed.text
    first, second, stranger = (post(lending, {**good, APPLICANT_ID: each}).json() for each in (composed, apart, "Jose Akesson"))
    assert (first["pd"], first["degraded"]) == (second["pd"], False)
    assert stranger["degraded"]
    assert {recorded(lending.folder, each["decision_id"]).content[APPLICANT_ID] for each in (first, second)} == {composed}


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize("mark", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u3164", "\ufe0f"])
def test_b6_an_id_with_what_nobody_sees_is_not_scored(lending, good, mark):
    assert post(lending, {**good, APPLICANT_ID: f"GO{mark}OD"}).status_code == 422


def memory(lending) -> int:
    """Bytes of memory that the service's processes hold."""
    parent = psutil.Process(lending.pid)
    return sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True)))


@pytest.mark.usefixtures("nothing_scored")
def test_b7_a_body_of_60_mb_is_refused_before_it_is_sent_and_takes_no_memory(lending):
    url, before, took = urlsplit(lending.url), memory(lending), []
    for _ in range(5):
        with socket.create_connection((str(url.hostname), url.port), timeout=10) as raw:
            started = time.perf_counter()
            raw.sendall(f"{HEAD}{60 * MB}\r\n\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 413")
            took.append(time.perf_counter() - started)
    assert min(took) < 0.05
    assert memory(lending) - before < 10 * MB


@pytest.mark.usefixtures("nothing_scored")
def test_b7_a_body_that_never_ends_and_one_that_is_sent_all_the_same_take_no_memory(lending):
    before = memory(lending)
    for content in ((b"x" * 2**16 for _ in range(960)), b" " * 60 * MB):
        with contextlib.suppress(httpx.TransportError):  # the service closes while we still send
            assert httpx.post(f"{lending.url}/v1/decisions", content=content, headers=JSON, timeout=30).status_code == 413
    assert memory(lending) - before < 10 * MB


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize(("body", "status"), [(b"[" * 32_000, 400), (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400)])
def test_b7_what_is_nested_deeply_is_not_read(lending, body, status):
    assert post(lending, body).status_code == status


@pytest.mark.usefixtures("nothing_scored")
def test_b7_a_batch_of_10_000_is_refused(lending, good):
    assert httpx.post(f"{lending.url}/v1/decisions:batch", json={DECISIONS: [good] * 10_000}, timeout=30).status_code == 413


@pytest.mark.usefixtures("nothing_scored")
@pytest.mark.parametrize(("headers", "body"), [
    ({"Content-Type": "application/vnd.bentoml+pickle"}, pickle.dumps({})), ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ({"Content-Encoding": "gzip"}, gzip.compress(b" " * 60 * MB)), ({"Content-Type": "application/json; charset=utf-7"}, b"{}"),
    ({"Content-Type": "application/x-yaml"}, b"!!python/object/apply:os.system ['id']"), ({"Content-Type": "text/json"}, b"{}")],
    ids=["pickle", "multipart", "gzip bomb", "charset", "yaml", "text"])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions:batch", "/v1/features/bureau"])
def test_b8_nothing_but_plain_json_is_read_anywhere(lending, path, headers, body):
    assert httpx.post(lending.url + path, content=body, headers={**JSON, **BEARER, **headers}).status_code == 415


@pytest.mark.parametrize("word", ["1\nERROR forged", "1\r\nSet-Cookie: forged=1", "1\u2028forged", "1\x1b[31mforged", "1\x85forged"])
def test_b9_a_line_for_the_log_is_refused_and_log_lines_stay_lines(lending, good, word):
    assert post(lending, {**good, APPLICANT_ID: word}).status_code == 422
    refused = post(lending, good, headers={"X-Request-Id": "forged", "User-Agent": "forged"})
    assert refused.status_code == 200
    assert "forged" not in (lending.home / "serve.log").read_text()


@pytest.mark.parametrize("word", ["' OR 1=1; DROP TABLE entries --", "../../../etc/passwd", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}",
                                  "$(touch x)", "!!python/object/apply:os.system", "models:/loans@champion", "%0d%0aSet-Cookie:a=b"])
def test_b10_words_of_another_language_are_an_id_like_any_other_and_no_level(lending, good, word):
    level = next(each.name for each in lending.portfolio.requests if each.is_level and not each.other)
    assert post(lending, {**good, APPLICATION: {**good[APPLICATION], level: word}}).status_code == 422
    said = post(lending, {**good, APPLICANT_ID: word})
    assert said.json()["degraded"] is True
    assert recorded(lending.folder, said.json()["decision_id"]).content[APPLICANT_ID] == word
    assert word not in said.text + str(said.headers)


@pytest.mark.parametrize("path", ["/v1/decisions/../../etc/passwd", "/v1/decisions/%2e%2e%2fx", "/v1/decisions/' OR 1=1",
                                  "/v1/features/../decisions", "//v1/release", "/v1/release;x", "/v1/decisions/{{7*7}}"])
def test_b10_an_address_that_is_no_address_is_not_found(lending, path):
    url = urlsplit(lending.url)
    with socket.create_connection((str(url.hostname), url.port), timeout=10) as raw:
        raw.sendall(f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(20).split()[1] in {b"404", b"405"}


def test_b12_a_key_gives_its_answer_again_and_belongs_to_one_request(lending, good):
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (post(lending, good, headers=key) for _ in range(2))
    assert first.content == again.content
    assert post(lending, {**good, APPLICANT_ID: "another"}, headers=key).status_code == 422


def test_b12_an_id_of_nothing_and_one_that_is_none_are_told_alike(lending):
    said = [httpx.get(f"{lending.url}/v1/decisions/{each}") for each in (uuid4(), uuid4(), "x", "1' OR '1'='1")]
    assert {each.status_code for each in said} == {404}
    assert len({(each.json()["type"], each.json()["title"]) for each in said}) == 1


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer stale"}, {"Authorization": "Basic YTpi"}])
def test_b12_a_token_that_is_none_is_told_what_to_send(lending, headers):
    path, row = pushing(lending)[0]
    refused = httpx.post(lending.url + path, json={"rows": [row]}, headers=headers)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
