"""Guarantees of the fold: two people, neither of them the author; no failed gate; one approval, one promotion; a forgery is nothing."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import (
    FAILED,
    PASSED,
    Book,
    approved,
    asked,
    back,
    by,
    checked,
    people,
    placed,
    promoted,
    registered,
    rejected,
    retired,
    sign,
    unsigned,
    waived,
)
from folded import MLFLOW, PEOPLE, known

from governance.events import UNKNOWN, Actor
from governance.rules import LONGEST_WAIVER, forbidden


def book_of(*said: object) -> Book:
    book = Book()
    book.say([registered("A"), registered("B", version="2"), *said])
    return book


def serves(book: Book) -> str | None:
    found = known(book).serving()
    return found.promotion.release_id if found else None


def promotion(request: str, release: str, version: str = "1", gates=(PASSED, PASSED)) -> list[object]:
    """A release let serve as it should be. gates: as found when it was asked for and when it was promoted."""
    first, again = gates
    return [asked(request, release, by("olga"), first, version), approved(request, release, by("anna")),
            promoted(request, release, unsigned(), again, version)]


def why(book: Book) -> list[str]:
    return [one.why for one in known(book).ignored]


def test_one_who_asked_and_one_who_agreed_let_a_release_serve():
    book = book_of(*promotion("r1", "A"))
    found = known(book)
    assert serves(book) == "A"
    assert found.requests["r1"].people == ("olga", "anna")
    assert found.ignored == []


@pytest.mark.parametrize("nobody", [MLFLOW, Actor(UNKNOWN, "process")], ids=["the MLflow UI", "a schedule"])
def test_a_request_in_nobodys_name_needs_two_named_people(nobody):
    book = book_of(asked("r1", "A", nobody), approved("r1", "A", by("anna")), promoted("r1", "A", unsigned()))
    assert serves(book) is None
    book.say([approved("r1", "A", by("otto"))])
    book.put(msgspec.structs.replace(promoted("r1", "A", unsigned()), at=book.at.isoformat()))
    assert serves(book) == "A"


@pytest.mark.parametrize(("said", "because"), [
    ([asked("r1", "A", by("anna"))], "role owner"),
    ([asked("r1", "C", by("olga"))], "not in the record"),
    ([asked("r1", "A", by("olga"), ())], "no gate was evaluated"),
    ([asked("r1", "A", by("olga")), asked("r2", "A", by("olga"))], "open request"),
    ([asked("r1", "A", Actor("retrain", "process"))], "needs a person"),
    ([asked("r1", "A", by("otto")), approved("r1", "A", by("otto"))], "somebody else must agree"),
    ([asked("r1", "A", by("olga")), approved("r1", "A", by("olga"))], "role approver"),
    ([asked("r1", "A", by("olga")), approved("r1", "A", by("ada"))], "role approver"),
    ([registered("D", "abel"), asked("r1", "D", by("olga")), approved("r1", "D", by("abel"))], "made this release"),
    ([asked("r1", "A", MLFLOW), approved("r1", "A", by("anna")), approved("r1", "A", by("anna"))], "approved request r1 already"),
    ([asked("r1", "A", by("olga")), approved("r1", "B", by("anna"))], "is for release A"),
    ([asked("r1", "A", by("olga")), rejected("r1", "A", by("anna")), approved("r1", "A", by("otto"))], "is rejected"),
    ([asked("r1", "A", by("olga")), promoted("r1", "A", unsigned())], "needs 1 more"),
    ([*promotion("r1", "A"), promoted("r1", "A", by("olga"))], "one approval is one promotion"),
    ([*promotion("r1", "A", gates=(FAILED, FAILED))], "not waived: fairness"),
    ([*promotion("r1", "A", gates=(FAILED, PASSED))], "again: fairness"),
    ([*promotion("r1", "A", gates=(PASSED, FAILED))], "not waived: fairness"),
    ([asked("r1", "A", by("otto"), FAILED), waived("r1", "A", by("otto"), Book().at + timedelta(9))], "somebody else must agree"),
    ([asked("r1", "A", by("olga"), FAILED), waived("r1", "A", by("anna"), Book().at + 2 * LONGEST_WAIVER)], "within 366 days"),
    ([asked("r1", "A", by("olga"), FAILED), waived("r1", "A", by("anna"), Book().at - timedelta(9))], "ends after now"),
    ([asked("r1", "A", by("olga"), FAILED), waived("r1", "A", by("anna"), Book().at + timedelta(9), "x")], "there is no gate x"),
    ([retired("A", by("olga")), asked("r1", "A", by("olga"))], "is retired"),
    ([*promotion("r1", "A"), retired("A", by("olga"))], "serves; first: tally rollback"),
    ([*promotion("r1", "A"), back("A", by("olga"))], "not one that served before"),
    ([*promotion("r1", "A"), back("B", by("olga"))], "not one that served before"),
    ([*promotion("r1", "A"), *promotion("r2", "B", "2"), back("A", by("anna"))], "role owner"),
])
def test_what_the_rules_do_not_allow_is_ignored_and_says_why(said, because):
    (found,) = why(book_of(*said))
    assert because in found


def test_what_the_fold_ignores_is_refused_to_the_person_before_it_is_appended():
    book = book_of(asked("r1", "A", by("otto")))
    assert "somebody else must agree" in forbidden(approved("r1", "A", by("otto")), known(book), PEOPLE, book.at)
    assert forbidden(approved("r1", "A", by("anna")), known(book), PEOPLE, book.at) == ""


def test_who_made_a_release_may_not_ask_for_it_either():
    book = book_of(registered("D", "abel"))
    both = people()
    entries = [msgspec.structs.replace(one, roles=("owner", "author")) if one.name == "abel" else one for one in both]
    refused = forbidden(asked("r1", "D", by("abel")), known(book), type(both)(entries), book.at)
    assert "made this release; somebody else must ask" in refused


@pytest.mark.parametrize("forge", [
    lambda event: event,  # no signature at all
    lambda event: sign(event, using="ada"),
    lambda event: msgspec.structs.replace(sign(msgspec.structs.replace(event, reason="another")), reason=event.reason),
])
def test_an_approval_that_its_person_did_not_sign_is_nothing(forge):
    book = book_of(asked("r1", "A", by("olga")))
    book.put(forge(approved("r1", "A", by("anna"))))
    book.say([promoted("r1", "A", unsigned())])
    assert serves(book) is None
    assert len(known(book).ignored) == 2


def test_an_entry_that_cannot_be_read_is_listed_and_changes_nothing():
    book = book_of(*promotion("r1", "A"))
    whole = book.records[-1]
    for broken in ({"body": b"{"}, {"body": b""}, {"recorded_at": "yesterday"}):
        book.records.append(type(whole)(**{**{name: getattr(whole, name) for name in whole.__dataclass_fields__}, **broken}))
    assert serves(book) == "A"
    assert why(book) == ["it cannot be read as what it claims to be"] * 3


def test_a_copy_of_a_rollback_put_in_again_is_nothing():
    book = book_of(*promotion("r1", "A"), *promotion("r2", "B", "2"), back("A", by("olga")))
    copied = book.records[-1]
    book.say(promotion("r3", "B", "2"))
    again = type(copied)(**{**{name: getattr(copied, name) for name in copied.__dataclass_fields__},
                            "recorded_at": (book.at + timedelta(seconds=1)).isoformat()})
    book.records.append(again)
    assert serves(book) == "B"
    assert why(book) == ["it was said before"]


def test_a_rollback_kept_back_and_put_in_later_is_nothing():
    book = book_of(*promotion("r1", "A"), *promotion("r2", "B", "2"))
    kept = sign(msgspec.structs.replace(back("A", by("olga")), at=book.at.isoformat()))
    book.at += timedelta(hours=1)
    book.put(kept)
    assert serves(book) == "B"


def test_an_entry_under_another_id_than_its_content_gives_is_nothing():
    book = book_of(asked("r1", "A", by("olga")))
    book.put(sign(approved("r1", "A", by("anna"))), "r1:anna-2")
    assert why(book) == ["its id is not that of its content"]


def test_a_waiver_lapses_and_the_newest_earlier_promotion_that_holds_serves():
    book = book_of(*promotion("r1", "A"), asked("r2", "B", by("olga"), FAILED, "2"), approved("r2", "B", by("anna")))
    book.say([waived("r2", "B", by("anna"), book.at + timedelta(days=30)), promoted("r2", "B", unsigned(), FAILED, "2")])
    assert serves(book) == "B"
    book.at += timedelta(days=31)
    found = known(book)
    assert found.serving().promotion.release_id == "A"
    assert "the record says A serves" in found.objection("B")
    book.say([waived("r2", "B", by("anna"), book.at + timedelta(days=30))])
    assert "has lapsed" in why(book)[0]


def test_a_waiver_may_be_prolonged_while_it_lasts():
    book = book_of(asked("r1", "A", by("olga"), FAILED), approved("r1", "A", by("anna")))
    book.say([waived("r1", "A", by("anna"), book.at + timedelta(days=5)), promoted("r1", "A", unsigned(), FAILED)])
    book.say([waived("r1", "A", by("otto"), book.at + timedelta(days=50))])
    book.at += timedelta(days=20)
    assert known(book).serving().allowed


def test_where_nothing_is_left_that_holds_the_newest_goes_on_and_that_is_said():
    book = book_of(asked("r1", "A", by("olga"), FAILED), approved("r1", "A", by("anna")))
    book.say([waived("r1", "A", by("anna"), book.at + timedelta(days=1)), promoted("r1", "A", unsigned(), FAILED)])
    book.at += timedelta(days=2)
    found = known(book)
    assert (found.serving().promotion.release_id, found.serving().allowed, found.allows("A")) == ("A", False, True)


def test_back_to_what_served_before_takes_one_owner_and_away_from_there_a_new_request():
    book = book_of(*promotion("r1", "A"), *promotion("r2", "B", "2"), back("A", by("olga")))
    assert serves(book) == "A"
    book.say([promoted("r2", "B", unsigned(), version="2")])
    assert serves(book) == "A"
    book.say(promotion("r3", "B", "2"))
    assert serves(book) == "B"


def test_what_served_before_may_be_started_again_only_until_its_successor_is_placed():
    book = book_of(*promotion("r1", "A"))
    book.put(placed("A"), "A:1")
    book.say(promotion("r2", "B", "2"))
    assert (known(book).allows("A"), known(book).allows("B"), known(book).allows("C")) == (True, True, False)
    book.put(placed("B"), "B:1")
    assert (known(book).allows("A"), known(book).allows("B")) == (False, True)
    book.say([back("A", by("olga"))])
    assert (known(book).allows("A"), known(book).allows("B")) == (True, True)
    book.put(placed("A"), "A:2")
    assert (known(book).allows("A"), known(book).allows("B")) == (True, False)


def test_a_release_nobody_signed_is_not_asked_for_until_somebody_does():
    book = Book()
    book.put(msgspec.structs.replace(registered("A"), by=unsigned("register"), author=""))
    book.say([asked("r1", "A", by("olga"))])
    assert "nobody signed" in why(book)[0]
    book.say([registered("A"), asked("r2", "A", by("olga"))])
    assert len(why(book)) == 1


@pytest.mark.parametrize("forged", [
    msgspec.structs.replace(registered("E"), by=unsigned("register")),
    msgspec.structs.replace(registered("E", "anna"), author="ada"),
])
def test_nobody_says_who_made_a_release_but_who_made_it(forged):
    book = Book()
    book.say([forged])
    assert known(book).releases == {}


def test_made_again_from_a_commit_by_its_author_a_release_keeps_its_first_word_and_only_that_is_no_offence():
    book = Book()
    first = book.put(sign(msgspec.structs.replace(registered("A"), at="", dirty=True)))
    book.put(sign(registered("A")), "A:c:ada")
    book.put(sign(msgspec.structs.replace(registered("A"), dirty=True)), "A:d:ada")

    found = known(book)
    assert found.releases["A"].at.isoformat(timespec="microseconds") == first.recorded_at
    assert [one.entry for one in found.ignored] == ["release-registered:A:d:ada"]


def test_the_newest_check_of_stored_values_is_known_by_the_record():
    book = book_of()
    assert known(book).checked is None
    for decisions in (10, 20):
        book.put(checked(["a"], decisions), f"parity-checked:{decisions}")

    assert known(book).checked.decisions == 20
