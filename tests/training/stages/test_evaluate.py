"""Stage evaluate: a whole release of either model, sealed with the validation it rests on."""

from __future__ import annotations

import json

import pytest

from feature_repo.errors import DataError
from governance.release import verify
from serving.scoring import decision

COMMON = {"contract.json", "encoding.json", "kernel.npz", "calibrator.json", "policy.json", "reasons.json", "bins.json", "fairness.json",
          "golden.json", "measures.json", "parts.json", "stability.json", "search.json", "monotonicity.json",
          "binning.json", "calibration.json", "cutoffs.json", "fidelity.json", "gates.json", "support.json"}


@pytest.fixture(scope="module")
def scorecard_model(mill, mill_model, make_model):
    return make_model(mill, mill_model.frame, train={"choice": {"prefer": "scorecard", "unless_better_by": 1.0}})


def test_a_release_of_trees_holds_the_native_model(mill_model):
    assert set(verify(mill_model.release).manifest.files) == COMMON | {"model.ubj"}


def test_a_release_of_a_scorecard_holds_the_points_table_and_decides(mill, scorecard_model):
    release = verify(scorecard_model.release)

    assert set(release.manifest.files) == COMMON | {"scorecard.csv"}
    assert (release.path / "scorecard.csv").read_text().startswith("input,value,points\nstart,,")
    golden = release.read("golden.json", list)[0]
    assert decision.load(release, mill).decide(golden["values"]).pd == golden["decision"]["pd"]


def test_the_manifest_carries_the_validation_verdict(mill_model):
    verdict = json.loads((mill_model.validate / "verdict.json").read_bytes())

    assert verify(mill_model.release).manifest.validation == verdict


def test_evaluating_again_leaves_no_file_of_the_release_before(mill, mill_model, scorecard_model, monkeypatch):
    from borrowers import brought, evidence

    from training.stages import evaluate

    at = scorecard_model
    monkeypatch.chdir(at.assemble.parent)
    (at.release / "left over").write_text("x")
    before = {path.name for path in at.release.iterdir()} - {"left over"}
    with brought():
        evaluate.main(mill.name, at.assemble, at.split, at.train, at.validate / "verdict.json", at.vault, at.evaluate, *evidence(at))

    assert {path.name for path in at.release.iterdir()} == before


def test_a_split_of_other_applications_is_refused(mill, mill_model, monkeypatch, tmp_path):
    import pandas as pd
    from borrowers import brought

    from training.stages import evaluate

    at = mill_model
    monkeypatch.chdir(at.assemble.parent)
    pd.read_parquet(at.split / "parts.parquet").iloc[1:].to_parquet(tmp_path / "parts.parquet")
    with brought(), pytest.raises(DataError, match="run the split stage again"):
        evaluate.main(mill.name, at.assemble, tmp_path, at.train, at.validate / "verdict.json", at.vault, tmp_path / "evaluate")
