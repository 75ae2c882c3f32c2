"""A promotion from the MLflow UI to both workers, with a real MLflow server, service and watch; and what must not get through.

The tests are one story: each begins where the one before it ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from approved import append, approved, asked, by
from registry import Registry, compare, corrupt, register, running
from served import Service, serve, views_of

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load
from feature_repo.store import publish
from governance import events
from governance.current import Current
from governance.gates import judge
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, SHADOW_DECISION
from governance.release import Release
from governance.splits import Split
from governance.standing import Standing

NAME = "card_default"
SOON = 180.0  # on a machine that does other things too; what is promised is measured by `make soak ONLY=swap`


@dataclass
class World:
    """Everything there is."""

    home: Path
    registry: Registry
    releases: dict[str, Release]
    stack: ExitStack
    running: dict[str, Any] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        return self.running["service"]

    def standing(self) -> Standing:
        return Current(open_book(self.home / NAME / "ledger"), self.home / "signers.yaml").look()

    def said(self, kind: str) -> list[Any]:
        return [events.of(record) for record in open_book(self.home / NAME / "ledger").records({kind})]

    def book(self, kind: str) -> list[Any]:
        return list(open_book(self.home / NAME / "ledger").records({kind}))

    def version(self, name: str) -> str:
        return self.registry.versions[self.releases[name].id]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "TALLY_HOME": str(self.home), "TALLY_PORTFOLIO": NAME, "MLFLOW_TRACKING_URI": self.registry.url, **more}

    def tally(self, *command: str, actor: str = "olga") -> subprocess.CompletedProcess[str]:
        """The command, said by somebody."""
        return subprocess.run([sys.executable, "-m", "tally", *command], env=self.environment(TALLY_ACTOR=actor), cwd=self.home,
                              capture_output=True, text=True, check=False)

    def end_service(self) -> None:
        self.running.pop("stack").close()

    def serve(self) -> None:
        """Start the service of two workers."""
        self.running["stack"] = self.stack.enter_context(ExitStack())
        self.running["service"] = self.running["stack"].enter_context(serve(self.home, NAME, TALLY_WORKERS="2"))

    def watch(self, **environment: str) -> None:
        """Start the watch, or start it again."""
        self.end("watch")
        log = self.stack.enter_context((self.home / "watch.log").open("ab"))
        self.running["watch"] = subprocess.Popen([sys.executable, "-m", "tally", "watch"], env=self.environment(**environment),
                                                 cwd=self.home, stdout=log, stderr=log)

    def end(self, name: str) -> None:
        if process := self.running.pop(name, None):
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def serving(self) -> list[str]:
        """What each living worker serves."""
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.service.url}/v1/release", timeout=5)
            return [one["release_id"] for one in answer.json()["workers"]] if answer.is_success else []
        return []

    def serves(self, name: str) -> Callable[[], bool]:
        return lambda: self.serving() == [self.releases[name].id] * 2

    def decide(self) -> httpx.Response:
        return httpx.post(f"{self.service.url}/v1/decisions", json=self.service.request, timeout=30)

    def agreed(self, name: str) -> str:
        """A request for a release that an owner made and an approver agreed to; its id."""
        release, serves = self.releases[name], self.standing().serving()
        gates = judge(release, self.standing().compared.get((release.id, serves.promotion.release_id)) if serves else None,
                      serves.promotion.release_id if serves else "", self.standing().at)
        request = f"{name.lower()}{len(self.standing().requests):x}"
        said = asked(request, release.id, by("olga"), gates, self.version(name))
        append(self.home, NAME, [said, approved(request, release.id, by("anna"))])
        return request


def until(found: Callable[[], Any], seconds: float = SOON) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")


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


def beside(world: World, alias: str) -> dict[str, dict[str, Any]]:
    """Worker -> what it says of an alias."""
    asked_for = (httpx.get(f"{world.service.url}/v1/release", timeout=5).json() for _ in range(20))
    return {told["worker"]: told[alias] or {} for told in asked_for}


def both_use(world: World, alias: str, used: str = "used") -> Callable[[], bool]:
    return lambda: ["used" if said.get("used") else "" for said in beside(world, alias).values()] == [used] * 2


def by_command(world: World, *asking: str) -> None:
    """Asked for by olga, agreed to by anna, and promoted."""
    wanted = world.tally(*asking, "--version", world.version("A"), "--reason", "to see it on live traffic")
    assert wanted.returncode == 0, wanted.stderr
    request = wanted.stdout.split()[0]
    append(world.home, NAME, [approved(request, world.releases["A"].id, by("anna"))])
    done = world.tally("promote", request)
    assert done.returncode == 0, done.stderr


def everybody(world: World) -> list[tuple[str, str]]:
    """(applicant, release that decided them): some applicants, each several times, by whichever worker answers."""
    with httpx.Client(timeout=30) as client:
        asked_for = [f"applicant-{number % 20}" for number in range(100)]
        sent = [client.post(f"{world.service.url}/v1/decisions", json={**world.service.request, APPLICANT_ID: one}) for one in asked_for]
    assert {answer.status_code for answer in sent} == {200}
    return [(one, answer.json()["release_id"]) for one, answer in zip(asked_for, sent, strict=True)]


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
