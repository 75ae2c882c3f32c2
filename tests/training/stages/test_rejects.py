"""Stage rejects: where it does not apply it says why, costs nothing and leaves files that the stages after it can read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from borrowers import brought

from training import pictures
from training.stages import rejects


@pytest.fixture
def run(mill, mill_model, tmp_path, monkeypatch):
    """Runs the stage on the mill with a record of outcomes; its folder."""

    def go(standing):
        frame = mill_model.frame
        record = pd.DataFrame({"application_id": frame["application_id"], "standing": standing, "bad_on": pd.NaT})
        record.to_parquet(tmp_path / "record.parquet")
        at = mill_model
        monkeypatch.chdir(at.assemble.parent)
        with brought():
            rejects.main(mill.name, tmp_path / "record.parquet", at.assemble, at.split, at.search, at.train, tmp_path / "rejects")
        return tmp_path / "rejects"

    return go


def written(folder):
    return json.loads((folder / "rejects.json").read_bytes())


def test_applications_without_an_outcome_that_nobody_calls_rejected_are_not_inferred(run, mill_model, capsys):
    folder = run(np.where(mill_model.frame["bad"].isna(), "nothing", "good"))
    found = written(folder)

    assert (found["applicable"], found["models"], found["band"], found["metrics"]) == (False, {}, {}, {})
    assert found["counts"]["unexplained"] > 100
    assert found["why"] in capsys.readouterr().out
    assert "say which: Outcome(rejected=…)" in found["why"]
    assert pictures.draw_apart((folder,)) == {}


def test_an_inference_that_cannot_be_fitted_says_so_and_stops_nothing(run, mill_model, monkeypatch):
    from feature_repo.errors import DataError
    from training import reject_inference

    def refuse(*_):
        raise DataError("the model does not rank the outcomes it is calibrated on")

    monkeypatch.setattr("training.rejected.why_not", lambda *_: "")
    monkeypatch.setattr(reject_inference, "fit_calibrator", refuse)
    folder = run(np.where(mill_model.frame["bad"].isna(), "rejected", "good"))

    assert written(folder)["why"] == "not applicable: the model does not rank the outcomes it is calibrated on"


def test_an_unknown_setting_is_refused(run, mill_model, monkeypatch):
    from feature_repo.errors import ParamsError

    path = mill_model.assemble.parent / "params.yaml"
    monkeypatch.setattr("feature_repo.params.PARAMS", path)
    before = path.read_text()
    path.write_text(before.replace("parcels:", "parcel:"))
    try:
        with pytest.raises(ParamsError, match=r"section rejects: .*parcel"):
            run("good")
    finally:
        path.write_text(before)
