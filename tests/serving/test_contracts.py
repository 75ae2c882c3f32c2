"""Whatever the contract of any portfolio allows is scored, and nothing that it does not allow: drawn from the contract itself."""

from __future__ import annotations

import json
from math import ceil, floor, inf, isfinite, nextafter
from random import Random
from typing import Any
from uuid import UUID

import pytest
from borrowers import brought
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo import portfolios
from feature_repo.contract import APPLICANT_ID, OTHER, Input
from governance.cards import holds_card
from serving import body
from serving.application import APPLICATION, Form
from serving.problems import Problem
from serving.scoring import decision

NAMES = [*portfolios.names(), "harbour", "mill"]
SEEN = st.text(st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"),
               min_size=1, max_size=40).filter(lambda text: text.isprintable() and not holds_card(text) and not set(text) & IGNORABLE)
IGNORABLE = {chr(code) for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)}
WRONG_KINDS = st.sampled_from([True, False, [], {}, [1.0], {"value": 1.0}])


@pytest.fixture(scope="module", params=NAMES)
def known(request, tmp_path_factory, make_release):
    """A portfolio, what its API accepts, and a release that scores it."""
    with brought():
        portfolio = portfolios.load(request.param)
        release = make_release(tmp_path_factory.mktemp("release") / "r", request.param)
    return portfolio, Form(portfolio), decision.load(release, portfolio)


def allowed(column: Input) -> st.SearchStrategy[Any]:
    """A value the contract allows."""
    if column.is_level:
        some = st.sampled_from(column.level_names) | (SEEN if column.other else st.nothing())
    else:
        low, high = column.low, column.high
        some = st.floats(low, high, allow_nan=False, allow_infinity=False) | st.sampled_from(
            [code for code in (*column.special, low, high) if code is not None] or [0.0])
        if low is not None and high is not None and int(high) - int(low) > 2:
            some |= st.integers(int(low) + 1, int(high) - 1)
    return some | st.none() if column.nullable else some


def forbidden(column: Input) -> st.SearchStrategy[Any]:
    """A value it does not allow."""
    wrong = WRONG_KINDS if column.nullable else WRONG_KINDS | st.none()
    if column.is_level:
        unseen = st.nothing() if column.other else SEEN.filter(lambda text: text not in column.level_names)
        return wrong | unseen | st.floats(allow_nan=False) | st.sampled_from(["", " ", "\u200b", "a\nb", "4111 1111 1111 1111"])
    outside = [st.floats(max_value=nextafter(column.low, -inf), allow_infinity=False)] if column.low is not None else []
    outside += [st.floats(min_value=nextafter(column.high, inf), allow_infinity=False)] if column.high is not None else []
    return wrong | SEEN | st.integers(10**400, 10**401) | st.one_of(outside).filter(lambda value: value not in column.special)


def test_of_40_000_applications_within_the_contracts_none_is_refused(known):
    """With none in so many, fewer than 1 in 10,000 are refused (the rule of three: at most 3 in 40,000, with 95% confidence)."""
    portfolio, form, _ = known
    chance = Random(portfolio.name)  # noqa: S311 - drawn applications
    for number in range(40_000 // len(NAMES)):
        ids = (str(number), f"p-{chance.getrandbits(64):x}", str(UUID(int=chance.getrandbits(128), version=4)), f"Jos\u00e9 {number}",
               f"{chance.randrange(10**12)}", f"KD-2024/{number:06}")
        values = {each.name: drawn(each, chance) for each in portfolio.requests}
        assert form.one({APPLICANT_ID: chance.choice(ids), APPLICATION: values}).values.keys() == values.keys()


def drawn(column: Input, chance: Random) -> float | str | None:
    """A value the contract allows, quickly."""
    if column.nullable and chance.random() < 0.1:
        return None
    if column.is_level:
        return chance.choice(column.level_names)
    low, high = column.low if column.low is not None else -1e9, column.high if column.high is not None else 1e9
    return chance.choice([low, high, *column.special, chance.uniform(low, high), float(chance.randint(ceil(low), floor(high)))])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_contract_allows_is_scored(known, data):
    portfolio, form, scorer = known
    document = {APPLICANT_ID: data.draw(SEEN), APPLICATION: {each.name: data.draw(allowed(each)) for each in portfolio.requests}}
    one = form.one(body.decode(json.dumps(document).encode(), 32))
    decided = scorer.decide({**one.values, **{column.name: None for column in portfolio.stored}}, ())
    assert isfinite(decided.margin)
    assert 0 <= decided.pd <= 1
    for column in portfolio.requests:
        given = document[APPLICATION][column.name]
        assert one.values[column.name] in ({given} if given in column.level_names or not column.is_level else {OTHER, None})


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_what_it_does_not_allow_is_not(known, data):
    portfolio, form, _ = known
    application = {each.name: data.draw(allowed(each)) for each in portfolio.requests}
    wrong = data.draw(st.sampled_from(portfolio.requests))
    application[wrong.name] = data.draw(forbidden(wrong))
    with pytest.raises(Problem) as refused:
        form.one({APPLICANT_ID: "1", APPLICATION: application})
    assert [fault.pointer for fault in refused.value.errors] == [f"/{APPLICATION}/{wrong.name}"]
