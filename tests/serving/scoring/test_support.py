"""A value that the contract allows and nobody in development had is noticed, alike for one application and for many, and refers."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import OTHER, Outside
from governance.release import verify
from serving.replay import again
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.counterfactual import counterfactual, moves_of
from serving.scoring.kernel import Levels
from serving.scoring.support import FILE, Seen, excluded, observed

HAD = Seen(low=10.0, high=90.0, known=(-1.0,), never=(50.0,))


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    return decision.load(verify(mill_model.release), mill)


@pytest.fixture(scope="module")
def best(mill, mill_model, scorer):
    """The values of the development's safest applicant."""
    at = scorer.assess(arrays(mill, mill_model.frame))
    row = mill_model.frame.iloc[int(np.where(at.severity == 0, at.pd, 1).argmin())]
    return {column.name: row[column.name] for column in mill.raw_inputs}


@pytest.fixture(scope="module")
def edge(mill, scorer, best):
    """A number of a request, and a value of it that the contract allows, nobody had, and the PD and the rules would approve."""
    for column in mill.requests:
        seen = scorer.support[column.name]
        for value in () if column.is_level else (np.nextafter(seen.low, -np.inf), np.nextafter(seen.high, np.inf)):
            allowed = column.low <= value <= column.high
            if allowed and dataclasses.replace(scorer, support={}).decide({**best, column.name: float(value)}).outcome == "approve":
                return column.name, float(value)
    raise AssertionError("whatever nobody had is not approved anyway")


@pytest.mark.parametrize(("value", "outside"), [
    (10.0, False), (90.0, False), (9.999, True), (90.001, True), (-1.0, False), (50.0, True), (None, False)])
def test_outside_is_beyond_the_range_or_a_code_nobody_had(value, outside):
    assert HAD.excludes(value) is outside
    assert excluded(HAD, np.array([np.nan if value is None else value])).tolist() == [outside]


def test_a_level_or_a_missing_answer_nobody_had_is_outside():
    seen = Seen(known=("a", "b"), missing=False)
    names = ("a", "b", OTHER)
    assert excluded(seen, np.array(["b", OTHER, None], dtype=object)).tolist() == [False, True, True]
    assert excluded(seen, Levels(np.array([1, 2, -1]), names)).tolist() == [False, True, True]
    assert [seen.excludes(value) for value in ("b", OTHER, None)] == [False, True, True]
    assert excluded(Seen(missing=False), np.array([np.nan, 1.0])).tolist() == [True, True], "where nobody had a number, each is outside"


def test_nobody_of_development_is_outside_and_each_end_of_a_range_is_somebodys(mill, mill_model, scorer):
    parts = pd.read_parquet(mill_model.split / "parts.parquet")
    everyone = mill_model.frame[(parts["period"] == "development").to_numpy()]
    at = scorer.assess(arrays(mill, everyone))
    assert (at.outside, at.unusual.any()) == ({}, False)
    assert observed(mill, at.columns) == scorer.support
    for name, seen in scorer.support.items():
        assert seen.low is None or {seen.low, seen.high} <= set(at.columns[name].tolist())


def test_a_value_at_the_edge_refers_and_is_said_while_pd_and_score_stay_as_they_are(scorer, best, edge):
    name, beyond = edge
    decided = scorer.decide({**best, name: beyond})
    without = dataclasses.replace(scorer, support={}).decide({**best, name: beyond})
    assert scorer.decide(best).outcome == "approve"
    assert name in decided.outside
    assert (decided.outcome, [reason.code for reason in decided.reasons]) == ("refer", ["not_comparable"])
    assert (decided.pd, decided.score, decided.degraded) == (without.pd, without.score, False)
    assert (without.outside, without.outcome) == ((), "approve")


def test_a_code_nobody_had_and_an_answer_nobody_left_out_are_found_alone_as_among_many(mill, scorer, best):
    number = next(column.name for column in mill.requests if not column.is_level)
    coded, code = next((column.name, column.special[0]) for column in mill.stored if column.special)
    changes = {number: {"missing": False}, coded: {"known": (), "never": (code,)}}
    narrow = dataclasses.replace(scorer, support={name: msgspec.structs.replace(seen, **changes.get(name, {}))
                                                  for name, seen in scorer.support.items()})
    for name, value in ((number, None), (coded, code)):
        values = {**best, name: value}
        at = narrow.assess({column.name: np.array([values[column.name]], dtype=object if column.is_level else np.float64)
                            for column in mill.raw_inputs})
        assert name in narrow.decide(values).outside
        assert tuple(at.outside) == narrow.decide(values).outside
        assert name not in scorer.decide(values).outside


def test_a_column_may_be_scored_all_the_same_and_is_flagged(scorer, best, edge):
    name, beyond = edge
    support = {each: msgspec.structs.replace(seen, outside=Outside.SCORE) for each, seen in scorer.support.items()}
    decided = dataclasses.replace(scorer, support=support).decide({**best, name: beyond})
    assert name in decided.outside
    assert (decided.outcome, decided.reasons) == ("approve", ())


def test_what_follows_is_frozen_into_the_release_and_a_release_without_it_says_nothing(mill, mill_model, scorer):
    release = verify(mill_model.release)
    assert release.read(FILE, dict[str, Seen]) == scorer.support
    assert {seen.outside for seen in scorer.support.values()} == {Outside.REFER}
    assert any(one["decision"]["outside"] for one in release.read("golden.json", list))


def test_a_record_from_before_values_were_judged_so_is_decided_again_as_it_was(scorer, best, edge):
    name, beyond = edge
    old = dataclasses.replace(scorer, support={})
    said = msgspec.to_builtins(old.decide({**best, name: beyond}))
    content = {"decision_id": "d", "doubtful": [], **{key: value for key, value in said.items() if key != "outside"}}
    assert again(content, old).same
    assert set(again(content, scorer).differences) == {"outside", "outcome", "reasons"}


def test_advice_leads_nowhere_that_nobody_was(mill, scorer, best):
    found = 0
    for column in (each for each in mill.requests if not each.is_level):
        seen, far = scorer.support[column.name], column.low if column.risk < 0 else column.high
        assert any(map(seen.excludes, moves_of(column, far).to))
        assert not any(map(seen.excludes, moves_of(column, far, seen).to))
        said = counterfactual(scorer, {**best, column.name: far}, changeable=[column.name])
        found += len(said.changes)
        assert all(scorer.decide({**best, column.name: change.to}).outcome == "approve" for change in said.changes)
    assert found
