"""A promotion from the MLflow UI to both workers, with a real MLflow server, service and watch; and what must not get through.

The tests are one story: each begins where the one before it ended.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from promoting import NAME, World, beside, both_use, by_command, everybody, until
from registry import compare, corrupt, register, running
from served import views_of

from feature_repo.portfolios import load
from feature_repo.store import publish
from governance.ledger.entries import DECISION, SHADOW_DECISION
from governance.splits import Split


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_release) -> Iterator[World]:
    """Four registered releases and a service of two workers that has nothing to serve yet; D is signed by somebody unknown."""
    home = tmp_path_factory.mktemp("home")
    publish(load(NAME), views_of(load(NAME), home / "views"), home / NAME / "feast")
    releases = {name: make_release(home / "made" / name / "release", intercept=-2.0 - place / 10) for place, name in enumerate("ABCD")}
    with ExitStack() as stack:
        registry = stack.enter_context(running(home / "mlflow-server"))
        register(registry, home, NAME, [releases[name] for name in "ABC"])
        register(registry, home, NAME, [releases["D"]], signer="eve")
        compare(home, NAME, list(releases.values()))
        world = World(home, registry, releases, stack)
        world.serve()
        world.watch()
        stack.callback(world.end, "watch")
        yield world


def test_an_alias_set_in_the_ui_is_a_request_by_nobody_and_serves_nothing(world):
    world.registry.let(NAME, world.version("A"))

    request = until(lambda: next(iter(world.standing().requests.values()), None))
    listed = world.tally("requests")

    assert (request.by.name, request.lacking, request.failed) == ("unknown", 2, ())
    assert "2 more with the role approver, none of ada" in listed.stdout, listed.stderr
    assert world.decide().status_code == httpx.get(f"{world.service.url}/readyz").status_code == 503
    assert world.serving() == []


def test_one_approval_is_not_enough_and_with_the_second_it_serves_by_itself(world):
    (request,) = world.standing().requests
    first = world.tally("approve", request[:4], "--reason", "gates passed", actor="anna")
    assert "1 more with the role approver, none of ada, anna" in first.stdout, first.stderr
    again = world.tally("approve", request, "--reason", "really", actor="anna")
    assert (again.returncode, "anna approved request" in again.stderr) == (1, True)
    assert world.serving() == []

    second = world.tally("approve", request, "--reason", "agreed", actor="otto")

    assert "Nothing is missing" in second.stdout, second.stderr
    until(world.serves("A"))
    assert world.decide().json()["release_id"] == world.releases["A"].id
    swapped = {one.worker for one in world.said("release-swapped") if one.release_id == world.releases["A"].id}
    assert len(swapped) == 2


def test_an_alias_nobody_approved_is_reported_and_put_back_where_that_is_configured(world):
    world.watch(TALLY_PUT_BACK="1")
    world.registry.let(NAME, world.version("B"))

    until(lambda: any(one.version == world.version("B") and one.put_back for one in world.said("alias-seen")))
    until(lambda: world.registry.named(NAME) == world.version("A"))

    assert [one.by.name for one in world.standing().waiting(world.releases["B"].id)] == ["unknown"]
    assert world.decide().json()["release_id"] == world.releases["A"].id


def test_asked_for_agreed_to_and_promoted_by_command(world):
    asked_for = world.tally("request", "--version", world.version("B"), "--reason", "better by a point of Gini")
    assert asked_for.returncode == 0, asked_for.stderr
    request = asked_for.stdout.split()[0]
    assert "passed  calibration" in asked_for.stdout
    early = world.tally("promote", request)
    assert (early.returncode, "needs 1 more" in early.stderr) == (1, True)
    alone = world.tally("approve", request, "--reason", "mine", actor="olga")
    assert "olga does not have the role approver" in alone.stderr
    assert world.tally("approve", request, "--reason", "agreed", actor="anna").returncode == 0

    done = world.tally("promote", request)

    assert done.returncode == 0, done.stderr
    assert f"champion of {NAME}: version {world.version('B')}" in done.stdout
    assert world.registry.named(NAME) == world.version("B")
    until(world.serves("B"))
    twice = world.tally("promote", request)
    assert (twice.returncode, "one approval is one promotion" in twice.stderr) == (1, True)


def test_a_release_signed_by_somebody_unknown_is_neither_asked_for_nor_placed(world):
    refused = world.tally("request", "--version", world.version("D"), "--reason", "please")
    assert refused.returncode == 1
    assert "is nobody's" in refused.stderr

    world.agreed("D")
    world.registry.let(NAME, world.version("D"))

    until(lambda: any(one.release_id == world.releases["D"].id for one in world.said("release-refused")))
    assert world.serving() == [world.releases["B"].id] * 2


def test_a_release_changed_in_the_registry_is_refused_once_and_what_serves_goes_on(world):
    corrupt(world.registry, world.releases["C"].id)
    world.agreed("C")
    world.registry.let(NAME, world.version("C"))

    until(lambda: any(one.release_id == world.releases["C"].id for one in world.said("release-refused")))
    time.sleep(2.5)

    assert sum(one.release_id == world.releases["C"].id for one in world.said("release-refused")) == 1
    assert world.serving() == [world.releases["B"].id] * 2
    assert world.standing().serving().promotion.release_id == world.releases["B"].id


def test_back_to_what_served_before_and_the_alias_follows(world):
    world.registry.let(NAME, world.version("B"))
    done = world.tally("rollback", "--reason", "more complaints")

    assert f"version {world.version('A')}" in done.stdout, done.stderr
    until(world.serves("A"))
    until(lambda: world.registry.named(NAME) == world.version("A"))
    assert len(world.standing().waiting(world.releases["B"].id)) == 1  # the one nobody approved; going back opened none


def test_under_load_every_answer_is_of_a_release_that_may_serve(world):
    ended, answers = threading.Event(), []

    def load_it() -> None:
        with httpx.Client(timeout=30) as client:
            while not ended.is_set():
                answer = client.post(f"{world.service.url}/v1/decisions", json=world.service.request)
                answers.append((answer.status_code, answer.json().get("release_id")))

    threads = [threading.Thread(target=load_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for name in "BAB":
            world.agreed(name)
            world.registry.let(NAME, world.version(name))
            until(world.serves(name))
            if name == "A":
                world.registry.let(NAME, world.version("C"))  # approved, and corrupt
                time.sleep(1)
    finally:
        ended.set()
        for thread in threads:
            thread.join()

    assert {status for status, _ in answers} == {200}
    assert {release for _, release in answers} == {world.releases["A"].id, world.releases["B"].id}


def test_a_shadow_by_command_scores_every_decision_of_both_workers_and_answers_none(world):
    before = len(world.book(DECISION))
    by_command(world, "request", "--alias", "shadow")
    until(both_use(world, "shadow"))
    assert world.registry.named(NAME, "shadow") == world.version("A")

    assert {release for _, release in everybody(world)} == {world.releases["B"].id}
    until(lambda: len(world.book(SHADOW_DECISION)) >= 100)
    decided = {record.id for record in world.book(DECISION)[before:]}
    said = [record.content for record in world.book(SHADOW_DECISION)]
    assert {one["decision_id"] for one in said} == decided
    assert {(one["release_id"], one["beside"]) for one in said} == {(world.releases["A"].id, world.releases["B"].id)}


def test_a_split_by_command_decides_for_its_share_the_same_people_in_both_workers_and_after_a_restart(world):
    by_command(world, "split", "--share", "0.5", "--until", (datetime.now(UTC) + timedelta(days=9)).date().isoformat())
    until(both_use(world, "challenger"))
    first = everybody(world)
    world.end_service()
    world.serve()
    until(both_use(world, "challenger"))
    assert set(everybody(world)) == set(first)
    assert len(set(first)) == 20
    (split,) = {Split(said["experiment"], said["share"], "") for said in beside(world, "challenger").values()}
    drawn = {one for one, _ in first if split.arm(one) == "challenger"}
    assert drawn == {one for one, release in first if release == world.releases["A"].id}


def test_one_owner_ends_both_and_the_champion_decides_everybody_again(world):
    for alias in ("shadow", "challenger"):
        done = world.tally("withdraw", "--alias", alias, "--reason", "enough seen")
        assert done.returncode == 0, done.stderr
        until(both_use(world, alias, ""))
    assert world.registry.named(NAME, "shadow") is None
    assert {release for _, release in everybody(world)} == {world.releases["B"].id}


def restarted(world: World) -> float:
    """Seconds from starting the service again to its first answer."""
    world.end_service()
    began = time.monotonic()
    world.serve()
    until(lambda: world.decide().status_code == 200)
    return time.monotonic() - began


def test_with_mlflow_dead_a_service_started_again_answers_and_people_still_act(world):
    world.registry.kill()

    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # a machine that does other things too takes so much longer

    assert restarted(world) < 10 * crowd
    assert world.decide().json()["release_id"] == world.releases["B"].id
    done = world.tally("rollback", "--reason", "without MLflow")
    assert done.returncode == 0, done.stderr
    until(world.serves("A"))
    refused = world.tally("request", "--version", "1", "--reason", "no registry")
    assert (refused.returncode, "MLflow at" in refused.stderr) == (1, True)
    assert (world.home / "watch.log").read_text().count("does not answer") == 1
