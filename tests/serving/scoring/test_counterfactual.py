"""What would have been approved really is: within bounds, levels and directions, only of the request, the smallest, and the same again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from feature_repo.contract import Request, Risk
from governance.release import verify
from serving.scoring import decision
from serving.scoring.counterfactual import APPROVED, FOUND, NONE, STALE, counterfactual, grid, moves_of
from training.candidates import load_candidate


@pytest.fixture(scope="module", params=["trees", "scorecard"])
def scorer(request, mill, mill_model):
    loaded = decision.load(verify(mill_model.release), mill)
    candidate, _ = load_candidate(mill_model.train, request.param)
    return dataclasses.replace(loaded, kernel=candidate.kernel, calibrator=candidate.calibrator)


@pytest.fixture(scope="module")
def people(mill, borrow):
    frame = borrow(mill, 400, seed=11)
    rows = frame[[column.name for column in mill.raw_inputs]].astype(object).where(frame.notna(), None)
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.itertuples(index=False)]


@pytest.fixture(scope="module")
def answers(scorer, people):
    return [(values, scorer.decide(values), counterfactual(scorer, values)) for values in people]


def test_every_change_is_approved_when_it_is_decided_again(scorer, answers):
    found = [(values, said) for values, _, said in answers if said.changes]

    assert len(found) > 30
    for values, said in found:
        again = scorer.decide({**values, **{change.feature: change.to for change in said.changes}})
        assert (again.outcome, again.pd, said.says) == ("approve", said.pd, FOUND)
        assert all(change.now == values[change.feature] != change.to for change in said.changes)
        assert 1 <= len(said.changes) <= 2


def test_only_the_request_changes_within_bounds_levels_and_directions(mill, answers):
    requests = {column.name: column for column in mill.requests}
    for change in (change for _, _, said in answers for change in said.changes):
        column = requests[change.feature]
        if column.is_level:
            assert change.to in column.level_names
            assert change.to != "other"
        else:
            assert column.low <= change.to <= column.high
            assert (change.to - change.now) * int(column.risk) <= 0


def test_whoever_is_approved_or_cannot_be_helped_is_told_so(answers):
    for _, decided, said in answers:
        if decided.outcome == "approve":
            assert said.says == APPROVED
        elif decided.degraded:
            assert said.says == STALE
        else:
            assert said.says == (FOUND if said.changes else NONE)
    assert {APPROVED, STALE, FOUND, NONE} == {said.says for _, _, said in answers}


def test_no_smaller_step_of_one_input_is_approved(mill, scorer, answers):
    requests = {column.name: column for column in mill.requests}
    alone = [(values, said.changes[0]) for values, _, said in answers if len(said.changes) == 1]

    assert alone
    for values, change in alone[:20]:
        for column in requests.values():
            moves = moves_of(column, values[column.name])
            if moves is None or (column.name != change.feature and column.is_level):
                continue
            cost = moves_of(requests[change.feature], change.now).costs
            limit = cost[moves_of(requests[change.feature], change.now).to.index(change.to)]
            for to, each in zip(moves.to, moves.costs, strict=True):
                if each < limit - 1e-12:
                    assert scorer.decide({**values, column.name: to}).outcome != "approve"


def test_two_inputs_change_only_where_no_single_one_is_enough(mill, scorer, answers):
    for values, _, said in answers:
        if len(said.changes) != 2:
            continue
        for column in mill.requests:
            moves = moves_of(column, values[column.name])
            assert moves is None or scorer.decide({**values, column.name: moves.to[-1]}).outcome != "approve"


def test_the_same_question_has_the_same_answer(scorer, answers):
    assert [counterfactual(scorer, values) for values, _, _ in answers[:60]] == [said for _, _, said in answers[:60]]


def test_what_may_not_change_does_not(scorer, answers):
    for values, _, said in answers:
        if said.changes:
            others = counterfactual(scorer, values, changeable=[name for name in values if name != said.changes[0].feature])
            assert said.changes[0].feature not in {change.feature for change in others.changes}
    assert all(not counterfactual(scorer, values, changeable=()).changes for values, _, _ in answers[:20])


def test_an_input_that_is_fixed_stands_for_a_protected_group_or_was_not_given_is_never_changed():
    age = Request("age", raw="a", low=18, high=99, risk=Risk.FALLS, reason="r", permitted="12 CFR 1002.6(b)(2)")

    assert moves_of(age, 30.0) is None
    assert moves_of(dataclasses.replace(age, permitted="", fixed=True), 30.0) is None
    assert moves_of(dataclasses.replace(age, permitted=""), None) is None
    assert moves_of(dataclasses.replace(age, permitted="", special=(30.0,)), 30.0) is None
    assert moves_of(dataclasses.replace(age, permitted=""), 30.0).to[0] == 31.0


@pytest.mark.parametrize(("low", "high", "now"), [(0, 12, 3), (500, 100_000, 12_345), (0, 1, 0.25), (1, 1_000, 999.5), (-3.7, 2.2, 0.0)])
def test_steps_are_numbers_people_would_name(low, high, now):
    found = grid(low, high, now)

    assert found == sorted(found)
    assert found[0] >= low
    assert found[-1] <= high
    assert now not in found
    assert 8 < len(found) <= 2001
    assert all(len(f"{value:g}") <= 7 for value in found)
    assert np.all(np.diff(found) > 0)
