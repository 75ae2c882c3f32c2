"""Advice about recorded decisions: true when it is asked for again, of the release that decided, within the contract, not in the way."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from asking import ask, asked, decide
from borrowers import brought as mill_brought
from click.testing import CliRunner
from ledgers import recorded

from feature_repo.contract import APPLICANT_ID, NO_TIME
from feature_repo.errors import ReleaseError
from governance.ledger import erasure
from governance.release import verify
from serving import advice
from serving.advice import advise
from serving.application import APPLICATION
from serving.champion import Champion
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.scoring import decision
from serving.scoring.counterfactual import APPROVED, FOUND, changeable
from serving.settings import Settings
from tally.commands.questions import counterfactual

DECLINES = 1_000


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    return decision.load(verify(mill_model.release), mill)


@pytest.fixture(scope="module")
def contents(mill, scorer, borrow) -> list[dict[str, Any]]:
    """Bodies of records of applications that were not approved."""
    found = []
    frame = borrow(mill, 4 * DECLINES, seed=4)
    rows = frame[[column.name for column in mill.raw_inputs]].astype(object).where(frame.notna(), None)
    for number, row in enumerate(rows.itertuples(index=False)):
        made = scorer.decide(dict(zip(rows.columns, row, strict=True)))
        if made.outcome != "approve" and not made.degraded:
            found.append({"decision_id": str(number), "release_id": "r", "doubtful": [], **msgspec.to_builtins(made)})
    return found[:DECLINES]


def test_of_a_thousand_that_were_not_approved_every_change_that_is_told_is_approved(mill, scorer, contents):
    assert len(contents) == DECLINES
    told = [(content, advise(content, scorer)) for content in contents]
    changed = [(content, said) for content, said in told if said.changes]
    assert len(changed) > DECLINES / 4
    for content, said in changed:
        values = {column.name: content["values"][column.name] for column in mill.raw_inputs}
        again = scorer.decide({**values, **{each.feature: each.to for each in said.changes}})
        assert (again.outcome, again.pd) == ("approve", said.pd_then)
        assert {each.feature for each in said.changes} <= set(changeable(mill))


def test_a_record_that_does_not_come_out_as_recorded_gets_no_advice(scorer, contents):
    with pytest.raises(ReleaseError, match="does not come out as recorded"):
        advise({**contents[0], "pd": contents[0]["pd"] / 2}, scorer)


@pytest.fixture
def mill_api(mill, mill_home):
    settings = Settings(portfolio=mill.name, home=mill_home, business_time=NO_TIME + timedelta(days=1))
    with mill_brought():
        from serving.app import Api

        decisions = Decisions(settings, mill, Metrics())
        decisions.champions.look()
        api = Api(settings, decisions)
        yield api
        api.close()
        decisions.close()


@pytest.fixture
def declined(mill_api, requests) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request that was not approved and could have been, and its answer."""
    for request in requests:
        given = decide(mill_api, request).json()
        if given["outcome"] != "approve" and advised(mill_api, given["decision_id"]).json()["changes"]:
            return request, given
    raise AssertionError("nobody was refused")


def advised(api, decision_id: str, query: str = ""):
    return ask(api, "GET", f"/v1/decisions/{decision_id}/counterfactual{query}")


def test_whoever_asks_again_as_was_advised_is_approved(mill_api, requests):
    says = set()
    for request in requests:
        given = decide(mill_api, request).json()
        said = advised(mill_api, given["decision_id"]).json()
        says.add(said["says"])
        assert (said["outcome"], said["pd"], said["release_id"]) == (given["outcome"], given["pd"], given["release_id"])
        if said["changes"]:
            changed = {each["feature"]: each["to"] for each in said["changes"]}
            assert all(request[APPLICATION][each["feature"]] == each["now"] for each in said["changes"])
            again = decide(mill_api, {**request, APPLICATION: {**request[APPLICATION], **changed}}).json()
            assert (again["outcome"], again["pd"]) == ("approve", said["pd_then"])
    assert {APPROVED, FOUND} <= says


