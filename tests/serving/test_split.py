"""Guarantees of a split: who was drawn is decided by the challenger, always; nobody else is; and it ends as it was agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt

import msgspec
import pytest
from approved import agreed, append, by, promoted, registered, sign, unsigned, withdrawn
from approved import asked as wished
from served import for_a_while, lend
from worker import PORTFOLIO, asked, page, post, recorded, told

from governance import events
from governance.events import CHALLENGER, CHAMPION
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION
from governance.promotion import unique
from governance.release import place, point
from serving.split import arms
from tally import answers
from tally.questions import Questions

APPLICANTS = [f"applicant-{number}" for number in range(1_000)]


def decided(api, applicants=APPLICANTS, size=100) -> dict[str, str]:
    """Applicant -> the release that decided them, as the answers say it."""
    batches = [applicants[start:start + size] for start in range(0, len(applicants), size)]
    told_in = [msgspec.json.decode(answer)["decisions"] for answer in post(api, *([asked(one) for one in batch] for batch in batches))]
    return dict(zip(applicants, [one["release_id"] for batch in told_in for one in batch], strict=True))


def test_who_was_drawn_is_decided_by_the_challenger_in_every_worker_one_by_one_and_together(card_home, other, make_worker):
    split = for_a_while(0.1)
    lend(card_home, PORTFOLIO, other, CHALLENGER, split)
    first = decided(make_worker())
    drawn = {one for one, release in first.items() if release == other.id}
    assert drawn == {one for one in APPLICANTS if split.arm(one) == CHALLENGER}
    assert abs(len(drawn) - 100) <= 4 * sqrt(1_000 * 0.1 * 0.9)
    again = make_worker()
    assert decided(again) == first
    assert decided(again, APPLICANTS[:50], size=1) == {one: first[one] for one in APPLICANTS[:50]}
    for one in recorded(card_home, DECISION):
        assert (one["arm"], one["experiment"]) == (CHALLENGER if one["applicant_id"] in drawn else CHAMPION, "spring")
        assert (one["release_id"] == other.id) == (one["arm"] == CHALLENGER)


def test_the_service_tells_who_has_which_share_and_the_record_allowed_it(card_home, other, make_worker):
    split = for_a_while(0.25)
    lend(card_home, PORTFOLIO, other, CHALLENGER, split)
    api = make_worker()
    decided(api, APPLICANTS[:100])
    said = told(api)["challenger"]
    assert (said["release_id"], said["used"], said["why"]) == (other.id, True, "")
    assert (said["share"], said["experiment"], said["until"]) == (0.25, "spring", split.until)
    assert f'tally_beside_share{{alias="challenger",release_id="{other.id}"}} 0.25' in page(api)
    of = next(record for record in open_book(card_home / PORTFOLIO.name / "ledger").records({DECISION})
              if record.content["arm"] == CHALLENGER)
    found = Questions(card_home, PORTFOLIO.name).trace(of.id)
    assert found.objection == ""
    assert any("serve as challenger then, experiment spring" in line for line in answers.trace(found))


@pytest.mark.parametrize("forged", ["a pointer", "unsigned events", "a changed share", "one person"])
def test_a_split_that_two_people_did_not_sign_has_no_effect(card_home, other, make_worker, forged):
    point(card_home / PORTFOLIO.name / "challenger.json", place(other.path, card_home / PORTFOLIO.name / "releases"), model_version="2")
    asking, agreeing, taking = (msgspec.structs.replace(one, at=datetime.now(UTC).isoformat()) for one in (
        msgspec.structs.replace(wished("r", other.id, by("olga"), version="2"), alias=CHALLENGER, split=for_a_while(0.5)),
        agreed("r", other.id, "2")[1], msgspec.structs.replace(promoted("r", other.id, unsigned(), version="2"), alias=CHALLENGER)))
    said = {"a pointer": [], "unsigned events": [asking, agreeing, taking], "one person": [sign(asking), taking],
            "a changed share": [msgspec.structs.replace(sign(asking), split=for_a_while(0.4)), sign(agreeing), taking]}[forged]
    append(card_home, PORTFOLIO.name, [registered(other.id, version="2")])
    put(card_home, said)
    api = make_worker()
    assert other.id not in decided(api, APPLICANTS[:100]).values()
    assert told(api)["challenger"] is None
    assert "arm" not in recorded(card_home, DECISION)[0]


def put(home, said) -> None:
    """Write events into a ledger as they are."""
    from governance.ledger.writer import Ledger

    ledger = Ledger(open_book(home / PORTFOLIO.name / "ledger"))
    ledger.append([events.entry(each, unique(each)) for each in said]).result(10)
    ledger.close()


def test_a_split_that_is_withdrawn_or_at_its_end_leaves_everybody_to_the_champion(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, CHALLENGER, for_a_while(0.5))
    api = make_worker()
    champion, lent = api._decisions.champion(), api._decisions.beside._candidates[CHALLENGER].lent
    at_its_end = arms(champion, replace(lent, until=datetime.now(UTC)))
    still_on = arms(champion, replace(lent, until=datetime.now(UTC) + timedelta(minutes=1)))
    assert {at_its_end.of(one).release.release.id for one in APPLICANTS} == {champion.release.id}
    assert {still_on.of(one).release.release.id for one in APPLICANTS} == {champion.release.id, other.id}
    (request,) = [one for one in api._decisions.beside._permission.standing().requests.values() if one.split]
    append(card_home, PORTFOLIO.name, [withdrawn(request.id, other.id, by("otto"), CHALLENGER)])
    api._decisions.champions.look()
    assert other.id not in decided(api, APPLICANTS[:100]).values()


def test_where_the_challenger_does_not_verify_the_champion_decides_everybody_and_says_so(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, CHALLENGER, for_a_while(0.5))
    (card_home / PORTFOLIO.name / "releases" / other.id / "kernel.npz").write_bytes(b"other")
    api = make_worker()
    assert other.id not in decided(api, APPLICANTS[:100]).values()
    said = told(api)["challenger"]
    assert (said["used"], said["share"]) == (False, 0.5)
    assert "kernel.npz" in said["why"]
    (refused,) = [events.of(record) for record in open_book(card_home / PORTFOLIO.name / "ledger").records({"release-refused"})]
    assert (refused.alias, refused.release_id) == (CHALLENGER, other.id)


def test_a_challenger_that_becomes_the_champion_is_no_arm_any_more(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, CHALLENGER, for_a_while(0.5))
    api = make_worker()
    lent = api._decisions.beside._candidates[CHALLENGER].lent
    assert arms(lent.release, lent).of(APPLICANTS[0]).said == {}
