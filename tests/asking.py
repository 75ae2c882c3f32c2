"""Fixtures: the API in this process over the harbour portfolio, whose stored values have every age and every policy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from approved import allow
from served import promote

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, WhenStale
from feature_repo.store import publish
from serving.app import Api
from serving.application import APPLICATION
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.openapi import example
from serving.settings import Settings

NOW = datetime(2024, 5, 1, tzinfo=UTC)
FRESH, OLD, STALE, FUTURE = timedelta(days=5), timedelta(days=20), timedelta(days=300), timedelta(days=-5)
AGES = {  # of an applicant's values: in views with a column that refuses, in the others
    "fresh": (FRESH, FRESH), "silent": (FRESH, FRESH), "doubted": (FRESH, STALE),
    "old": (OLD, OLD), "stale": (STALE, STALE), "future": (FUTURE, FUTURE),
}
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def home(tmp_path_factory, brought: Any, make_release) -> Path:
    """A home of the harbour portfolio: one applicant for each age of the stored values, a release and its pointer."""
    home = tmp_path_factory.mktemp("home")
    views = home / "views"
    views.mkdir()
    for table in brought.views:
        refuses = any(column.when_stale is WhenStale.REFUSE for column in table.stored)
        times = pd.Series([NOW - age[not refuses] for age in AGES.values()]).astype("datetime64[us, UTC]")
        stored = {column.name: [value(column, applicant) for applicant in AGES] for column in table.stored}
        seconds = [time.timestamp() for time in times]
        frame = pd.DataFrame({APPLICANT_ID: list(AGES), EVENT_TIME: times, CREATED_TIME: times, table.as_of: seconds, **stored})
        frame.to_parquet(views / f"{table.name}.parquet")
    publish(brought, views, home / brought.name / "feast")
    promote(home, brought, make_release(home / "made", brought.name, intercept=-4.0), "7")
    return home


def value(column: Any, applicant: str) -> float | str | None:
    """A value at the lower bound; for "silent", none where the applicant may state one."""
    if applicant == "silent" and column.when_stale is WhenStale.REQUEST:
        return None
    return column.level_names[0] if column.is_level else float(column.low or 0)


@pytest.fixture(scope="module")
def brought(harbour) -> Iterator[Any]:
    from invented import brought

    with brought():
        yield harbour


@pytest.fixture
def settings(home, tmp_path, brought) -> Settings:
    """The home's release and features with a ledger of the test's own."""
    own = tmp_path / brought.name
    own.mkdir()
    for shared in ("feast", "releases", "champion.json"):
        (own / shared).symlink_to(home / brought.name / shared)
    allow(tmp_path, brought.name, pointed(own), "7")
    return Settings(portfolio=brought.name, home=tmp_path, business_time=NOW, patience=5.0)


def pointed(folder: Path) -> str:
    """The id of the release that the pointer of a folder names."""
    return str(json.loads((folder / "champion.json").read_bytes())["release_id"])


@pytest.fixture
def make_api(brought) -> Iterator[Callable[[Settings], Api]]:
    made = []

    def make(settings: Settings) -> Api:
        made.append(Decisions(settings, brought, Metrics()))
        made[-1].champions.look()
        return Api(settings, made[-1])

    yield make
    for decisions in made:
        decisions.close()


@pytest.fixture
def api(settings, make_api) -> Api:
    return make_api(settings)


@pytest.fixture
def request_of(brought) -> Callable[..., dict[str, Any]]:
    def make(applicant: str, **said: float) -> dict[str, Any]:
        document = example(brought)
        return {APPLICANT_ID: applicant, APPLICATION: {**document[APPLICATION], **said}}

    return make


@pytest.fixture
def said(brought) -> dict[str, float]:
    """A value for each stored column that an applicant may state."""
    return {column.name: 1.0 for column in brought.stored if column.when_stale is WhenStale.REQUEST}


def ask(api: Api, method: str, path: str, **options: Any) -> httpx.Response:
    return asyncio.run(asked(api, method, path, **options))


async def asked(api: Api, method: str, path: str, **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
        return await client.request(method, path, **options)


def decide(api: Api, document: object, **headers: str) -> httpx.Response:
    return ask(api, "POST", "/v1/decisions", json=document, headers={name.replace("_", "-"): value for name, value in headers.items()})


def names(brought: Any, policy: WhenStale) -> set[str]:
    return {column.name for column in brought.stored if column.when_stale is policy and column.fresh_for}
