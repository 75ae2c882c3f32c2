"""Everything a promotion takes, running: a registry, a service of two workers, the watch, and people who say commands."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from approved import append, approved, asked, by
from registry import Registry
from served import Service, serve

from feature_repo.contract import APPLICANT_ID
from governance import events
from governance.current import Current
from governance.gates import judge
from governance.ledger.book import open_book
from governance.release import Release
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
