"""Stage train: both candidates calibrated and kept, one chosen, and the same bytes for the same data, params and code."""

from __future__ import annotations

import hashlib

import pytest


def digest(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def again(mill, mill_model, make_model):
    return make_model(mill, mill_model.frame, train={"choice": {"prefer": "trees"}})


@pytest.fixture(scope="module")
def reseeded(mill, mill_model, make_model):
    return make_model(mill, mill_model.frame, train={"seed": 8, "choice": {"prefer": "trees"}})


def test_it_keeps_what_the_table_of_artefacts_says(mill_model):
    assert set(digest(mill_model.train)) == {
        "encoding.json", "choice.json", "monotonicity.json", "scorecard/kernel.npz", "scorecard/calibrator.json", "scorecard/scorecard.csv",
        "trees/kernel.npz", "trees/calibrator.json", "trees/model.ubj",
    }


def test_same_data_params_and_code_give_the_same_bytes(mill_model, again):
    assert digest(again.train) == digest(mill_model.train)


def test_same_data_params_and_code_give_the_same_release_and_evaluation(mill_model, again):
    assert digest(again.evaluate) == digest(mill_model.evaluate)


def test_another_seed_gives_another_release(mill_model, reseeded):
    from governance.release import verify

    assert verify(reseeded.release).id != verify(mill_model.release).id


def test_the_test_part_is_never_looked_at(mill, mill_model, make_model, borrow):
    import pandas as pd

    test = (pd.read_parquet(mill_model.split / "parts.parquet")["part"] == "test").to_numpy()
    upside_down = mill_model.frame.copy()
    upside_down.loc[test, "bad"] = 1 - upside_down.loc[test, "bad"]

    assert digest(make_model(mill, upside_down, train={"choice": {"prefer": "trees"}}).train) == digest(mill_model.train)


def test_trees_trained_without_the_constraint_end_the_stage_and_nothing_is_kept(mill, mill_model, tmp_path, monkeypatch):
    import shutil

    from borrowers import brought

    from feature_repo.errors import ReleaseError
    from training import recipe
    from training.stages import train

    monkeypatch.setattr(recipe, "risks_of", lambda portfolio: (0,) * len(portfolio.inputs))
    shutil.copy(mill_model.train.parent / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)

    with brought(), pytest.raises(ReleaseError, match="disobeys its direction in mill's file"):
        train.main("mill", mill_model.assemble, mill_model.split, mill_model.search, tmp_path / "train")
    assert not (tmp_path / "train").exists()
