"""The baseline scores everyone after the cut with the release, and nobody else."""

from __future__ import annotations

import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID
from feature_repo.errors import DataError, ReleaseError
from governance.release import verify
from monitoring import window
from monitoring.stages import baseline
from training.splits import PERIOD


def test_everyone_after_the_cut_is_in_the_window_rejects_included(at_home):
    parts = pd.read_parquet(at_home.split / "parts.parquet")
    frame = pd.read_parquet(at_home.window)
    assert set(frame[APPLICATION_ID]) == set(parts.loc[parts[PERIOD] == "after", APPLICATION_ID])
    assert frame["bad"].isna().any()
    assert set(frame[window.RELEASE_ID]) == {verify(at_home.release).id}


def test_without_an_application_after_the_cut_it_says_so(at_home, tmp_path):
    parts = pd.read_parquet(at_home.split / "parts.parquet")
    parts.assign(period="development").to_parquet(tmp_path / "parts.parquet")
    with pytest.raises(DataError, match="no application after the cut"):
        baseline.main("mill", at_home.assemble, tmp_path, at_home.release, tmp_path)


def test_a_release_that_does_not_verify_scores_nobody(at_home, tmp_path):
    import shutil

    broken = shutil.copytree(at_home.release, tmp_path / "release")
    (broken / "policy.json").write_bytes(b"{}")
    with pytest.raises(ReleaseError, match="changed"):
        baseline.main("mill", at_home.assemble, at_home.split, broken, tmp_path / "out")
    assert not (tmp_path / "out").exists()
