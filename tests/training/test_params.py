"""params.yaml is read strictly: a misspelt key, a wrong type or a value out of bounds names its place."""

from __future__ import annotations

import pytest

from feature_repo.errors import ParamsError
from feature_repo.params import read
from training.params import EvaluateParams, SplitParams, TrainParams

SECTIONS = [("split", SplitParams), ("train", TrainParams), ("evaluate", EvaluateParams)]


@pytest.mark.parametrize(("section", "kind"), SECTIONS)
def test_the_platforms_own_sections_are_whole(section, kind):
    read(section, kind)


@pytest.mark.parametrize(("section", "change", "named"), [
    ("split", {"sead": 1}, "sead"), ("split", {"calibration_share": 1.0}, "calibration_share"), ("train", {"trees": {"depth": 9}}, "depth"),
    ("train", {"choice": {"part": "test"}}, "part"), ("train", {"calibration": {"trees": "guess"}}, "trees"),
    ("evaluate", {"policy": {"approve_share": "most"}}, "approve_share"), ("evaluate", {"bins": 1}, "bins"),
    ("split", {"calibration_rows": 0}, "calibration_rows"), ("train", {"cross_validation": {"folds": 2}}, "folds"),
    ("train", {"calibration": {"isotonic_from": 0}}, "isotonic_from"),
])
def test_a_wrong_value_names_its_place(tmp_path, section, change, named):
    from borrowers import write_params

    write_params(tmp_path / "params.yaml", {section: change})

    with pytest.raises(ParamsError, match=f"section {section}.*{named}"):
        read(section, dict(SECTIONS)[section], tmp_path / "params.yaml")
