"""A real service under several times its load, told to end, and asked fifty times with one key by two workers.

What a refusal costs is held by the workers' processor time, which a shared machine does not take away; the soak holds goodput by the clock.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter

import httpx
import psutil
import pytest
from ledgers import decisions
from loading import Callers, Load, post, run
from overload import PROBES, REFUSED, cost, full, held, peak, port_of

from governance.ledger.book import open_book

FACTOR = 5.0
DEAR = 0.3  # of what an answer costs: a refusal costs less
PLACES = 16
AT_ONCE = 50


@pytest.fixture(scope="module")
def two_workers(make_home, start):
    with start(make_home(), TALLY_WORKERS="2") as service:
        yield service


def test_at_five_times_the_peak_refusals_are_early_and_probes_answer(two_workers):
    most = peak(two_workers, 1.5)
    (above,) = held(two_workers, [(FACTOR, FACTOR * most)], 2.5)
    refused = [one for one in above.load.answers if one.status == 429]
    assert set(above.load.statuses) <= {200, 429}
    assert len(refused) > above.load.statuses[200] > 0
    assert all(1 <= int(one.retry_after) <= 30 for one in refused)
    assert Counter(one.status for one in above.probes).keys() == {200}
    assert len(above.probes) >= len(PROBES)
    page = httpx.get(f"{two_workers.url}/metrics").text
    assert 'tally_requests_shed_total{reason="wait"}' in page


def test_a_refusal_costs_little_of_an_answer(make_home, start):
    with start(make_home(), TALLY_IN_FLIGHT=str(PLACES), TALLY_PATIENCE="60") as service:
        answer = cost(service, 200)
        with full(service, PLACES):
            assert cost(service, REFUSED) <= DEAR * answer


def test_every_answer_under_load_is_recorded_and_no_refusal_is(two_workers):
    recorded = {record.id for record in decisions(two_workers.folder)}
    asked = post(two_workers.request, port_of(two_workers))
    load: Load = run(Callers(port_of(two_workers), lambda _: asked).hold(3_000, 1.0))
    told = [json.loads(one.body)["decision_id"] for one in load.answers if one.status == 200]
    assert {record.id for record in decisions(two_workers.folder)} - recorded == set(told)
    assert len(told) == len(set(told))


def test_fifty_requests_at_once_with_one_key_to_two_workers_are_one_decision(two_workers):
    before = len(decisions(two_workers.folder))
    for number in range(3):
        raw = post(two_workers.request, port_of(two_workers), f"same-{number}")
        load: Load = run(Callers(port_of(two_workers), lambda _, raw=raw: raw).together(AT_ONCE, 0.3))
        told = Counter(one.status for one in load.answers)
        assert told.keys() <= {200, 409, 429}, told
        assert len({one.body for one in load.answers if one.status == 200}) == 1
        assert len(decisions(two_workers.folder)) == before + number + 1


def test_a_service_that_is_told_to_end_is_first_unready_answers_what_is_in_flight_and_records_it(make_home, start):
    """Its clients, as a balancer has them do, ask until they see that it is not ready."""
    answers, unready = [], threading.Event()

    def client() -> None:
        with httpx.Client(base_url=service.url, timeout=30) as http:
            while not unready.is_set():
                answers.append(http.post("/v1/decisions", json=service.request))

    def balancer() -> None:
        while not unready.is_set():
            time.sleep(0.02)
            if httpx.get(f"{service.url}/readyz").status_code == 503:
                unready.set()

    with start(make_home(), TALLY_WORKERS="2", TALLY_DRAIN="1.5") as service:
        clients = [threading.Thread(target=client) for _ in range(8)]
        for each in clients:
            each.start()
        time.sleep(0.5)
        os.kill(service.pid, signal.SIGTERM)
        balancer()
        for each in clients:
            each.join()
        assert psutil.Process(service.pid).wait(30) == 0
    assert unready.is_set()
    assert {answer.status_code for answer in answers} == {200}
    assert any(answer.headers.get("connection") == "close" for answer in answers)
    assert {record.id for record in decisions(service.folder)} == {answer.json()["decision_id"] for answer in answers}
    assert [*open_book(service.folder / "ledger").events()][-1].kind != "answer-unconfirmed"
    assert [*(service.folder / "answers").glob("*.owed")] == []
