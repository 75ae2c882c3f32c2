"""Guarantees of acting on the record: an error before anything is written, and of two at the same moment one takes effect."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import FAILED, PASSED, append, by, keep_people, registered, sign, unsigned

from feature_repo.errors import LedgerError, PromotionError
from governance import actions, events
from governance.actions import Acting
from governance.current import Current
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger

NAME = "loans"
Somebody = Callable[[str], Acting]


@pytest.fixture
def somebody(tmp_path) -> Iterator[Somebody]:
    """Makes somebody at work on one record, each with a ledger of their own as a process has. A and B are registered."""
    keep_people(tmp_path)
    append(tmp_path, NAME, [registered("A"), registered("B", version="2")])
    ledgers: list[Ledger] = []

    def make(name: str) -> Acting:
        book = open_book(tmp_path / NAME / "ledger")
        ledgers.append(Ledger(book))
        who = unsigned() if name == "watch" else by(name)
        return Acting(Current(book, tmp_path / "signers.yaml"), ledgers[-1], who, sign)

    yield make
    for ledger in ledgers:
        ledger.close()


def asked(acting: Acting, release: str = "A", gates=PASSED) -> events.Event:
    return actions.request(acting, acting.standing().releases[release], "better", gates)


def count(acting: Acting) -> int:
    return sum(1 for _ in acting.current.book.events())


def test_from_request_to_promotion_and_back(somebody):
    olga, anna = somebody("olga"), somebody("anna")
    for release in "AB":
        of = actions.approve(anna, asked(olga, release), "agreed")
        actions.promote(olga, of, PASSED)
    assert olga.standing().serving().promotion.release_id == "B"
    assert actions.rollback(olga, "worse").release_id == "A"
    actions.retire(olga, "B", "never again")
    with pytest.raises(PromotionError, match="nothing to go back to"):
        actions.rollback(olga, "again")


def test_what_is_not_allowed_is_an_error_and_nothing_is_written(somebody):
    anna, before = somebody("anna"), count(somebody("anna"))
    with pytest.raises(PromotionError, match="role owner"):
        asked(anna)
    assert count(anna) == before


def test_a_reason_is_needed(somebody):
    olga = somebody("olga")
    with pytest.raises(PromotionError, match="a reason is missing"):
        actions.request(olga, olga.standing().releases["A"], "  ", PASSED)


def test_a_failed_gate_is_waived_by_an_approver_for_a_time(somebody):
    olga, anna = somebody("olga"), somebody("anna")
    of = actions.approve(anna, asked(olga, gates=FAILED), "agreed")
    with pytest.raises(PromotionError, match="tally waive"):
        actions.promote(olga, of, FAILED)
    of = actions.waive(anna, of, "fairness", datetime.now(UTC) + timedelta(days=3), "known")
    assert actions.promote(olga, of, FAILED).release_id == "A"


def test_a_gate_that_fails_only_at_the_end_holds_it_up(somebody):
    olga, anna = somebody("olga"), somebody("anna")
    of = actions.approve(anna, asked(olga), "agreed")
    with pytest.raises(PromotionError, match="fairness"):
        actions.promote(olga, of, FAILED)


def test_a_request_is_named_by_how_its_id_begins_or_by_being_the_only_one(somebody):
    olga, anna = somebody("olga"), somebody("anna")
    of = asked(olga)
    assert actions.chosen(anna.standing(), of.id[:3]).id == of.id
    assert actions.chosen(anna.standing(), None, "open").id == of.id
    with pytest.raises(PromotionError, match="0 requests begin with zz"):
        actions.chosen(anna.standing(), "zz")
    asked(olga, "B")
    with pytest.raises(PromotionError, match="2 requests are open"):
        actions.chosen(anna.standing(), None, "open")


def at_once(*doing: Callable[[], object]) -> list[Exception]:
    """Do things at the same moment; what went wrong."""
    start, wrong = Barrier(len(doing)), []

    def run(each: Callable[[], object]) -> None:
        start.wait()
        try:
            each()
        except (PromotionError, LedgerError) as error:
            wrong.append(error)

    threads = [Thread(target=run, args=[each]) for each in doing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.parametrize("attempt", range(5))
def test_two_who_promote_the_same_request_at_once_promote_it_once(somebody, attempt):
    olga, otto, anna = somebody("olga"), somebody("otto"), somebody("anna")
    of = actions.approve(anna, asked(olga), "agreed")
    wrong = at_once(lambda: actions.promote(olga, of, PASSED), lambda: actions.promote(otto, of, PASSED))
    assert [type(error) for error in wrong] == [PromotionError]
    assert len(anna.standing().promotions) == 1


@pytest.mark.parametrize("attempt", range(5))
def test_an_approval_and_a_rejection_at_once_leave_one_of_them(somebody, attempt):
    olga, otto, anna = somebody("olga"), somebody("otto"), somebody("anna")
    of = asked(olga)
    at_once(lambda: actions.approve(anna, of, "yes"), lambda: actions.reject(otto, of, "no"))
    found = olga.standing().requests[of.id]
    assert found.rejected is not None
    with pytest.raises(PromotionError, match="is rejected"):
        actions.promote(olga, of, PASSED)


def test_what_two_watches_saw_is_said_once(somebody):
    first, second = somebody("watch"), somebody("watch")
    seen = events.AliasSeen(by=unsigned(), at=actions.now(), alias="champion", version="1", release_id="A", instead_of="", approved=False)
    first.note(seen, "champion:1")
    second.note(seen, "champion:1")
    assert len(first.standing().seen["champion"]) == 1


def test_a_signers_file_that_changes_is_judged_by_anew(somebody, tmp_path):
    olga, anna = somebody("olga"), somebody("anna")
    actions.promote(olga, actions.approve(anna, asked(olga), "agreed"), PASSED)
    text = (tmp_path / "signers.yaml").read_text()
    (tmp_path / "signers.yaml").write_text(text.replace('- name: "anna"\n  roles: [approver]', '- name: "anna"\n  roles: [author]'))
    assert olga.standing().serving() is None
    (tmp_path / "signers.yaml").write_text(text)
    assert olga.standing().serving().promotion.release_id == "A"


def test_a_reason_with_a_card_number_is_refused_before_anything_is_recorded(somebody):
    olga = somebody("olga")
    before = count(olga)
    with pytest.raises(PromotionError, match="card number") as refused:
        actions.request(olga, olga.standing().releases["A"], "asked by 4111-1111-1111-1111", PASSED)
    assert "4111" not in str(refused.value)
    assert count(olga) == before
