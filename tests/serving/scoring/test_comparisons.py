"""The two comparisons of comment 9(b)(2)-5: on a scorecard each is what a person reckons from the points; a release says which is its."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import numpy as np
import pytest
import yaml

from governance.release import dump, seal
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.reasons import METHODS, MOST, Against
from training.candidates import load_candidate
from training.params import EvaluateParams
from training.release_parts import compose


@pytest.fixture(scope="module", params=list(Against))
def against(request):
    return request.param


@pytest.fixture(scope="module", params=["scorecard", "trees"])
def scorer(request, mill, mill_model, against):
    candidate, encoding = load_candidate(mill_model.train, request.param)
    params = msgspec.convert(yaml.safe_load((mill_model.evaluate.parent / "params.yaml").read_text())["evaluate"], EvaluateParams)
    return compose(mill, candidate, encoding, mill_model.frame, msgspec.structs.replace(params, reasons_against=against))


@pytest.fixture(scope="module")
def card(mill, mill_model, against):
    candidate, encoding = load_candidate(mill_model.train, "scorecard")
    params = msgspec.convert(yaml.safe_load((mill_model.evaluate.parent / "params.yaml").read_text())["evaluate"], EvaluateParams)
    return compose(mill, candidate, encoding, mill_model.frame, msgspec.structs.replace(params, reasons_against=against))


def read_off(card, rows):
    """The log-odds of every input of every row, looked up without the kernel."""
    kernel, found = card.kernel, np.empty(rows.shape)
    for j in range(rows.shape[1]):
        edges = kernel.edges[kernel.starts[j] : kernel.starts[j + 1]]
        points = kernel.points[kernel.starts[j] + j : kernel.starts[j + 1] + j + 1]
        found[:, j] = [points[sum(x >= edge for edge in edges)] for x in rows[:, j]]
        found[np.isnan(rows[:, j]), j] = kernel.missing[j]
        for k in range(kernel.special_starts[j], kernel.special_starts[j + 1]):
            found[rows[:, j] == kernel.specials[k], j] = kernel.special_points[k]
    return found


def ranked(card, short):
    """The reason texts of a shortfall per input, the heaviest first."""
    texts = np.array([spec["reason"] for spec in card.texts.inputs])
    weights = {text: short[texts == text].sum() for text in dict.fromkeys(texts)}
    adverse = sorted((text for text in weights if weights[text] > 1e-9), key=lambda text: -weights[text])
    return adverse[:MOST]


def test_on_a_scorecard_reasons_are_the_shortfalls_a_person_reckons_from_the_points(mill, mill_model, card, against, borrow):
    at = card.assess(arrays(mill, mill_model.frame))
    points = read_off(card, at.rows)
    approved = np.flatnonzero(at.severity == 0)
    nearest = approved[np.argsort(-at.pd[approved], kind="stable")][: round(0.05 * len(at.pd))]
    means = {Against.CUT_OFF: points[nearest].mean(axis=0), Against.EVERYONE: points.mean(axis=0)}

    others = card.assess(arrays(mill, borrow(mill, 3000, seed=5)))
    missed = np.flatnonzero(card.policy.severities(others.pd) > 0)
    found = read_off(card, others.rows)

    assert len(missed) > 500
    for i in missed:
        told = [reason.text for reason in card.explain(others, int(i)) if reason.feature not in {"rule", "stored", "outside"}]
        expected = ranked(card, found[i] - means[against]) or ranked(card, found[i] - means[Against.CUT_OFF])
        assert told == expected[: MOST - sum(bool(held[i]) for held in others.broken)]


def test_whoever_missed_the_cut_off_is_told_something_adverse_and_nothing_that_helped(mill, scorer, borrow):
    at = scorer.assess(arrays(mill, borrow(mill, 2000, seed=6)))
    texts = np.array([spec["reason"] for spec in scorer.texts.inputs])
    contributions = scorer.kernel.contributions(at.rows)
    for i in np.flatnonzero(scorer.policy.severities(at.pd) > 0):
        told = [reason for reason in scorer.explain(at, int(i)) if reason.feature not in {"rule", "stored", "outside"}]
        short = scorer.shortfall(contributions[i])

        assert told or any(held[i] for held in at.broken)
        assert all(short[texts == reason.text].sum() > 0 for reason in told)
        assert len({reason.text for reason in told}) == len(told)


def test_a_release_holds_both_baselines_and_says_which_one_it_compares_with(mill, scorer, against, tmp_path):
    decision.save(scorer, tmp_path)
    said = json.loads((tmp_path / "reasons.json").read_text())
    loaded = decision.load(seal(tmp_path, mill, model=kind(scorer), validation={}, lineage={}), mill)

    assert said["method"] == METHODS[against]
    assert "12 CFR 1002.9(b)(2)" in said["method"]
    assert said["baseline"] == said["baselines"][against]
    assert set(said["baselines"]) == {"cut_off", "everyone"}
    assert loaded.against is against
    assert all(np.array_equal(loaded.baselines[each], scorer.baselines[each]) for each in Against)


def test_a_release_from_before_there_were_two_still_explains_as_it_did(mill, mill_model, scorer, tmp_path):
    before = dataclasses.replace(scorer, baseline=scorer.baselines[Against.CUT_OFF], against=Against.CUT_OFF)
    decision.save(before, tmp_path)
    (tmp_path / "reasons.json").write_bytes(dump({"method": "shortfall", "baseline": before.baseline.tolist()}))

    loaded = decision.load(seal(tmp_path, mill, model=kind(scorer), validation={}, lineage={}), mill)

    at = loaded.assess(arrays(mill, mill_model.frame.head(300)))
    assert [loaded.explain(at, i) for i in range(300)] == [before.explain(at, i) for i in range(300)]


def test_another_comparison_is_refused(mill_model):
    params = yaml.safe_load((mill_model.evaluate.parent / "params.yaml").read_text())["evaluate"]

    with pytest.raises(msgspec.ValidationError, match="reasons_against"):
        msgspec.convert({**params, "reasons_against": "nobody"}, EvaluateParams)


def kind(scorer):
    return "scorecard" if hasattr(scorer.kernel, "points") else "trees"
