"""Fixtures: a service's home on disk (release, pointer, published features), and real `bentoml serve` processes over it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from approved import agreed, allow, append, beside, registered

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, NO_TIME
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from governance.release import Release, place, point
from governance.splits import Split
from serving.openapi import example

GOOD, BAD = "good", "bad"
Served = contextlib.AbstractContextManager["Service"]


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    home: Path
    portfolio: Portfolio
    pid: int

    @property
    def folder(self) -> Path:
        return self.home / self.portfolio.name

    @property
    def request(self) -> dict[str, Any]:
        """A request that is answered."""
        return {**example(self.portfolio), APPLICANT_ID: GOOD}


def views_of(portfolio: Portfolio, folder: Path) -> Path:
    """Each view with two applicants: one with every value at its lower bound, one with every value at its upper."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in portfolio.views:
        stored = {column.name: [float(column.low or 0), float(column.high or 1)] for column in table.stored}
        frame = pd.DataFrame({APPLICANT_ID: [GOOD, BAD], EVENT_TIME: NO_TIME, CREATED_TIME: NO_TIME,
                              table.as_of: NO_TIME.timestamp(), **stored})
        frame.to_parquet(folder / f"{table.name}.parquet")
    return folder


def promote(home: Path, portfolio: Portfolio, release: Release, version: str) -> None:
    """Let two people approve a release, place it and let the pointer name it, as `tally promote` does."""
    allow(home, portfolio.name, release.id, version)
    releases = home / portfolio.name / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    point(home / portfolio.name / "champion.json", place(release.path, releases), model_version=version)


def lend(home: Path, portfolio: Portfolio, release: Release, alias: str, split: Split | None = None) -> None:
    """Let two people approve a release beside the champion, version 2, and place it, as `tally promote` does."""
    request = secrets.token_hex(6)
    append(home, portfolio.name, [registered(release.id, version="2"), *beside(alias, split, *agreed(request, release.id, "2"))])
    releases = home / portfolio.name / "releases"
    point(home / portfolio.name / f"{alias}.json", place(release.path, releases), model_version="2")


def for_a_while(share: float, experiment: str = "spring") -> Split:
    return Split(experiment, share, (datetime.now(UTC) + timedelta(days=1)).isoformat())


@pytest.fixture(scope="session")
def make_home(tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Release]) -> Callable[..., Path]:
    """Makes a home for a portfolio, furnished; each call a new one."""

    def make(portfolio_name: str = "card_default") -> Path:
        return furnished(tmp_path_factory.mktemp("home"), portfolio_name, make_release)

    return make


def furnished(home: Path, portfolio_name: str, make_release: Callable[..., Release]) -> Path:
    """The home of a portfolio's service, features published and a champion placed.

    The release of card_default approves GOOD, declines BAD and refers whom the feature store does not know.
    """
    from feature_repo.store import publish

    portfolio = load(portfolio_name)
    publish(portfolio, views_of(portfolio, home / "views"), home / portfolio.name / "feast")
    promote(home, portfolio, make_release(home / "made", portfolio_name, intercept=-2.0), "1")
    return home


@contextlib.contextmanager
def serve(home: Path, portfolio: str = "card_default", **environment: str) -> Iterator[Service]:
    """`python -m bentoml serve`, as `make serve` runs it; ended by its own process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    given = {**os.environ, "TALLY_PORTFOLIO": portfolio, "TALLY_HOME": str(home), "BENTOML_HOME": str(home / "bentoml"),
             "BENTOML_DO_NOT_TRACK": "True", "TALLY_DRAIN": "0", **environment}
    command = [sys.executable, "-m", "bentoml", "serve", "serving.service:CreditScoring", "--port", port]
    with (home / "serve.log").open("ab") as log, subprocess.Popen(command, env=given, stdout=log, stderr=log) as process:
        try:
            yield Service(answering(f"http://127.0.0.1:{port}", process, home / "serve.log"), home, load(portfolio), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def answering(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """The address, once something answers there."""
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/livez").is_success:
                return url
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def start() -> Callable[..., Served]:
    """Starts a service over a home: `with start(home, TALLY_WORKERS="2") as service`."""
    return serve


@pytest.fixture(scope="session")
def service(make_home: Callable[[], Path]) -> Iterator[Service]:
    """One service for all tests that do not change it."""
    with serve(make_home()) as running:
        yield running
