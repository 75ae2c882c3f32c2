"""A real MLflow server with signed releases registered in it, and aliases set there as its UI sets them: by nobody in particular."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pandas as pd
from approved import append, checked, compared, keep_key, keep_people, person, registered

from feature_repo.portfolios import load
from governance import enrolment, events, signature
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from governance.release import Release
from serving.openapi import typical

ALIAS = "/ajax-api/2.0/mlflow/registered-models/alias"
WAIT = 120


@dataclass
class Registry:
    """A running server. versions: of each release, by its id."""

    folder: Path
    url: str
    process: subprocess.Popen[bytes]
    versions: dict[str, str] = field(default_factory=dict)

    def let(self, model: str, version: str, alias: str = "champion") -> None:
        """Set an alias the way the UI does."""
        said = {"name": model, "alias": alias, "version": version}
        httpx.post(self.url + ALIAS, json=said, timeout=10).raise_for_status()

    def named(self, model: str, alias: str = "champion") -> str | None:
        answer = httpx.get(self.url + ALIAS, params={"name": model, "alias": alias}, timeout=10)
        return str(answer.json()["model_version"]["version"]) if answer.is_success else None

    def kill(self) -> None:
        """End it at once, its workers too, as a crash does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextlib.contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[Registry]:
    """An MLflow server over a store in a folder."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--default-artifact-root", (folder / "artifacts").as_uri()]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True,
                                   env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
    registry = Registry(folder, f"http://127.0.0.1:{port}", process)
    try:
        for _ in range(WAIT * 5):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{registry.url}/health", timeout=2).is_success:
                    break
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield registry
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def register(registry: Registry, home: Path, portfolio_name: str, releases: Sequence[Release], signer: str = "ada") -> None:
    """Register signed releases, and say so in the record of a home, as `dvc repro` does.

    signer: whose key signs them; the record says that ada made them whoever it was.
    """
    from training import tracking

    portfolio = load(portfolio_name)
    keep_people(home)
    who = enrolment.Signer(person(signer, ("author",)), keep_key(home, signer))
    example = pd.DataFrame([{column.name: typical(column) for column in portfolio.raw_inputs}])
    with environment(MLFLOW_TRACKING_URI=registry.url, TALLY_HOME=str(home)):
        for release in releases:
            evidence = tracking.Evidence({}, {}, {}, {}, example, signature=signature.sign(release, who))
            registry.versions[release.id] = tracking.register(portfolio, release, evidence).version
    append(home, portfolio_name, [registered(release.id, "ada", registry.versions[release.id]) for release in releases])


def compare(home: Path, portfolio_name: str, releases: Sequence[Release]) -> None:
    """Say in the record of a home how each release compares with each other, as `dvc repro` does against what serves.

    And that stored values are the same online and offline, as `tally parity` does.
    """
    found = [compared(one.id, other.id) for one in releases for other in releases if one is not other]
    parity = checked([column.name for column in load(portfolio_name).stored])
    ledger = Ledger(open_book(home / portfolio_name / "ledger"))
    ledger.append([events.entry(parity, parity.at)]).result(10)
    ledger.append([events.entry(each, f"{each.challenger}:{each.champion}") for each in found]).result(10)
    ledger.close()


def corrupt(registry: Registry, release_id: str) -> None:
    """Change one byte of a registered release, where the server keeps it."""
    for manifest in registry.folder.rglob("release/release.json"):
        if hashlib.sha256(manifest.read_bytes()).hexdigest() == release_id:
            policy = manifest.with_name("policy.json")
            policy.write_bytes(policy.read_bytes().replace(b"0.4", b"0.5"))


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
