"""Guarantees of the description: it is valid, its examples pass, and it allows what the service allows and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load, names
from serving import docs, openapi
from serving.application import APPLICATION, DECISIONS, Form
from serving.problems import KINDS, Problem
from serving.settings import Settings

DOCUMENTS = {name: openapi.document(load(name), Settings(portfolio=name)) for name in names()}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-10**9, 10**9)
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2), max_leaves=3)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": "#/components/schemas/Request", **DOCUMENTS[name]})


@pytest.mark.parametrize("name", names())
def test_the_example_passes_the_service_and_its_description(name):
    example = openapi.example(load(name))
    assert Form(load(name)).one(example).applicant_id == example[APPLICANT_ID]
    validator(name).validate(example)
    batch = DOCUMENTS[name]["paths"]["/v1/decisions:batch"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert len(Form(load(name)).many(msgspec.json.decode(msgspec.json.encode(batch)), 100)) == len(batch[DECISIONS])


@pytest.mark.parametrize("name", names())
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_what_the_description_allows_is_what_the_service_takes(name, data):
    portfolio, document = load(name), openapi.example(load(name))
    column = data.draw(st.sampled_from(portfolio.requests))
    numbers = [value for value in (column.low, column.high, *column.special) if value is not None]
    near = st.sampled_from([shifted for value in numbers for shifted in (value, value - 1, value + 1)]) if numbers else st.nothing()
    value = data.draw(near | st.sampled_from([*column.level_names, "x"]) | JSON)
    document[APPLICATION][column.name] = value
    described = validator(name).is_valid(document)
    try:
        Form(portfolio).one(document)
    except Problem:
        assert not described
    else:
        assert described


@pytest.mark.parametrize("name", names())
def test_every_required_field_is_required_by_both(name):
    portfolio = load(name)
    for column in portfolio.requests:
        document = openapi.example(portfolio)
        del document[APPLICATION][column.name]
        assert validator(name).is_valid(document) is column.nullable
        if not column.nullable:
            with pytest.raises(Problem):
                Form(portfolio).one(document)


@pytest.mark.parametrize("name", names())
def test_no_protected_attribute_is_a_field_of_the_api(name):
    fields = set(DOCUMENTS[name]["components"]["schemas"]["Request"]["properties"][APPLICATION]["properties"])
    assert not fields & {column.name for column in load(name).protected}


@pytest.mark.parametrize("name", names())
def test_the_page_fetches_nothing_runs_nothing_and_names_every_problem(name):
    found: list[tuple[str, str]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend((tag, f"{key}={value}") for key, value in [*attrs, ("", None)])

    Reader().feed(docs.page(DOCUMENTS[name]))
    assert {tag for tag, _ in found} & {"script", "link", "img", "iframe"} == set()
    assert {value for _, value in found if value.startswith(("src=", "href="))} == {"href=/openapi.json"}
    assert {f"id={kind}" for kind in KINDS} <= {value for _, value in found}
