"""Guarantees of what a running service tells of itself: lines, spans and measures of real requests, and nothing of a person in them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from collector import collector

from feature_repo.contract import APPLICANT_ID
from serving.application import APPLICATION

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
CANARIES = ("canary-anna", "canary-key", "canary-token", "canary-value", "canary-path", "canary-state", "canary-agent")
ALL = 14  # spans of `ask_everything`
STEPS = ["features", "read", "record", "score"]
JSON = {"Content-Type": "application/json"}


def ask_everything(service: Any) -> httpx.Response:
    """Good, bad and hostile requests with a canary wherever one fits; the answer to the good one."""
    address = f"{service.url}/v1/decisions"
    said = {**TRACEPARENT, "Idempotency-Key": CANARIES[1], "Authorization": f"Bearer {CANARIES[2]}", "tracestate": f"x={CANARIES[5]}",
            "User-Agent": CANARIES[6], "baggage": f"name={CANARIES[5]}"}
    document = {**service.request, APPLICANT_ID: CANARIES[0]}
    good = httpx.post(address, json=document, headers=said)
    httpx.post(address, json={**document, "extra": 1}, headers=said)
    httpx.post(address, json={**document, APPLICATION: {CANARIES[3]: f"x\n{CANARIES[3]} ERROR forged"}}, headers=said)
    httpx.post(address, content=f'{{"{CANARIES[3]}": NaN}}', headers={**said, **JSON})
    httpx.post(f"{service.url}/v1/features/clients", content=CANARIES[3], headers=said)
    httpx.get(f"{service.url}/{CANARIES[4]}?{CANARIES[3]}%0A", headers={"traceparent": f"00-{CANARIES[4]}\u00e9-01".encode("latin-1")})
    httpx.request("PURGE", address)
    return good


@pytest.fixture(scope="module")
def watched(make_home, start) -> Iterator[Any]:
    """A service with spans and lines for every request, the collector, and what was answered; asked everything once."""
    with (collector() as collected,
          start(make_home(), TALLY_LOG_LEVEL="DEBUG", OTEL_EXPORTER_OTLP_ENDPOINT=collected.url, OTEL_BSP_SCHEDULE_DELAY="100",
                TALLY_PUSH_TOKEN_SHA256="0" * 64) as service):
        yield service, collected, ask_everything(service)


def lines(service: Any) -> list[dict[str, Any]]:
    """Those that are whole by now: a line that is being written may be seen in part."""
    return [json.loads(line) for line in (service.home / "serve.log").read_text().rpartition("\n")[0].splitlines()]


def answered(service: Any) -> list[dict[str, Any]]:
    return [line for line in lines(service) if "route" in line]


def test_every_line_of_a_service_is_an_object_and_says_where_it_comes_from(watched):
    service, _, _ = watched

    for line in lines(service):
        assert {"timestamp", "level", "logger", "message"} <= line.keys()
    assert {line["worker"] for line in answered(service)} == {httpx.get(f"{service.url}/v1/release").json()["worker"]}


def test_a_request_is_told_by_route_status_release_and_time(watched):
    service, _, good = watched
    told, *_ = wait_for(lambda: [line for line in answered(service) if line["status"] == 200 and line["route"] == "/v1/decisions"])

    assert (told["level"], told["method"], told["release_id"]) == ("DEBUG", "POST", good.json()["release_id"])
    assert 0 < told["seconds"] < 5
    assert "problem" not in told


def test_a_refusal_is_found_by_the_instance_and_by_the_trace_its_caller_knows(watched):
    service, _, _ = watched
    problem = httpx.post(f"{service.url}/v1/decisions", json={}, headers=TRACEPARENT).json()
    (told,) = wait_for(lambda: [line for line in answered(service) if line.get("instance") == problem["instance"]])

    assert (told["trace_id"], told["problem"], told["status"], told["level"]) == (TRACE, "invalid-application", 422, "INFO")


def test_nothing_that_was_sent_is_in_a_line_a_span_or_a_measure(watched):
    service, collected, good = watched
    collected.wait(ALL)
    page = httpx.get(f"{service.url}/metrics").text
    written = (service.home / "serve.log").read_text()

    for canary in (*CANARIES, "PURGE", good.json()["decision_id"]):
        assert canary not in written
        assert canary.encode() not in collected.raw
        assert canary not in page


def test_the_spans_of_a_request_have_the_trace_and_the_parent_that_were_sent(watched):
    service, collected, good = watched
    ours = [span for span in collected.wait(ALL) if span.trace_id.hex() == TRACE]
    request = next(span for span in ours if span.parent_span_id.hex() == PARENT and said(span)["http.response.status_code"] == 200)
    steps = [span for span in ours if span.parent_span_id == request.span_id]

    assert request.name == "POST /v1/decisions"
    assert said(request)["tally.release_id"] == good.json()["release_id"]
    assert sorted(span.name for span in steps) == STEPS
    for step in steps:
        assert request.start_time_unix_nano <= step.start_time_unix_nano <= step.end_time_unix_nano <= request.end_time_unix_nano
    assert (collected.resource["service.name"], collected.resource["tally.portfolio"]) == ("tallystick-scoring", service.portfolio.name)


def test_a_refusal_s_span_says_its_kind(watched):
    _, collected, _ = watched

    wait_for(lambda: {"invalid-application", "malformed-json", "not-found", "method-not-allowed"}
             <= {said(span).get("error.type") for span in collected.wait(ALL)})


def said(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_collector_that_is_away_neither_slows_nor_fails_a_request_nor_keeps_a_service(make_home, start, free_port):
    with start(make_home(), OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port}", OTEL_BSP_SCHEDULE_DELAY="50",
               OTEL_BSP_MAX_QUEUE_SIZE="64", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="32") as service:
        with httpx.Client() as http:
            answers = [http.post(f"{service.url}/v1/decisions", json=service.request) for _ in range(100)]
        ending = time.monotonic()
    assert {answer.status_code for answer in answers} == {200}
    assert time.monotonic() - ending < 10
    assert lines(service)


def test_a_worker_that_was_killed_serves_no_more_on_the_page_of_all(make_home, start):
    """One worker, so that nobody answers until there is another; its live gauges were left in the folder of all."""
    def releases() -> list[str]:
        return [line for line in httpx.get(f"{service.url}/metrics").text.splitlines() if line.startswith("tally_release{")]

    with start(make_home()) as service:
        worker = wait_for(lambda: [*workers(service)])[0]
        assert len(wait_for(releases)) == 1
        worker.kill()
        wait_for(lambda: answers(f"{service.url}/readyz"))
        assert [str(worker.pid) in line for line in wait_for(releases)] == [False]


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=1).is_success
    return False


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.05)
    return found


def workers(service: Any) -> list[psutil.Process]:
    children = psutil.Process(service.pid).children()
    return [child for child in children if "_bentoml_impl.worker.service" in child.cmdline()]
