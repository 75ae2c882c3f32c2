"""Guarantees of the door: refused before the body, a whole problem, frames kept, probes let through, everything counted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from loading import post

from serving.admission import Admission
from serving.metrics import Metrics
from serving.problems import MEDIA_TYPE
from serving.refusals import Doors, Refusals
from serving.refusing import Refusing
from serving.tallies import TOLD_EVERY

PROBE = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
DECIDE = post({"a": 1}, 1)


class Wire:
    """What a connection wrote, and whether it is open."""

    def __init__(self) -> None:
        self.written, self.open = b"", True

    def write(self, raw: bytes) -> None:
        self.written += raw

    def close(self) -> None:
        self.open = False

    def is_closing(self) -> bool:
        return not self.open

    def get_extra_info(self, *_: object) -> None:
        return None

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


@pytest.fixture
def full(monkeypatch):
    """Refusals of a worker whose only place is taken."""
    admission = Admission(1, 1.0)
    monkeypatch.setattr(Doors, "refusals", Refusals(admission, Metrics()))
    with admission.place():
        yield Doors.refusals


def served(*chunks: bytes) -> tuple[list[tuple[int, dict[str, str], bytes]], Wire]:
    """What a connection is told that sends these chunks, behind an application that says 200 and what it was asked."""
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = scope["path"].encode() + (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def connection() -> Wire:
        config = uvicorn.Config(app, log_config=None)
        config.load()
        wire, protocol = Wire(), Refusing(config, uvicorn.server.ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(wire)
        for chunk in chunks:
            protocol.data_received(chunk)
            await asyncio.sleep(0.005 if chunk is PROBE else 0)
        await asyncio.sleep(0.01)
        protocol._unset_keepalive_if_required()
        return wire

    wire = asyncio.run(connection())
    raw, told = wire.written, []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        headers = dict(field.split(": ", 1) for field in fields)
        length = int(headers["content-length"])
        told.append((int(first.split()[1]), headers, rest[:length]))
        raw = rest[length:]
    return told, wire


def test_a_refusal_is_a_whole_problem_and_keeps_the_connection(full):
    ((status, headers, body),), wire = served(DECIDE)
    assert (status, headers["content-type"], headers["retry-after"], wire.open) == (429, MEDIA_TYPE, "1", True)
    assert json.loads(body)["type"] == "/docs#too-busy"
    assert json.loads(body).keys() == {"type", "title", "status", "detail", "instance"}


def test_a_refusal_does_not_wait_for_the_body(full):
    head = DECIDE[:DECIDE.index(b"\r\n\r\n") + 4].replace(b"Content-Length: 8", b"Content-Length: 60000")
    assert [status for status, *_ in served(head)[0]] == [429]


@given(st.lists(st.sampled_from([DECIDE, PROBE, post({"b": "x" * 50}, 1, path="/v1/decisions:batch")]), min_size=1, max_size=5), st.data())
def test_every_request_has_its_own_answer_however_the_bytes_are_cut(asked, data):
    raw = b"".join(asked)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(raw)), max_size=8)))
    admission = Admission(1, 1.0)
    Doors.refusals = Refusals(admission, Metrics())
    try:
        with admission.place():
            told, _ = served(*(raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True) if end > start))
    finally:
        Doors.refusals = None
    assert len(told) == len(asked)
    for (status, _, body), raw in zip(told, asked, strict=True):
        assert body.startswith(b"/readyz") if raw is PROBE else status == 429 or body.startswith(b"/v1/decisions")


def test_a_body_that_looks_like_a_request_is_read_past(full):
    inner = post({"smuggled": True}, 1)
    outer = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(inner)
    assert [status for status, *_ in served(outer, inner, PROBE)[0]] == [429, 200]


def test_probes_metrics_and_answers_given_before_are_let_through(full):
    for path in ("/livez", "/readyz", "/metrics", "/v1/decisions/1"):
        assert served(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())[0][0][0] == 200


def test_where_the_connection_is_not_kept_the_refusal_says_so(full):
    ((status, headers, _),), wire = served(DECIDE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    assert (status, headers["connection"], wire.open) == (429, "close", False)


def test_what_there_is_room_for_is_begun(monkeypatch):
    monkeypatch.setattr(Doors, "refusals", Refusals(Admission(1, 1.0), Metrics()))
    assert served(DECIDE)[0][0][0] == 200


def test_refusals_are_counted_and_told_together(full, caplog):
    caplog.set_level("INFO", "tally.serving")

    async def many() -> None:
        for _ in range(50):
            assert full.refusal(b"POST", b"/v1/decisions")
        await asyncio.sleep(2 * TOLD_EVERY)

    asyncio.run(many())
    page = full._metrics.page().decode()
    assert 'tally_requests_total{route="/v1/decisions",status="429"} 50.0' in page
    assert 'tally_requests_shed_total{reason="places"} 50.0' in page
    assert 'tally_problems_total{problem="too-busy"} 50.0' in page
    assert [record.message for record in caplog.records] == ["refused at the door: 50, for want of places"]
