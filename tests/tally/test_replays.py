"""10,000 decisions of the service come out the same to the last bit and letter, also after a promotion with other texts and cut-offs."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import numpy as np
import pytest
from asking import api, brought, home, make_api, request_of, said, settings  # noqa: F401
from recorded import EACH, PORTFOLIO, other, record
from registry import environment, register
from served import promote

from feature_repo.contract import APPLICANT_ID
from governance.ledger.entries import DECISION
from serving.application import APPLICATION
from serving.replay import many
from serving.scoring import decision
from tally import replays
from tally.questions import Questions
from tally.replays import Span

DECISIONS, BATCH = 10_000, 100


def drawn(portfolio, random: np.random.Generator) -> dict:
    """A request within the contract; every applicant's stored values are fresh, old enough to be doubted, or stated."""
    values = {column.name: str(random.choice(column.level_names)) if column.is_level
              else float(column.low + random.random() * (column.high - column.low)) for column in portfolio.requests}
    return {APPLICANT_ID: str(random.choice(["fresh", "silent", "doubted"])), APPLICATION: values}


async def decide(api, portfolio, number: int, seed: int) -> None:  # noqa: F811
    random = np.random.default_rng(seed)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service") as client:
        for _ in range(number // BATCH):
            answer = await client.post("/v1/decisions:batch", json={"decisions": [drawn(portfolio, random) for _ in range(BATCH)]})
            assert answer.status_code == 200, answer.text


def own_releases(folder: Path) -> None:
    """A folder in the place of a link to one."""
    kept = folder.resolve()
    folder.unlink()
    shutil.copytree(kept, folder)


def test_10_000_decisions_replay_alike_before_and_after_a_later_promotion(api, brought, settings, tmp_path, make_release):  # noqa: F811
    own_releases(settings.folder / "releases")
    first = make_release(tmp_path / "first", brought.name, intercept=-1.2)
    promote(settings.home, brought, first, "8")
    api._decisions.champions.look()
    asyncio.run(decide(api, brought, DECISIONS, 1))
    record = Questions(settings.home, brought.name)
    started = time.monotonic()
    found = replays.every(record, Span())
    took = time.monotonic() - started
    assert (found.total, found.differ) == (DECISIONS, ())
    assert took < 60

    second = other(first, tmp_path / "second", brought)
    promote(settings.home, brought, second, "9")
    api._decisions.champions.look()
    asyncio.run(decide(api, brought, 10 * BATCH, 2))

    made_with = [record.content["release_id"] for record in Questions(settings.home, brought.name).book.records({DECISION})]
    assert made_with == [first.id] * DECISIONS + [second.id] * 10 * BATCH
    again = replays.every(Questions(settings.home, brought.name), Span())
    assert (again.total, again.differ) == (DECISIONS + 10 * BATCH, ())
    frame = replays.instead(Questions(settings.home, brought.name), second.id, Span())
    assert (frame["because"] != "").sum() > 0
    assert set(frame.loc[frame["release_id"] == second.id, "because"]) == {""}


def test_a_challenger_that_was_never_placed_is_fetched_from_the_registry(tmp_path, make_release, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps artefacts of a store that names no place for them
    made = record(tmp_path, make_release)
    challenger = make_release(tmp_path / "challenger" / "release", PORTFOLIO, intercept=-1.5)
    registry = SimpleNamespace(url=f"sqlite:///{tmp_path}/mlflow.db", versions={})
    with environment(MLFLOW_TRACKING_URI=registry.url):
        register(registry, made.home, PORTFOLIO, [challenger])
        assert not (made.questions.releases / challenger.id).exists()
        frame = replays.instead(made.questions, challenger.id, Span())
    assert len(frame) == 2 * EACH
    assert (made.questions.releases / f"{challenger.id}.sig").is_file()


@pytest.mark.parametrize("seed", [1, 2])
def test_decisions_of_trees_replay_alike(mill, mill_model, borrow, seed):
    from governance.release import verify

    scorer, contents = decision.load(verify(mill_model.release), mill), []
    frame = borrow(mill, 500, seed=seed)
    for number, row in enumerate(frame.to_dict("records")):
        values = {column.name: None if row[column.name] != row[column.name] else row[column.name] for column in mill.raw_inputs}
        doubtful = ("flow",) if number % 9 == 0 else ()
        made = msgspec.json.decode(msgspec.json.encode(scorer.decide(values, doubtful)))
        contents.append({"decision_id": str(number), "doubtful": list(doubtful), **made})
    assert all(one.same for one in many(contents, scorer))
    worded = replace(scorer, texts=msgspec.structs.replace(scorer.texts, inputs=tuple(
        {**spec, "reason": f"Otherwise: {spec['reason']}"} for spec in scorer.texts.inputs)))
    refused = sum(bool(content["reasons"]) for content in contents)
    assert 0 < sum(not one.same for one in many(contents, worded)) <= refused
