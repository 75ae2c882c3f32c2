"""Reasons: the adverse ones, in the contract's words, at most four, none twice, rules first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.scoring.parts import Texts
from serving.scoring.reasons import MOST, principal, reservations, shortfall

WORDS = ("late", "late", "high", "short", "few", "many", "")
TEXTS = Texts(tuple({"name": f"x{i}", "reason": word} for i, word in enumerate(WORDS)), ())
RULE = {"code": "frozen", "action": "decline", "reason": "The river is frozen"}
SHORTFALLS = st.lists(st.floats(-5, 5), min_size=len(WORDS), max_size=len(WORDS)).map(np.array)


def reasons(shortfall, *, broken=(), doubtful=False, outside=False, scored=True):
    reserved = reservations(doubtful=doubtful, outside=outside)
    return principal(TEXTS, np.asarray(shortfall, dtype=float), broken=broken, reserved=reserved, scored=scored)


@given(SHORTFALLS)
def test_at_most_four_no_text_twice_and_only_adverse_ones(shortfall):
    found = reasons(shortfall)
    weight = {word: sum(value for value, own in zip(shortfall, WORDS, strict=True) if own == word) for word in WORDS}

    assert len(found) <= MOST
    assert len({reason.text for reason in found}) == len(found)
    assert all(weight[reason.text] > 0 for reason in found)
    assert "" not in {reason.text for reason in found}


@given(SHORTFALLS)
def test_the_heaviest_text_comes_first_and_names_its_heaviest_input(shortfall):
    found = reasons(shortfall)
    weights = {word: sum(value for value, own in zip(shortfall, WORDS, strict=True) if own == word) for word in WORDS if word}

    assert [weights[reason.text] for reason in found] == sorted((w for w in weights.values() if w > 0), reverse=True)[:MOST]
    for reason in found:
        own = [i for i, word in enumerate(WORDS) if word == reason.text]
        assert shortfall[int(reason.feature[1:])] == max(shortfall[i] for i in own)


def test_inputs_that_share_a_text_weigh_together():
    assert [reason.text for reason in reasons([0.3, 0.3, 0.5, 0, 0, 0, 0])] == ["late", "high"]
    assert reasons([0.3, -0.4, 0, 0, 0, 0, 0]) == (), "a text whose inputs together speak for the applicant is no reason"


def test_a_broken_rule_comes_first_then_factors_and_doubt_only_fills_up():
    assert [reason.code for reason in reasons([0, 1, 2, 0, 0, 0, 0], broken=[RULE], doubtful=True)] == ["frozen", "x2", "x1", "not_current"]
    assert [reason.code for reason in reasons([1, 1, 4, 3, 2, 5, 0], doubtful=True)] == ["x5", "x2", "x3", "x0"]


def test_a_value_nobody_in_development_had_fills_up_behind_doubt_and_stands_alone_where_the_pd_passed():
    found = reasons([0, 0, 2, 0, 0, 0, 0], doubtful=True, outside=True)
    assert [reason.code for reason in found] == ["x2", "not_current", "not_comparable"]
    assert [reason.feature for reason in reasons([9, 9, 9, 9, 9, 9, 9], outside=True, scored=False)] == ["outside"]


def test_doubt_leads_where_nothing_else_kept_from_approval_and_says_nothing_adverse():
    found = reasons([9, 9, 9, 9, 9, 9, 9], doubtful=True, scored=False)

    assert [(reason.code, reason.feature) for reason in found] == [("not_current", "stored")]
    assert not any(word and word in found[0].text for word in WORDS)


def test_a_pd_that_passed_is_no_reason():
    assert [reason.code for reason in reasons([9, 9, 9, 9, 9, 9, 9], broken=[RULE], scored=False)] == ["frozen"]


def test_a_rule_and_an_input_with_one_text_are_one_reason():
    found = reasons([0, 0, 2, 0, 0, 0, 0], broken=[{**RULE, "reason": "high"}])

    assert [(reason.code, reason.text) for reason in found] == [("frozen", "high")]


def test_whoever_falls_short_of_everyone_in_nothing_is_compared_with_those_at_the_cut_off():
    everyone, cut_off = np.full(len(WORDS), 1.0), np.array([0.0, 0.0, 0.5, -1.0, 0.9, 0.9, 0.0])
    better, worse = np.full(len(WORDS), 0.8), np.full(len(WORDS), 1.1)

    assert np.array_equal(shortfall(TEXTS, better, everyone, cut_off), better - cut_off)
    assert np.array_equal(shortfall(TEXTS, worse, everyone, cut_off), worse - everyone)
    assert np.array_equal(shortfall(TEXTS, better, everyone, None), better - everyone)
    assert [reason.text for reason in reasons(shortfall(TEXTS, better, everyone, cut_off))] == ["short", "late", "high"]
