"""Guarantees of a shadow and a split: two people, the share and the end they agreed to, ended by one, and never the champion by it."""

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
    agreed,
    approved,
    asked,
    back,
    beside,
    by,
    placed,
    promoted,
    registered,
    retired,
    sign,
    unsigned,
    withdrawn,
)
from folded import PEOPLE, known

from governance import events, history
from governance.events import CHALLENGER, CHAMPION, SHADOW
from governance.splits import Split
from tally import answers


def book_of(*said: object) -> Book:
    book = Book()
    book.say([registered("A"), registered("B", version="2"), *said])
    return book


def let(request: str, release: str, alias: str, split: Split | None = None, gates=PASSED) -> list:
    """A release let serve as a shadow or a challenger."""
    return beside(alias, split, asked(request, release, by("olga"), gates, "2"), approved(request, release, by("anna")),
                  promoted(request, release, unsigned(), gates, "2"))


def lasting(days: float = 30, share: float = 0.1, experiment: str = "e") -> Split:
    return Split(experiment, share, (Book().at + timedelta(days=days)).isoformat())


def serves(book: Book) -> str | None:
    found = known(book).serving()
    return found.promotion.release_id if found else None


def why(book: Book) -> list[str]:
    return [one.why for one in known(book).ignored]


def test_a_split_is_agreed_to_by_two_people_and_ends_by_itself():
    book = book_of(*agreed("r1", "A"), *let("r2", "B", CHALLENGER, lasting()))
    found = known(book)
    assert (serves(book), found.serving(CHALLENGER).promotion.release_id) == ("A", "B")
    assert found.until(found.serving(CHALLENGER).promotion) == Book().at + timedelta(days=30)
    assert (found.objection("B", CHALLENGER), found.objection("B") == "") == ("", False)
    book.at += timedelta(days=30)
    assert known(book).serving(CHALLENGER) is None
    assert "ask for it" in known(book).objection("B", CHALLENGER)


@pytest.mark.parametrize(("said", "because"), [
    (let("r2", "B", CHALLENGER)[:1], "decides for a share"),
    (let("r2", "B", SHADOW, lasting())[:1], "only a challenger"),
    (let("r2", "B", CHAMPION, lasting())[:1], "only a challenger"),
    (let("r2", "B", "rival")[:1], "there is no alias rival"),
    (let("r2", "B", CHALLENGER, lasting(share=0.6))[:1], "a share is from 0.001 to 0.5"),
    (let("r2", "B", CHALLENGER, lasting(share=0.0))[:1], "a share is from 0.001 to 0.5"),
    (let("r2", "B", CHALLENGER, lasting(share=0.0009))[:1], "a share is from 0.001 to 0.5"),
    (let("r2", "B", CHALLENGER, lasting(days=400))[:1], "within 366 days"),
    (let("r2", "B", CHALLENGER, lasting(days=-1))[:1], "within 366 days"),
    (let("r2", "B", CHALLENGER, Split("e", 0.1, "soon"))[:1], "a time with its zone"),
    (let("r2", "B", CHALLENGER, lasting(experiment=" "))[:1], "has a name of 1 to 64"),
    (let("r2", "B", CHALLENGER, lasting(), FAILED), "not waived: fairness"),
    ([*let("r2", "B", SHADOW), msgspec.structs.replace(back("B", by("olga")), alias=SHADOW)], "does not go back"),
    ([*agreed("r1", "A"), withdrawn("r1", "A", by("olga"), CHAMPION)], "back: tally rollback"),
    ([*let("r2", "B", SHADOW), withdrawn("r2", "B", by("ada"), SHADOW)], "role owner or approver"),
    ([withdrawn("r2", "B", by("olga"), SHADOW)], "there is no request r2"),
])
def test_what_the_rules_of_shadows_and_splits_do_not_allow_is_ignored_and_says_why(said, because):
    assert because in why(book_of(*said))[-1]


