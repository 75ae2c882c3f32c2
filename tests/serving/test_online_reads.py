"""Stored features within a worker: which store is asked, who waits for it, what is recorded and counted where it does not answer."""

from __future__ import annotations

import asyncio
import threading
import time

import msgspec
import pytest
from asking import ask, decide, names
from ledgers import recorded
from prometheus_client.parser import text_string_to_metric_families

from feature_repo.contract import APPLICANT_ID, WhenStale
from feature_repo.errors import FeatureError, ServiceError
from feature_repo.portfolios import load
from governance.release import verify
from serving import settings as setting
from serving.app import Api
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.online.reads import THREADS, reads
from serving.openapi import example
from serving.replay import replay

PATIENCE = 0.05
NOISE = 0.5  # of a machine that is shared


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(metrics.page().decode())
    return sum(each.value for family in families for each in family.samples if each.name == name and labels.items() <= each.labels.items())


def test_sqlite_where_nothing_is_set_and_redis_where_an_address_is(harbour, redis_server, tmp_path):
    for address, text in (("", "online.db"), (f"redis://127.0.0.1:{redis_server.port}/11", "empty")):
        found = reads(setting.Settings(portfolio=harbour.name, home=tmp_path, features=address), harbour, Metrics())
        with pytest.raises(FeatureError, match=text):
            asyncio.run(found.probe())
        found.close()


@pytest.mark.parametrize("address", ["s3cret", "http://s3cret:1", "redis://user:s3cret@host:port/0", "redis://h/0?socket_timeout=s3cret"])
def test_an_address_that_is_none_is_an_error_by_name_before_anything_is_served(harbour, tmp_path, address):
    with pytest.raises(ServiceError, match="TALLY_FEATURES") as error:
        Decisions(setting.read({"TALLY_PORTFOLIO": "p", "TALLY_HOME": str(tmp_path), "TALLY_FEATURES": address}), harbour, Metrics())
    assert "s3cret" not in str(error.value)


def test_a_silent_store_holds_up_no_other_request_and_its_threads_are_few(harbour, server, tmp_path):
    found = reads(setting.Settings(portfolio=harbour.name, home=tmp_path, features=server.address), harbour, Metrics())

    async def asked() -> tuple[list[float], float, int]:
        await found.many(["anna"])
        server.stop()
        stalls = []

        async def beat() -> None:
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.001)
                stalls.append(time.perf_counter() - began)

        async def one() -> float:
            began = time.perf_counter()
            assert await found.many(["anna"]) is None
            return time.perf_counter() - began

        beating = asyncio.create_task(beat())
        times = await asyncio.gather(*(one() for _ in range(100)))
        beating.cancel()
        return times, max(stalls), sum(thread.name.startswith("features") for thread in threading.enumerate())

    times, stall, threads = asyncio.run(asked())
    server.go_on()
    assert max(times) < PATIENCE + NOISE
    assert stall < PATIENCE
    assert threads <= THREADS
    found.close()


@pytest.mark.parametrize("state", ["gone", "silent"])
def test_without_its_store_a_service_follows_the_policies_and_the_record_says_why(make_home, server, state):
    home, portfolio = make_home(), load("card_default")
    given = {"TALLY_PORTFOLIO": portfolio.name, "TALLY_HOME": str(home), "TALLY_FEATURES": server.address}
    server.end() if state == "gone" else server.stop()
    decisions = Decisions(setting.read(given), portfolio, Metrics())
    decisions.champions.look()
    api = serving_api(given, decisions)
    answer = decide(api, request(portfolio)).json()
    content = recorded(home / portfolio.name, answer["decision_id"]).content

    assert (answer["outcome"], answer["degraded"]) == ("refer", True)
    assert (content["features"], content["stored"]) == ("unreachable", None)
    assert set(content["doubtful"]) == {column.name for column in portfolio.stored}
    assert replay(content, verify(home / portfolio.name / "releases" / content["release_id"]), portfolio).same
    assert [fault["pointer"] for fault in ask(api, "GET", "/readyz").json()["errors"]] == ["/features"]
    assert sample(decisions.metrics, "tally_feature_reads_total", state="unreachable") == 1
    assert {sample(decisions.metrics, "tally_stored_values_total", column=column.name, state="unreachable")
            for column in portfolio.stored} == {1}
    decisions.close()


def serving_api(given: dict[str, str], decisions: Decisions):
    return Api(setting.read(given), decisions)


def request(portfolio) -> dict:
    return {**example(portfolio), APPLICANT_ID: "good"}


def test_what_was_found_of_each_stored_column_is_counted_and_the_record_says_read(api, request_of, settings, brought):
    for applicant in ("fresh", "doubted", "unknown"):
        decide(api, request_of(applicant))
    answer = decide(api, request_of("silent")).json()
    content = recorded(settings.folder, answer["decision_id"]).content
    metrics = api._decisions.metrics

    def states(column: str) -> dict[str, float]:
        return {state: sample(metrics, "tally_stored_values_total", column=column, state=state)
                for state in ("current", "missing", "stale")}

    assert content["features"] == "read"
    assert [states(name) for name in names(brought, WhenStale.REFER)] == [{"current": 2, "missing": 1, "stale": 1}] * len(
        names(brought, WhenStale.REFER))
    assert [states(name) for name in names(brought, WhenStale.REQUEST)] == [{"current": 2, "missing": 2, "stale": 0}]
    assert sample(metrics, "tally_feature_reads_total", state="read") == 4


def test_a_batch_asks_the_store_once(api, request_of, monkeypatch):
    asked = []
    many = api._decisions._features._store.read_many
    monkeypatch.setattr(api._decisions._features._store, "read_many", lambda people: (asked.append(list(people)), many(people))[1])
    ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh"), request_of("doubted")] * 3})

    assert asked == [["fresh", "doubted"] * 3]


def test_a_decision_of_before_this_field_is_replayed_as_ever(api, request_of, settings, brought, home):
    answer = decide(api, request_of("fresh")).json()
    content = {name: value for name, value in recorded(settings.folder, answer["decision_id"]).content.items() if name != "features"}

    release = verify(settings.folder / "releases" / content["release_id"])
    assert replay(msgspec.json.decode(msgspec.json.encode(content)), release, brought).same