def test_only_what_may_change_is_named(mill, mill_api, declined):
    _, given = declined
    first = advised(mill_api, given["decision_id"]).json()["changes"][0]["feature"]
    others = [name for name in changeable(mill) if name != first]
    said = advised(mill_api, given["decision_id"], "?" + "&".join(f"may_change={name}" for name in others)).json()
    assert first not in {each["feature"] for each in said["changes"]}


@pytest.mark.parametrize("query", ["?may_change=flow", "?may_change=", "?may_change=guild", "?x=1", "?may_change=sacks&x=4111111111111111"])
def test_a_question_the_contract_does_not_know_is_refused(mill_api, declined, query):
    refused = advised(mill_api, declined[1]["decision_id"], query)
    assert (refused.status_code, refused.json()["type"]) == (422, "/docs#invalid-query")
    assert "4111" not in refused.text


@pytest.fixture
def another_serves(mill, mill_api, tmp_path, make_release, monkeypatch) -> Callable[[], None]:
    """Lets another release serve."""
    def swap() -> None:
        other = make_release(tmp_path / "other", mill.name)
        monkeypatch.setattr(mill_api._decisions.champions, "now", Champion(other, "2", decision.load(other, mill)))

    return swap


def test_the_release_that_decided_answers_when_another_serves(mill_api, declined, another_serves):
    decision_id = declined[1]["decision_id"]
    first = advised(mill_api, decision_id)
    another_serves()
    assert advised(mill_api, decision_id).content == first.content


def test_a_release_that_is_not_here_any_more_says_so(mill_api, mill_home, declined, another_serves):
    another_serves()
    place = mill_home / "mill" / "releases" / declined[1]["release_id"]
    place.rename(place.with_suffix(".gone"))
    refused = advised(mill_api, declined[1]["decision_id"])
    place.with_suffix(".gone").rename(place)
    assert (refused.status_code, refused.json()["type"]) == (409, "/docs#release-not-here")


def test_nobody_elses_id_is_told_from_none_and_what_was_erased_is_gone(mill_api, mill_home, requests):
    given = decide(mill_api, {**requests[0], APPLICANT_ID: "m1"}).json()
    book = mill_api._decisions._book
    erasure.destroy(book, [recorded(mill_home / "mill", given["decision_id"])])
    gone = [advised(mill_api, given["decision_id"]), ask(mill_api, "GET", f"/v1/decisions/{given['decision_id']}")]
    assert [(one.status_code, one.json()["type"]) for one in gone] == [(410, "/docs#erased")] * 2
    unknown = [advised(mill_api, each) for each in (str(uuid4()), "x", "{" + given["decision_id"] + "}")]
    assert [one.status_code for one in unknown] == [404] * 3


def test_questions_wait_in_one_thread_and_too_many_are_told_when_to_come_back(mill_api, declined, monkeypatch):
    _, given = declined
    go, usual = threading.Event(), advice.advise
    monkeypatch.setattr(advice, "advise", lambda *about: (go.wait(20), usual(*about))[1])
    interval = sys.getswitchinterval()

    async def together() -> list[int]:
        path = f"/v1/decisions/{given['decision_id']}/counterfactual"
        waiting = [asyncio.create_task(asked(mill_api, "GET", path)) for _ in range(advice.WAITING + 1)]
        first, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        go.set()
        return sorted([*(one.result().status_code for one in first), *[(await one).status_code for one in rest]])

    assert asyncio.run(together()) == [*[200] * advice.WAITING, 429]
    assert sys.getswitchinterval() == interval


def test_the_command_says_the_same_as_the_address(mill_api, mill_home, declined, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(mill_home))
    decision_id = declined[1]["decision_id"]
    said = CliRunner().invoke(counterfactual, [decision_id, "--portfolio", "mill", "--json"])
    assert json.loads(said.output) == advised(mill_api, decision_id).json()
    lines = CliRunner().invoke(counterfactual, [decision_id, "--portfolio", "mill"]).output
    assert FOUND in lines
    assert "instead of" in lines
    refused = CliRunner().invoke(counterfactual, [decision_id, "--portfolio", "mill", "--may-change", "flow"])
    assert "may not change" in str(refused.exception)
