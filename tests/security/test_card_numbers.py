"""10,000 card numbers in every place of a request: each refused with its place, and none is anywhere afterwards but with who sent it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import httpx
import pytest
from ledgers import decisions
from lending import BEARER
from stdnum import luhn

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, NO_TIME
from serving.application import APPLICATION, DECISIONS
from serving.openapi import document
from serving.settings import Settings

PLANTED, BATCH, ROWS = 10_000, 90, 400
CHANCE = Random(31)  # noqa: S311 - numbers of nobody
STARTS = ("4", "51", "55", "2221", "34", "37", "6011", "62", "3530", "36", "5018", "6759")
GROUPED = ("{}{}{}{}", "{} {} {} {}", "{}-{}-{}-{}", "{}.{}.{}.{}", "card {}{}{}{}!", "{}\u2011{}\u2011{}\u2011{}", "x{}{}{}{}y")
LENGTHS = {"34": 15, "37": 15, "36": 14}


def number() -> str:
    """A card number as an issuer could have given it out."""
    start = CHANCE.choice(STARTS)
    digits = start + "".join(CHANCE.choices("0123456789", k=LENGTHS.get(start, 16) - 1 - len(start)))
    return digits + luhn.calc_check_digit(digits)


@pytest.fixture(scope="module")
def planted() -> list[str]:
    return [number() for _ in range(PLANTED)]


@pytest.fixture(scope="module")
def answers(lending, planted) -> list[tuple[str, httpx.Response]]:
    """What was said to each, by the place it was planted in."""
    left, found = iter(planted), []
    with httpx.Client(base_url=lending.url, timeout=30) as client:
        for place, send in (("/v1/decisions", one), ("/v1/decisions:batch", many), ("/v1/features/", pushed)):
            found += [(place, answer) for answer in send(client, lending, left)]
    assert next(left, None) is None
    return found


def written(card: str) -> str:
    """A number as people write it."""
    return CHANCE.choice(GROUPED).format(card[:4], card[4:8], card[8:12], card[12:])


def one(client: httpx.Client, lending, left: Iterator[str]) -> Iterator[httpx.Response]:
    """Singly: as an id, a level, an open level, a key, a field's name and value, in the address and its query."""
    good, levels = lending.request, [each for each in lending.portfolio.requests if each.is_level]
    is_open, closed = (next(each.name for each in levels if each.other is other) for other in (True, False))
    for _ in range(100):
        for change in ({APPLICANT_ID: written(next(left))}, {(card := written(next(left))): card}):
            yield client.post("/v1/decisions", json={**good, **change})
        for name in (is_open, closed, written(next(left))):
            yield client.post("/v1/decisions", json={**good, APPLICATION: {**good[APPLICATION], name: written(next(left))}})
        yield client.post("/v1/decisions", json=good, headers={"Idempotency-Key": next(left)})
        yield client.get(f"/v1/decisions/{next(left)}", params={"x": next(left)})


def many(client: httpx.Client, lending, left: Iterator[str]) -> Iterator[httpx.Response]:
    """In batches, an id each."""
    for _ in range(70):
        yield client.post("/v1/decisions:batch", json={DECISIONS: [{**lending.request, APPLICANT_ID: written(next(left))}
                                                                  for _ in range(BATCH)]})


def pushed(client: httpx.Client, lending, left: Iterator[str]) -> Iterator[httpx.Response]:
    """In pushed rows, an id each."""
    paths = document(lending.portfolio, Settings(portfolio="any", push_token_sha256="0" * 64))["paths"]
    path, said = next((path, said) for path, said in paths.items() if path.startswith("/v1/features/"))
    (row,) = said["post"]["requestBody"]["content"]["application/json"]["example"]["rows"]
    cards = list(left)
    for at in range(0, len(cards), ROWS):
        rows = [{**row, EVENT_TIME: NO_TIME.isoformat(), APPLICANT_ID: written(card)} for card in cards[at:at + ROWS]]
        yield client.post(path, json={"rows": rows}, headers=BEARER)


def test_every_request_with_a_card_number_is_refused_and_told_where_never_what(lending, planted, answers):
    assert {answer.status_code for _, answer in answers} == {404, 422}
    told = "\n".join(answer.text for _, answer in answers)
    assert digits(told).isdisjoint(planted)
    assert "/decisions/0/applicant_id" in told
    assert "the Idempotency-Key must not hold what looks like a card number" in told
    assert not [record for record in decisions(lending.folder) if digits(record.body.decode()) & set(planted)]


@pytest.mark.usefixtures("answers")
def test_no_card_number_is_in_the_record_the_journal_the_log_or_the_metrics(lending, planted):
    places = [path for path in lending.home.rglob("*") if path.is_file()]
    assert {"serve.log", "online.db"} <= {path.name for path in places}
    for path in places:
        assert digits(path.read_bytes().decode("latin-1")).isdisjoint(planted), path
    assert digits(httpx.get(f"{lending.url}/metrics").text).isdisjoint(planted)


def digits(text: str) -> set[str]:
    """Every run of digits, groups as one."""
    return {re.sub(r"\D", "", run) for run in re.findall(r"\d(?:[ .-]?\d){12,18}", text.replace("\u2011", "-"))}
