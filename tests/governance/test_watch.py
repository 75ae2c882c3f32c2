"""Guarantees of what the watch decides: an alias is a wish, a lagging alias is nobody's wish, and nothing is done twice."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import FAILED, Book, approved, asked, back, by, people, placed, promoted, registered, rejected, retired, unsigned, waived

from governance import events
from governance.aliases import Named
from governance.events import UNKNOWN, Actor
from governance.promotion import standing
from governance.standing import Standing
from governance.watch import Ask, Let, Promote, Say, reconcile, to_place

PEOPLE = people()
MLFLOW = Actor(UNKNOWN, "mlflow")
A, B, C = Named("1", "A"), Named("2", "B"), Named("3", "C")


def book_of(*said: object) -> Book:
    book = Book()
    book.say([registered("A"), registered("B", version="2"), registered("C", version="3"), *said])
    return book


def known(book: Book) -> Standing:
    return standing(book.records, PEOPLE, book.at)


def serving(request: str, release: str, version: str = "1") -> list[object]:
    return [asked(request, release, by("olga"), version=version), approved(request, release, by("anna")),
            promoted(request, release, unsigned(), version=version)]


def steps(book: Book, named: Named | None, *, put_back: bool = False) -> list[str]:
    return [type(step).__name__ for step in reconcile(known(book), named, put_back=put_back)]


def turn(book: Book, named: Named, *, put_back: bool = False) -> list[str]:
    """What is to be done, and what of it the record then holds."""
    found = reconcile(known(book), named, put_back=put_back)
    for step in found:
        if isinstance(step, Say):
            book.put(seen(step.named, approved=step.approved), step.unique)
        if isinstance(step, Ask):
            book.say([asked(step.request_id, step.named.release_id, MLFLOW, version=step.named.version)])
    return [type(step).__name__ for step in found]


def seen(named: Named, *, approved: bool) -> events.Event:
    return events.AliasSeen(by=unsigned(), at="", alias="champion", version=named.version, release_id=named.release_id, instead_of="",
                            approved=approved)


def test_where_nothing_ever_served_and_no_alias_is_set_there_is_nothing_to_do():
    assert steps(book_of(), None) == []


def test_an_alias_that_nobody_approved_is_said_and_asked_for_once():
    book = book_of(*serving("r1", "A"))
    turn(book, A)
    assert turn(book, B) == ["Ask", "Say"]
    assert turn(book, B) == []
    assert [(one.by.name, one.release_id) for one in known(book).waiting("B")] == [(UNKNOWN, "B")]


def test_put_back_where_that_is_configured_again_and_again():
    book = book_of(*serving("r1", "A"))
    turn(book, A)
    assert turn(book, B, put_back=True) == ["Ask", "Say", "Let"]
    assert turn(book, A, put_back=True) == ["Say"]
    assert turn(book, B, put_back=True) == ["Say", "Let"]
    assert turn(book, B, put_back=True) == ["Let"]


def test_with_an_approved_request_the_alias_promotes_it():
    book = book_of(*serving("r1", "A"), asked("r2", "B", by("olga"), version="2"), approved("r2", "B", by("anna")))
    (step,) = reconcile(known(book), B, put_back=True)
    assert isinstance(step, Promote)
    assert step.request.id == "r2"


@pytest.mark.parametrize("named", [Named("9", ""), Named("9", "Z")])
def test_a_version_the_record_does_not_know_is_said_and_cannot_be_asked_for(named):
    book = book_of(*serving("r1", "A"))
    turn(book, A)
    assert turn(book, named) == ["Say"]


def test_a_retired_release_is_not_asked_for_again():
    book = book_of(*serving("r1", "A"), retired("B", by("olga")))
    turn(book, A)
    assert turn(book, B) == ["Say"]


def test_a_request_that_was_rejected_is_opened_anew_only_when_the_alias_moves_anew():
    book = book_of(*serving("r1", "A"))
    turn(book, A)
    turn(book, B)
    (request,) = known(book).waiting("B")
    book.say([rejected(request.id, "B", by("anna"))])
    assert turn(book, B) == []
    assert turn(book, A) == ["Say"]
    assert turn(book, B) == ["Ask", "Say"]
    assert [one.id == request.id for one in known(book).waiting("B")] == [False]


def test_an_alias_in_line_is_said_once_for_every_move():
    book = book_of(*serving("r1", "A"))
    assert turn(book, A) == ["Say"]
    assert turn(book, A) == []
    book.say(serving("r2", "B", "2"))
    assert turn(book, B) == ["Say"]


def test_after_a_rollback_the_alias_is_brought_in_line_and_opens_no_request():
    book = book_of(*serving("r1", "A"), *serving("r2", "B", "2"))
    turn(book, B)
    book.say([msgspec.structs.replace(back("A", by("olga")), replaces="B")])
    assert steps(book, B) == ["Let"]
    assert turn(book, A) == ["Say"]
    assert turn(book, B) == ["Ask", "Say"]  # now somebody wants it again


def test_after_a_waiver_lapsed_the_alias_is_brought_in_line_and_opens_no_request():
    book = book_of(*serving("r1", "A"), asked("r2", "B", by("olga"), FAILED, "2"), approved("r2", "B", by("anna")))
    book.say([waived("r2", "B", by("anna"), book.at + timedelta(days=1)), promoted("r2", "B", unsigned(), FAILED, "2")])
    turn(book, B)
    book.put(placed("B"), "B:1")
    book.at += timedelta(days=2)
    assert steps(book, B) == ["Let"]
    step = to_place(known(book), "B")
    assert (step.promotion.release_id, step.cause) == ("A", "a waiver lapsed")


def test_an_alias_that_names_nothing_is_given_what_serves():
    book = book_of(*serving("r1", "A"))
    (step,) = reconcile(known(book), None, put_back=False)
    assert isinstance(step, Let)
    assert step.version == "1"


def test_what_serves_is_placed_once_and_again_after_every_promotion():
    book = book_of(*serving("r1", "A"))
    assert to_place(known(book), "").cause == "promoted"
    book.put(placed("A"), "A:1")
    assert to_place(known(book), "A") is None
    assert to_place(known(book), "B").promotion.release_id == "A"  # somebody else wrote the pointer
    book.say(serving("r2", "B", "2"))
    assert to_place(known(book), "A").promotion.release_id == "B"
    book.put(placed("B"), "B:1")
    book.say([back("A", by("olga"))])
    assert to_place(known(book), "B").cause == "rolled back"


def test_two_watches_come_to_the_same_ids():
    book = book_of(*serving("r1", "A"))
    turn(book, A)
    assert reconcile(known(book), B, put_back=False) == reconcile(known(book), B, put_back=False)
