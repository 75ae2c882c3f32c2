"""Guarantees of a shadow: no answer is another for it, every decision has its record of it, and whatever becomes of it decisions go on."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from approved import append, by, withdrawn
from served import BAD, GOOD, for_a_while, lend
from worker import PORTFOLIO, asked, page, post, recorded, settled, told

from governance import events
from governance.events import CHALLENGER, SHADOW
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, SHADOW_DECISION
from governance.release import place, point
from serving.app import Api
from serving.owed import Owed
from serving.scoring import decision


def test_ten_thousand_answers_are_equal_to_the_byte_with_a_shadow_and_without(card_home, other, make_worker, monkeypatch, tmp_path):
    def answers(api: Api) -> bytes:
        ids = iter(range(1, 10_001))
        monkeypatch.setattr("serving.decisions.uuid7", lambda: UUID(int=next(ids)))
        return b"".join(post(api, *([asked([GOOD, BAD, f"unknown-{place}"][place % 3]) for place in range(100)] for _ in range(100))))

    shutil.copytree(card_home, alone := tmp_path / "alone")
    lend(card_home, PORTFOLIO, other, SHADOW)
    shadowed = make_worker(shadow_waiting=10_000)
    assert answers(shadowed) == answers(make_worker(alone))
    settled(shadowed, lambda: "tally_shadow_scored_total 10000.0" in page(shadowed))
    assert len(recorded(card_home, SHADOW_DECISION)) == len(recorded(card_home, DECISION)) == 10_000
    assert recorded(alone, SHADOW_DECISION) == []


def test_what_is_recorded_is_what_the_release_says_of_the_inputs_of_the_decision(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api = make_worker()
    post(api, [asked(GOOD), asked(BAD), asked("unknown")])
    settled(api, lambda: len(recorded(card_home, SHADOW_DECISION)) == 3)
    scorer, decided = decision.load(other, PORTFOLIO), {one["decision_id"]: one for one in recorded(card_home, DECISION)}
    for said in recorded(card_home, SHADOW_DECISION):
        of = decided[said["decision_id"]]
        made = scorer.decide({column.name: of["values"][column.name] for column in PORTFOLIO.raw_inputs}, tuple(of["doubtful"]))
        assert (said["pd"], said["score"], said["band"], said["outcome"]) == (made.pd, made.score, made.band, made.outcome)
        assert said["reasons"] == [reason.code for reason in made.reasons]
        assert (said["release_id"], said["beside"], said["applicant_id"]) == (other.id, of["release_id"], of["applicant_id"])
        assert said["pd"] != of["pd"]


def test_it_scores_only_what_has_been_answered(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api = make_worker()
    shadow = api._decisions.beside.shadow
    post(api, [asked(GOOD)])
    settled(api, lambda: len(recorded(card_home, SHADOW_DECISION)) == 1)
    (record,) = open_book(card_home / PORTFOLIO.name / "ledger").records({DECISION})
    later = replace(record, id=str(UUID(int=7)))
    shadow.expect([later])
    assert (shadow._waiting.qsize(), list(shadow._answering)) == (0, [later.id])
    shadow.left(Owed((later.id,), (0,)))
    settled(api, lambda: len(recorded(card_home, SHADOW_DECISION)) == 2)


class Broken:
    """A scorer that does something else than to decide."""

    def __init__(self, what: Callable[[], Any]) -> None:
        self.what = what

    def decide(self, *_: object) -> Any:
        return self.what()


def failing(api: Api, what: Callable[[], Any]) -> None:
    candidate = api._decisions.beside._candidates[SHADOW]
    candidate._lent = replace(candidate._lent, release=replace(candidate.now, scorer=Broken(what)))


def test_a_shadow_that_fails_is_counted_and_decisions_go_on(card_home, other, make_worker, caplog):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api = make_worker()
    failing(api, lambda: {}["an applicant's value"])
    post(api, [asked(GOOD)] * 20)
    settled(api, lambda: 'tally_shadow_failed_total{what="scoring"} 20.0' in page(api))
    assert len(recorded(card_home, DECISION)) == 20
    assert recorded(card_home, SHADOW_DECISION) == []
    said = [record.getMessage() for record in caplog.records if "shadow: " in record.getMessage()]
    assert said == [f"shadow: release {other.id[:12]} fails on decisions (KeyError); decisions go on"]


def test_a_shadow_that_does_not_come_back_costs_no_answer_and_what_has_no_room_is_dropped_and_counted(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api, back = make_worker(shadow_waiting=5), threading.Event()
    failing(api, lambda: back.wait(60) and 1 / 0)
    try:
        post(api, *([[asked(GOOD)]] * 12))
        settled(api, lambda: "tally_shadow_dropped_total 6.0" in page(api))  # one is at work, five wait
        assert len(recorded(card_home, DECISION)) == 12
    finally:
        back.set()


def test_a_shadow_that_was_altered_is_refused_said_and_recorded_and_the_champion_goes_on(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    (card_home / PORTFOLIO.name / "releases" / other.id / "policy.json").write_bytes(b"{}")
    api = make_worker()
    post(api, [asked(GOOD)])
    said = told(api)
    assert (said["shadow"]["release_id"], said["shadow"]["used"], said["challenger"]) == (other.id, False, None)
    assert "policy.json" in said["shadow"]["why"]
    (refused,) = [events.of(record) for record in open_book(card_home / PORTFOLIO.name / "ledger").records({"release-refused"})]
    assert (refused.alias, refused.release_id) == (SHADOW, other.id)
    assert recorded(card_home, SHADOW_DECISION) == []
    assert "tally_releases_refused_total 1.0" in page(api)


def test_a_refused_release_is_recorded_once_under_each_alias_it_was_lent_under(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, CHALLENGER, for_a_while(0.5))
    lend(card_home, PORTFOLIO, other, SHADOW)
    (card_home / PORTFOLIO.name / "releases" / other.id / "policy.json").write_bytes(b"{}")
    api = make_worker()
    post(api, [asked(GOOD)])
    said = [events.of(record) for record in open_book(card_home / PORTFOLIO.name / "ledger").records({"release-refused"})]
    assert sorted((one.alias, one.release_id) for one in said) == [(CHALLENGER, other.id), (SHADOW, other.id)]


def test_a_shadow_nobody_agreed_to_is_none_whatever_the_pointer_names(card_home, other, make_worker):
    point(card_home / PORTFOLIO.name / "shadow.json", place(other.path, card_home / PORTFOLIO.name / "releases"), model_version="2")
    api = make_worker()
    post(api, [asked(GOOD)])
    assert told(api)["shadow"] is None
    assert recorded(card_home, SHADOW_DECISION) == []


def test_a_shadow_that_is_not_placed_yet_is_waited_for_and_not_refused(card_home, other, make_worker, caplog):
    lend(card_home, PORTFOLIO, other, SHADOW)
    pointer = card_home / PORTFOLIO.name / "shadow.json"
    pointer.rename(pointer.with_suffix(".later"))
    api = make_worker()
    assert "is not placed as shadow yet" in told(api)["shadow"]["why"]
    assert "tally_releases_refused_total 0.0" in page(api)
    assert not [record for record in caplog.records if "refused" in record.getMessage()]
    pointer.with_suffix(".later").rename(pointer)
    api._decisions.champions.look()
    assert told(api)["shadow"]["used"] is True


def test_a_shadow_that_is_withdrawn_scores_no_more(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api = make_worker()
    post(api, [asked(GOOD)])
    settled(api, lambda: len(recorded(card_home, SHADOW_DECISION)) == 1)
    assert f'tally_beside_share{{alias="shadow",release_id="{other.id}"}} 1.0' in page(api)
    (request,) = [one for one in api._decisions.beside._permission.standing().requests.values() if one.alias == SHADOW]
    append(card_home, PORTFOLIO.name, [withdrawn(request.id, other.id, by("anna"), SHADOW)])
    api._decisions.champions.look()
    post(api, [asked(GOOD)])
    assert told(api)["shadow"] is None
    assert f'tally_beside_share{{alias="shadow",release_id="{other.id}"}} 0.0' in page(api)
    assert len(recorded(card_home, SHADOW_DECISION)) == 1


def test_what_waits_when_a_worker_ends_is_still_recorded(card_home, other, make_worker):
    lend(card_home, PORTFOLIO, other, SHADOW)
    api = make_worker()
    post(api, [asked(GOOD)] * 50)
    api._decisions.close()
    assert len(recorded(card_home, SHADOW_DECISION)) == 50
