"""What workers count while they decide is, added up, what the record holds, to the last decision; and no decision depends on it."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from pathlib import Path
from threading import Event

import httpx
import pytest
from borrowers import brought, write_params

from feature_repo.contract import NO_TIME
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry, canonical
from governance.ledger.writer import Ledger
from governance.release import verify
from monitoring import counting as windows
from monitoring.calendar import Grain
from monitoring.counting import Asked, Counted
from monitoring.exporting import Windows, export
from serving.app import Api
from serving.counting import Counting
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.scoring.bins import Bins
from serving.settings import Settings
from tally import drifting
from tally.checkout import Checkout
from tally.drifting import counted, kept

AT = NO_TIME + timedelta(days=1)


@pytest.fixture
def home(mill_home, tmp_path) -> Path:
    """The mill's home with a record of the test's own."""
    own = tmp_path / "mill"
    own.mkdir()
    for shared in (mill_home / "mill").iterdir():
        if shared.name != "counts":
            (own / shared.name).symlink_to(shared)
    (own / "ledger").unlink()
    (own / "ledger").mkdir()
    for month in (mill_home / "mill" / "ledger").iterdir():
        (own / "ledger" / month.name).write_bytes(month.read_bytes())
    (tmp_path / "signers.yaml").write_bytes((mill_home / "signers.yaml").read_bytes())
    return tmp_path


@pytest.fixture
def worker(mill, home):
    """Makes a worker of the home; each is closed as a service that ends closes it."""
    made = []

    def make(**settings) -> Api:
        with brought():
            given = Settings(portfolio="mill", home=home, business_time=AT, deadline=60.0, patience=30.0, **settings)
            made.append(Decisions(given, mill, Metrics()))
            made[-1].champions.look()
            return Api(given, made[-1])

    yield make
    for each in made:
        each.close()


def post(api, bodies, key=None):
    async def send():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
            headers = {"Idempotency-Key": key} if key else {}
            return [(await client.post("/v1/decisions:batch", json={"decisions": body}, headers=headers)).status_code for body in bodies]
    return set(asyncio.run(send()))


@pytest.fixture
def asked(mill, mill_model):
    release = verify(mill_model.release)
    return Asked(mill, release.read("bins.json", dict[str, Bins]), release.id)


def exported(home, mill, asked) -> Counted:
    """The counts of the record's rows, as `tally export` writes them."""
    folder = Windows(home / "windows", Grain.MONTH)
    return windows.stream([one.path for one in export(open_book(home / "mill" / "ledger"), mill, folder)], asked)


def live(home, asked, hour="") -> Counted:
    files = kept(home / "mill" / "counts" / hour, asked.release_id)
    return reduce(windows.add, (counted(file, asked) for file in files), Counted(asked.release_id, {}))


def test_live_counts_of_all_workers_are_those_of_the_records_rows(home, mill, worker, requests, asked):
    """Values that are missing, levels nobody knows and answers given again are among them."""
    two = [worker(), worker()]
    assert post(two[0], [requests[:40], requests[10:50]]) == {200}
    assert post(two[1], [requests[20:60], requests[:1]], key="once") == {200, 422}
    assert post(two[0], [requests[20:60]], key="once") == {200}  # answered from the record of the other
    for api in two:
        api._decisions.close()
    assert exported(home, mill, asked).rows == 120
    assert live(home, asked) == live(home, asked, f"{AT:%Y-%m-%dT%H}") == exported(home, mill, asked)


def test_a_folder_of_counts_is_judged_as_a_window_is(home, mill, worker, requests, monkeypatch):
    api = worker()
    post(api, [requests])
    api._decisions.close()
    write_params(home / "params.yaml", {"drift": {"minimum": 50}})
    monkeypatch.chdir(home)
    release = str(home / "mill" / "releases" / api._decisions.serving())
    told = drifting.judge((home / "mill" / "counts",), release, None, Checkout(mill, home))
    assert f"Looked at: {len(requests)} decisions" in told


@pytest.fixture
def recorder(home):
    ledger = Ledger(open_book(home / "mill" / "ledger"))
    yield ledger
    ledger.close()


def said(release_id, values, at=AT):
    return {"decision_id": "d", "release_id": release_id, "decided_at": at.isoformat(), "pd": 0.1, "score": 600, "band": "A",
            "outcome": "approve", "values": values}


def test_what_was_recorded_counts_whoever_waited_and_what_was_not_does_not(home, mill, recorder, asked):
    counting = Counting(home / "mill", mill, "w")
    values = {column.name: None for column in mill.inputs}
    nobody_waits = recorder.append([Entry(DECISION, "d", canonical(said(asked.release_id, values)))])
    told = Event()
    nobody_waits.add_done_callback(lambda done: (counting.recorded("d", done), told.set()))
    assert told.wait(10)
    refused, given_up = Future(), Future()
    refused.set_exception(OSError())
    given_up.cancel()
    for done, first in ((refused, "d"), (given_up, "d"), (nobody_waits, "another")):
        counting.recorded(first, done)
    counting.close()
    assert live(home, asked).rows == 1


def test_a_disk_that_cannot_be_written_and_a_record_that_cannot_be_read_stop_no_decision_and_are_said_once(
        home, worker, requests, caplog, asked):
    (home / "mill" / "counts").write_text("no folder")
    api = worker()
    with caplog.at_level(logging.ERROR):
        assert post(api, [requests[:3], requests[3:6]]) == {200}
        api._decisions.close()
        broken = Counting(home / "mill", api._decisions.portfolio, "w")
        broken._count([recorded_of(api)] * 2)
    lines = [line for line in caplog.messages if line.startswith("live counts: ")]
    assert len(lines) == 2
    assert not any(requests[0]["applicant_id"] in line for line in lines)


def recorded_of(api):
    record, *_ = api._decisions._book.records({DECISION})
    return replace(record, body=b"{}")