def test_a_split_nobody_agreed_to_or_whose_share_was_changed_afterwards_is_nothing():
    alone, _, taken = let("r2", "B", CHALLENGER, lasting())
    book = book_of(*agreed("r1", "A"), alone, taken)
    assert known(book).serving(CHALLENGER) is None
    book = book_of(*agreed("r1", "A"))
    signed = sign(msgspec.structs.replace(alone, at=book.at.isoformat()))
    book.put(msgspec.structs.replace(signed, split=lasting(share=0.5)))
    book.say(let("r2", "B", CHALLENGER)[1:])
    assert known(book).serving(CHALLENGER) is None
    assert "signature is not of olga's key" in why(book)[0]


def test_a_shadow_needs_two_people_and_no_gate_and_may_not_answer():
    alone = let("r2", "B", SHADOW, gates=FAILED)
    book = book_of(*agreed("r1", "A"), alone[0], alone[-1])
    assert known(book).serving(SHADOW) is None
    book = book_of(*agreed("r1", "A"), *let("r2", "B", SHADOW, gates=FAILED))
    found = known(book)
    assert (serves(book), found.serving(SHADOW).promotion.release_id, found.requests["r2"].failed) == ("A", "B", ("fairness",))
    assert "may not serve" in found.objection("B")
    assert "may not serve as challenger" in found.objection("B", CHALLENGER)


@pytest.mark.parametrize(("alias", "split"), [(SHADOW, None), (CHALLENGER, lasting())])
def test_one_owner_or_approver_ends_a_shadow_or_a_split_and_nothing_before_it_comes_back(alias, split):
    book = book_of(*agreed("r1", "A"), registered("C", version="3"), *let("r2", "B", alias, split),
                   *let("r3", "C", alias, split))
    assert known(book).serving(alias).promotion.release_id == "C"
    book.say([withdrawn("r3", "C", by("anna"), alias)])
    assert (known(book).serving(alias), serves(book), why(book)) == (None, "A", [])
    book.say([withdrawn("r2", "B", by("anna"), alias), retired("B", by("olga"))])
    assert "lets nothing serve" in why(book)[0]


def test_a_release_that_is_retired_is_a_shadow_or_a_challenger_no_more():
    book = book_of(*agreed("r1", "A"), *let("r2", "B", SHADOW), *let("r3", "B", CHALLENGER, lasting()), retired("B", by("olga")))
    assert (known(book).serving(SHADOW), known(book).serving(CHALLENGER), why(book)) == (None, None, [])


def test_what_was_in_production_names_who_decided_for_some_and_who_answered_nobody():
    book = book_of(*agreed("r1", "A"), registered("C", version="3"), *let("r2", "B", CHALLENGER, lasting()), *let("r3", "C", SHADOW))
    found = history.in_production(book.records, PEOPLE, book.at)
    assert [(one.alias, one.promotion.release_id, one.split and one.split.share) for one in found.beside] == [
        (CHALLENGER, "B", 0.1), (SHADOW, "C", None)]
    told = "\n".join(answers.in_production(found, "loans"))
    assert "challenger     release B (version 2) for 10.0% of applicants until 2024-02-01 00:00 UTC, experiment e, since" in told
    later = history.in_production(book.records, PEOPLE, book.at + timedelta(days=31))
    assert [one.alias for one in later.beside] == [SHADOW]


def test_a_shadow_placed_or_refused_says_nothing_of_what_a_worker_serves():
    book = book_of(*agreed("r1", "A"), *let("r2", "B", SHADOW))
    for said, name in ((placed("A"), "A:1"), (worked("A"), "w:1"), (msgspec.structs.replace(placed("B"), alias=SHADOW), "B:1"),
                       (events.ReleaseRefused(by=unsigned("w"), at="", who="w", release_id="B", why="altered", alias=SHADOW), "w:B")):
        book.put(said, name)
    found = history.in_production(book.records, PEOPLE, book.at + timedelta(hours=1))
    assert [(one.name, one.release_id, one.refused) for one in found.workers] == [("w", "A", "")]


def worked(release: str) -> events.Event:
    return events.ReleaseSwapped(by=unsigned("w"), at="", worker="w", release_id=release, version="1", replaces="")
