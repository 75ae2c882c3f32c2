"""Guarantees of the questions over events: every event told in order, what is void marked, a moment answered by what the record shows."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import (
    BEGAN,
    FAILED,
    PASSED,
    Book,
    approved,
    asked,
    back,
    by,
    people,
    placed,
    promoted,
    registered,
    retired,
    sign,
    unsigned,
    waived,
)

from governance import events, history
from governance.events import Actor
from governance.ledger.entries import Entry, recorded

PEOPLE = people()
DATA = {"data/loans/ingest": "0123"}


def validated(data=None) -> events.DataValidated:
    return events.DataValidated(by=unsigned("validate"), at="", suite="s" * 64, success=True, checks=40, warnings=1, data=data or DATA)


def swapped(worker: str, release_id: str, replaces: str = "") -> events.ReleaseSwapped:
    return events.ReleaseSwapped(by=unsigned(worker), at="", worker=worker, release_id=release_id, version="1", replaces=replaces)


def refused(worker: str, release_id: str) -> events.ReleaseRefused:
    return events.ReleaseRefused(by=unsigned(worker), at="", who=worker, release_id=release_id, why="its golden answers differ")


def let_serve(book: Book, request: str, release_id: str, gates=PASSED) -> datetime:
    """Ask, approve, promote, place; the moment it was promoted."""
    book.say([asked(request, release_id, by("olga"), gates), approved(request, release_id, by("anna"))])
    if gates is FAILED:
        book.say([waived(request, release_id, by("otto"), book.at + timedelta(days=30))])
    book.say([promoted(request, release_id, unsigned(), gates)])
    since = book.at
    book.put(placed(release_id), request)
    return since


@pytest.fixture
def book() -> Book:
    """Releases A and B registered, A promoted and served by two workers; ten minutes later B promoted, and one worker has followed."""
    book = Book()
    book.put(validated(), "v")
    book.say([msgspec.structs.replace(registered("A"), data=DATA), registered("B", version="2")])
    let_serve(book, "r1", "A")
    for worker in ("w1", "w2"):
        book.put(swapped(worker, "A"), f"{worker}:A")
    book.at += timedelta(minutes=10)
    let_serve(book, "r2", "B", FAILED)
    book.put(swapped("w1", "B", "A"), "w1:B")
    return book


def ask(book: Book, at: datetime | None = None) -> history.Moment:
    return history.in_production(book.records, PEOPLE, at or book.at)


def test_history_tells_every_event_in_order_with_who_how_and_why(book):
    told = list(history.lines(book.records, PEOPLE))
    assert [line.entry for line in told] == [record.id for record in book.records]
    assert [line.at for line in told] == sorted(line.at for line in told)
    assert all(line.what and line.who and not line.ignored for line in told)
    request = next(line for line in told if line.kind == "promotion-requested")
    assert request.who == "olga (own key)"
    assert '"better"' in request.what
    assert "A" in request.what


def test_history_marks_what_the_rules_ignored_and_what_cannot_be_read(book):
    book.say([approved("r2", "B", by("ada"))])  # the author
    broken = recorded(Entry("gate-waived", "gate-waived:x", b"{}"), "2024-01", 99, book.at.isoformat(), bytes(32))
    told = list(history.lines([*book.records, broken], PEOPLE))
    assert [bool(line.ignored) for line in told] == [False] * (len(told) - 2) + [True, True]
    assert "role" in told[-2].ignored
    assert "cannot be read" in told[-1].what


def test_every_kind_of_event_has_a_sentence():
    from governance.sentences import TOLD

    assert set(TOLD) == set(events.KINDS.values())


def test_a_token_the_mlflow_ui_and_a_demonstration_are_told_apart():
    from governance.sentences import who

    assert who(Actor("olga", "token", key="dora")) == "olga (token, vouched for by dora)"
    assert who(Actor("unknown", "mlflow")) == "unknown (MLflow UI, which names nobody)"
    assert who(Actor("eve", "key", demo=True)) == "eve (own key, demo)"


def test_before_the_first_promotion_nothing_was_in_production(book):
    found = ask(book, BEGAN + timedelta(days=1, seconds=3))
    assert found.serving is None
    assert found.workers == ()


def test_between_two_promotions_the_first_served_and_everybody_behind_it_is_named(book):
    found = ask(book, BEGAN + timedelta(days=1, minutes=5))
    assert found.serving.promotion.release_id == "A"
    assert {worker.name for worker in found.served["A"]} == {"w1", "w2"}
    assert found.behind.registered.author == "ada"
    assert found.behind.validated.checks == 40
    assert found.behind.request.people == ("olga", "anna")
    assert found.behind.request.by.reason == "better"
    assert [gate.gate for gate in found.behind.request.gates] == ["gini"]


def test_the_moment_of_promotion_belongs_to_what_was_promoted_and_the_one_before_it_does_not(book):
    since = ask(book).serving.promotion.since
    assert ask(book, since).serving.promotion.release_id == "B"
    assert ask(book, since - timedelta(microseconds=1)).serving.promotion.release_id == "A"


def test_during_a_swap_workers_that_serve_different_releases_are_all_named(book):
    found = ask(book)
    assert found.serving.promotion.release_id == "B"
    assert {one: [worker.name for worker in workers] for one, workers in found.served.items()} == {"B": ["w1"], "A": ["w2"]}
    assert [waiver.gate for waiver in found.behind.request.waivers] == ["fairness"]
    assert found.behind.validated is None  # no data of B was validated in this record


def test_a_worker_that_never_followed_has_ended_and_one_that_refused_serves_on(book):
    later = book.at + timedelta(minutes=5)
    assert set(ask(book, later).served) == {"B"}
    book.put(refused("w2", "B"), "w2")
    found = ask(book, later)
    assert found.served["A"][0].refused == "its golden answers differ"


def test_after_a_rollback_what_served_before_serves_again(book):
    book.say([back("A", by("olga"))])
    found = ask(book)
    assert found.serving.promotion.back
    assert found.serving.promotion.by.name == "olga"
    assert found.behind.request.id == "r1"


def test_a_lapsed_waiver_lets_the_earlier_release_serve(book):
    assert ask(book, book.at + timedelta(days=31)).serving.promotion.release_id == "A"


def test_an_event_of_later_changes_no_earlier_answer(book):
    at = BEGAN + timedelta(days=1, minutes=5)
    before = ask(book, at)
    book.say([retired("A", by("olga")), back("A", by("olga"))])
    assert ask(book, at) == before


def test_what_concerns_a_release_is_found_and_nothing_else(book):
    kinds = [record.kind for record, _ in history.concerning(book.records, "A")]
    assert kinds[:3] == ["data-validated", "release-registered", "promotion-requested"]
    assert not any(event.release_id == "B" and event.replaces != "A" for _, event in history.concerning(book.records, "A")
                   if isinstance(event, events.ReleaseSwapped))


def test_who_erased_an_entry_is_found(book):
    book.say([])
    book.put(events.PersonErased(by=by("olga"), at="", entries=("decision-1",), reason="Art. 17"), "p1")
    assert history.erased(book.records, "decision-1")[1].reason == "Art. 17"
    assert history.erased(book.records, "decision-2") is None


def test_moments_are_compared_whatever_their_zone(book):
    at = BEGAN + timedelta(days=1, minutes=5)
    assert ask(book, at.astimezone(UTC)).serving == ask(book, datetime.fromisoformat("2024-01-02T02:05:00+02:00")).serving


def test_a_release_made_again_from_a_commit_is_that_commits_and_no_word_but_its_authors_counts():
    book = Book()
    dirty = msgspec.structs.replace(registered("A"), dirty=True, commit="first")
    book.say([dirty])
    assert history.registrations(book.records, PEOPLE)["A"].commit == "first"
    for name, commit in (("ada", "second"), ("abel", "another author's")):
        again = sign(msgspec.structs.replace(registered("A", name), commit=commit, at=book.at.isoformat()))
        book.put(again, f"A:{commit}")
    book.put(sign(msgspec.structs.replace(registered("A"), commit="forged"), using="anna"), "A:forged")
    book.put(msgspec.structs.replace(registered("A", ""), by=unsigned("register"), commit="nobody's"), "A:nobody")
    assert history.registrations(book.records, PEOPLE)["A"].commit == "second"
