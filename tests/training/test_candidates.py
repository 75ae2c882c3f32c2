"""The choice follows the declared rule and says why; a candidate read back scores as the one that was kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.candidates import choose, load_candidate, load_chosen
from training.params import ChoiceParams


def measured(**values):
    elsewhere = {"gini": 0.9, "log_loss": 0.1}
    return {name: {"development": elsewhere, "calibration": {"gini": value, "log_loss": value}} for name, value in values.items()}


@pytest.mark.parametrize(("scorecard", "trees", "chosen"), [
    (0.5, 0.53, "trees"), (0.5, 0.52, "scorecard"), (0.5, 0.4, "scorecard"), (0.5, 0.525, "trees"),
])
def test_the_preferred_stays_unless_the_other_is_better_by_the_margin(scorecard, trees, chosen):
    rule = ChoiceParams("gini", "calibration", "scorecard", 0.025)

    assert choose(measured(scorecard=scorecard, trees=trees), rule).chosen == chosen


def test_of_a_loss_the_smaller_is_better():
    rule = ChoiceParams("log_loss", "calibration", "trees", 0.01)

    assert choose(measured(scorecard=0.30, trees=0.35), rule).chosen == "scorecard"
    assert choose(measured(scorecard=0.35, trees=0.30), rule).chosen == "trees"


def test_the_why_names_both_figures_and_the_margin():
    why = choose(measured(scorecard=0.5, trees=0.53), ChoiceParams("gini", "calibration", "scorecard", 0.01)).why

    assert all(part in why for part in ("trees", "0.5300", "scorecard", "0.5000", "0.0300", "0.01", "calibration"))


def test_what_is_kept_is_the_choice_its_rule_and_both_candidates_measures(mill_model):
    choice = json.loads((mill_model.train / "choice.json").read_bytes())

    assert choice["chosen"] == load_chosen(mill_model.train)[0].name
    assert set(choice["measured"]) == {"scorecard", "trees"}
    assert choice["rule"]["part"] != "test"


@pytest.mark.parametrize("name", ["scorecard", "trees"])
def test_a_candidate_read_back_is_whole(mill, mill_model, name):
    from training.encoding import model_rows

    candidate, encoding = load_candidate(mill_model.train, name)
    pds = candidate.calibrator.pd(candidate.kernel.margins(model_rows(mill, encoding, mill_model.frame)))

    assert candidate.native[0] == {"scorecard": "scorecard.csv", "trees": "model.ubj"}[name]
    assert candidate.native[1]
    assert ((pds > 0) & (pds < 1)).all()
    assert len(np.unique(pds)) > 100


def test_no_file_of_a_training_run_is_a_pickle(mill_model):
    for path in mill_model.train.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as archive:
            assert all(archive[name].dtype != object for name in archive.files)
    assert {path.suffix for path in mill_model.train.rglob("*") if path.is_file()} == {".npz", ".json", ".csv", ".ubj"}
