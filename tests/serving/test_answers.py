"""No record without an answer or an abort mark: a killed worker, a client that had gone, a wait given up, a power cut."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from asking import NOW, ask, decide
from killed_worker import MOMENTS, killed
from ledgers import decisions, hold
from uuid6 import uuid7

from governance import events
from governance.ledger import writer
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import Ledger
from serving import answers, owed
from serving.answers import Answers, settle
from serving.settings import Settings

MARK = "answer-unconfirmed"

@pytest.fixture
def place(tmp_path):
    """Of a portfolio, with a ledger and nothing else."""
    folder = tmp_path / "card_default"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(place):
    ledger = Ledger(open_book(place / "ledger"))
    yield ledger
    ledger.close()


def marked(place: Path) -> list[str]:
    """The decisions with an abort mark, by the record."""
    return [event.decision_id for record, event in events.every(open_book(place / "ledger").events()) if record.kind == MARK]


def decided(place: Path) -> list[str]:
    return [record.id for record in decisions(place)]


def files(place: Path) -> list[Path]:
    return [*(place / "answers").glob(f"*{owed.SUFFIX}")]


@pytest.mark.parametrize("moment", MOMENTS)
def test_of_a_killed_worker_exactly_what_is_recorded_and_was_not_answered_is_marked(place, ledger, moment):
    ids = killed(place, moment)
    expected = ids if moment == "before the answer" else []
    assert settle(place / "answers", ledger) == len(expected)
    assert sorted(marked(place)) == sorted(expected)
    assert files(place) == []


def test_settling_twice_or_by_many_at_once_gives_one_mark_a_decision(place, ledger):
    expected = [one for _ in range(3) for one in killed(place, "before the answer")]
    threads = [threading.Thread(target=settle, args=(place / "answers", ledger)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert settle(place / "answers", ledger) == 0
    assert sorted(marked(place)) == sorted(expected)


def test_what_a_living_worker_owes_is_not_settled_by_others(place, ledger):
    answers = Answers(place / "answers", ledger, 4)
    one = str(uuid7())
    answers.begin([one])
    ledger.append([Entry(DECISION, one, b"{}")]).result()
    assert settle(place / "answers", ledger) == 0
    assert len(files(place)) == 1
    answers.close()
    assert (marked(place), files(place)) == ([one], [])


def test_after_a_power_cut_every_decision_since_the_last_sync_is_marked_and_none_before(place, monkeypatch):
    now = datetime.now(UTC)
    moments = {"long before": timedelta(minutes=-1), "since": timedelta(seconds=1), "later": timedelta(seconds=20),
               "afterwards": timedelta(hours=1)}
    ids = {name: str(uuid7()) for name in moments}
    Answers(place / "answers", Ledger(open_book(place / "ledger")), 4).open().close(keep=True)
    clock = [now]
    ledger = Ledger(open_book(place / "ledger"), lambda: clock[0])
    for name, moment in moments.items():
        clock[0] = now + moment
        ledger.append([Entry(DECISION, ids[name], b"{}")]).result()
    (place / "boot").write_text("the machine was started again")
    monkeypatch.setattr(owed, "BOOT", place / "boot")
    assert settle(place / "answers", ledger) == 2
    assert marked(place) == [ids["since"], ids["later"]]
    ledger.close()


def test_where_the_record_cannot_be_written_what_is_owed_is_left_and_settled_later(place, monkeypatch):
    monkeypatch.setattr(answers, "PATIENCE", 0.2)
    ids = killed(place, "before the answer")
    ledger = Ledger(open_book(place / "ledger"))
    with hold(open_book(place / "ledger")), pytest.raises(answers.LedgerError, match="did not answer"):
        settle(place / "answers", ledger)
    assert len(files(place)) == 1
    assert settle(place / "answers", ledger) in {0, 3}
    assert sorted(marked(place)) == sorted(ids)
    ledger.close()


@pytest.fixture
def quick(monkeypatch):
    """What was lost is marked at once."""
    monkeypatch.setattr(answers, "EVERY", 0.05)


def wait_for(condition) -> None:
    for _ in range(100):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not within 5 seconds")


def test_an_answer_that_left_owes_nothing_a_batch_neither(api, request_of, settings):
    assert decide(api, request_of("fresh")).status_code == 200
    batch = ask(api, "POST", "/v1/decisions:batch", json={"decisions": [request_of("fresh") for _ in range(5)]})
    assert batch.status_code == 200
    assert api._decisions.answers.open().ids() == ()
    api._decisions.close()
    assert (len(decided(settings.folder)), marked(settings.folder), files(settings.folder)) == (6, [], [])


def scope_of(path: str) -> dict:
    return {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [
        (b"content-type", b"application/json"), (b"idempotency-key", b"k")]}


def ask_and_leave(api, body: bytes, *, at: str) -> None:
    """A client that leaves: at once, before its answer is sent, or while it is."""
    told = [{"type": "http.request", "body": body}]

    async def receive():
        left = at == "at once" or (at == "before" and api._decisions.answers.open().ids())
        return told.pop() if told else {"type": "http.disconnect"} if left else await asyncio.Event().wait()

    async def send(message):
        if at == "while" and message["type"] == "http.response.body":
            raise OSError("the client has gone")

    async def asking():
        await api(scope_of("/v1/decisions"), receive, send)

    asyncio.run(asking())


@pytest.mark.parametrize("at", ["before", "while"])
def test_a_client_that_has_gone_leaves_a_mark_and_its_key_still_tells_the_decision(api, request_of, settings, quick, at):
    with pytest.raises(RuntimeError) if at == "while" else nullcontext():
        ask_and_leave(api, msgspec.json.encode(request_of("fresh")), at=at)
    wait_for(lambda: marked(settings.folder))
    again = decide(api, request_of("fresh"), Idempotency_Key="k").json()
    assert marked(settings.folder) == decided(settings.folder) == [again["decision_id"]]
    assert api._decisions.answers.open().ids() == ()


def test_for_a_client_that_has_gone_already_nothing_is_decided(api, request_of, settings):
    ask_and_leave(api, msgspec.json.encode(request_of("fresh")), at="at once")
    page = ask(api, "GET", "/metrics").text
    assert decided(settings.folder) == []
    assert 'tally_requests_shed_total{reason="gone"} 1.0' in page
    assert 'tally_step_seconds_count{step="score"}' not in page


def test_after_its_deadline_nothing_is_decided(settings, make_api, request_of):
    refused = decide(make_api(msgspec.structs.replace(settings, deadline=1e-6)), request_of("fresh"))
    assert (refused.status_code, refused.json()["type"], refused.headers["retry-after"]) == (503, "/docs#too-late", "1")
    assert decided(settings.folder) == []


def test_a_record_that_came_after_the_wait_was_given_up_is_marked(settings, make_api, request_of, quick, monkeypatch):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=1.0))
    decide(api, request_of("fresh"))
    commit, put = threading.Event(), writer.place
    monkeypatch.setattr(writer, "place", lambda *given: (commit.wait(60), put(*given))[1])
    assert decide(api, request_of("fresh"), Idempotency_Key="k").status_code == 503
    commit.set()
    wait_for(lambda: marked(settings.folder))
    assert marked(settings.folder) == decided(settings.folder)[1:]


def test_what_was_not_recorded_is_not_marked(settings, make_api, request_of, quick):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, patience=1.0))
    decide(api, request_of("fresh"))
    with hold(open_book(settings.folder / "ledger")):
        assert decide(api, request_of("fresh")).status_code == 503
    wait_for(lambda: api._decisions.answers.open().ids() == ())
    assert (len(decided(settings.folder)), marked(settings.folder)) == (1, [])


def test_where_too_many_are_on_their_way_a_decision_is_refused_before_it_is_recorded(settings, make_api, request_of):
    api = make_api(Settings(portfolio=settings.portfolio, home=settings.home, business_time=NOW, in_flight=1, batch_size=1))
    api._decisions.answers.begin([str(uuid7())])
    refused = decide(api, request_of("fresh"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert decided(settings.folder) == []


def test_without_a_file_for_what_is_owed_nothing_is_decided_and_the_service_says_not_ready(settings, make_api, request_of):
    (settings.folder / "answers").write_text("not a folder")
    api = make_api(settings)
    refused, ready = decide(api, request_of("fresh")), ask(api, "GET", "/readyz")
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert str(settings.home) not in refused.text
    assert decided(settings.folder) == []


def test_a_worker_that_starts_marks_what_killed_ones_owed(settings, make_api):
    ids = killed(settings.folder, "before the answer")
    asyncio.run(make_api(settings)._decisions.open())
    assert sorted(marked(settings.folder)) == sorted(ids)
    assert os.getpid() not in {int(path.stem.split("-")[0]) for path in files(settings.folder)}
