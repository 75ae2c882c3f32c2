"""A worker in this process over a home of card_default, with releases beside its champion; and what tests ask of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import furnished

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load
from governance.ledger.book import open_book
from governance.release import Release
from serving.app import Api
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.openapi import example
from serving.settings import Settings

PORTFOLIO = load("card_default")
AT = datetime(2024, 5, 1, tzinfo=UTC)
Made = Callable[..., Api]


@pytest.fixture
def card_home(tmp_path, make_release) -> Path:
    return furnished(tmp_path, PORTFOLIO.name, make_release)


@pytest.fixture
def other(tmp_path, make_release) -> Release:
    """A release that declines more."""
    return make_release(tmp_path / "other", intercept=-1.0)


@pytest.fixture
def make_worker(card_home) -> Iterator[Made]:
    """Makes a worker of the home."""
    made: list[Decisions] = []

    def worker(where: Path = card_home, **settings: Any) -> Api:
        given = Settings(portfolio=PORTFOLIO.name, home=where, business_time=AT, deadline=60.0, patience=30.0, **settings)
        made.append(Decisions(given, PORTFOLIO, Metrics()))
        made[-1].champions.look()
        return Api(given, made[-1])

    yield worker
    for each in made:
        each.close()


def asked(applicant: str) -> dict[str, Any]:
    return {**example(PORTFOLIO), APPLICANT_ID: applicant}


def post(api: Api, *bodies: list[dict[str, Any]], headers: dict[str, str] | None = None) -> list[bytes]:
    """The answers to batches, one after another."""
    async def all_of_them() -> list[bytes]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
            answers = [await client.post("/v1/decisions:batch", json={"decisions": body}, headers=headers) for body in bodies]
            await asyncio.sleep(0)  # the last one has left
            assert {answer.status_code for answer in answers} == {200}
            return [answer.content for answer in answers]

    return asyncio.run(all_of_them())


def told(api: Api) -> dict[str, Any]:
    async def get() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
            return (await client.get("/v1/release")).json()

    return asyncio.run(get())


def page(api: Api) -> str:
    return api._decisions.metrics.page().decode()


def recorded(home: Path, kind: str) -> list[dict[str, Any]]:
    return [record.content for record in open_book(home / PORTFOLIO.name / "ledger").records({kind})]


def settled(api: Api, condition: Callable[[], bool]) -> None:
    """Wait for the shadow's thread, which tells nobody when it is done."""
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError(page(api))
