"""The headline: few numbers, of the chosen model on the test, and of both candidates where the choice is made."""

from __future__ import annotations

import json

import pytest

from training.headline import TOLD, headline


@pytest.fixture(scope="module")
def shown(mill_model):
    return json.loads((mill_model.evaluate / "headline.json").read_bytes())


def test_dvc_shows_few_numbers_and_both_candidates_on_the_part_that_chooses(shown, mill_model):
    measured = json.loads((mill_model.train / "choice.json").read_bytes())["measured"]

    assert set(shown) == {*TOLD, "calibration_gini_scorecard", "calibration_gini_trees"}
    assert shown["calibration_gini_trees"] == measured["trees"]["calibration"]["gini"]


def test_they_are_the_numbers_of_the_run(shown, mill_model):
    metrics = json.loads((mill_model.evaluate / "metrics.json").read_bytes())

    assert {name: shown[name] for name in TOLD} == {name: metrics[name] for name in TOLD}


def test_beside_a_figure_that_the_rejected_might_change_stands_its_band():
    metrics = dict.fromkeys(TOLD, 0.5) | {"rejects_test_gini_low": 0.4, "rejects_test_gini_high": 0.6, "rejects_of_no_headline_low": 0.0}

    found = headline(metrics, {})

    assert found.keys() - set(TOLD) == {"rejects_test_gini_low", "rejects_test_gini_high"}


def test_candidates_without_a_calibration_part_are_shown_where_they_were_measured():
    measured = {name: {"development": {"gini": 0.9}, "cross_validation": {"gini": gini}} for name, gini in (("a", 0.5), ("b", 0.4))}

    found = headline(dict.fromkeys(TOLD, 0.0), measured)

    more = {name: value for name, value in found.items() if name not in TOLD}
    assert more == {"cross_validation_gini_a": 0.5, "cross_validation_gini_b": 0.4}
