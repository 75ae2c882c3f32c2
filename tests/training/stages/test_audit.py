"""Stage audit: what it keeps, and that a protected attribute under another name ends the run before anything is trained."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from borrowers import brought

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError
from training.stages import audit, split


@pytest.fixture
def run(mill, mill_model, tmp_path, monkeypatch):
    """Runs split and audit on a frame, in a folder of their own."""
    shutil.copy(mill_model.train.parent / "params.yaml", tmp_path)
    shutil.copytree(mill_model.vault, tmp_path / "vault")
    for folder in ("featurize/views", "assemble", "validate"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "validate" / "verdict.json").write_text(json.dumps(
        {"success": True, "checks": 1, "failures": [], "warnings": [], "suite": "", "rows": {}}))
    monkeypatch.chdir(tmp_path)

    def run(frame):
        frame.to_parquet("assemble/applications.parquet")
        for table in mill.views:
            kept = frame[[APPLICANT_ID, EVENT_TIME, *(column.name for column in table.stored)]]
            kept.assign(**{EVENT_TIME: kept[EVENT_TIME].dt.as_unit("us")}).to_parquet(f"featurize/views/{table.name}.parquet")
        with brought():
            split.main(mill.name, tmp_path / "assemble", tmp_path / "split")
            audit.main(mill.name, *(tmp_path / part for part in ("assemble", "split", "featurize")), tmp_path / "validate" / "verdict.json",
                       tmp_path / "vault", tmp_path / "audit")
        return json.loads((tmp_path / "audit" / "audit.json").read_bytes())

    return run


@pytest.fixture
def frame(mill, mill_model):
    """One application per person, its outcome matured."""
    found = mill_model.frame.drop_duplicates(APPLICANT_ID, ignore_index=True)
    late = found[EVENT_TIME] + mill.outcome.matures_after > mill.outcome.observed_until if mill.outcome.observed_until else False
    return found.assign(**{BAD: found[BAD].mask(late)})


def test_sound_parts_pass_and_what_was_looked_at_is_kept(run, frame, tmp_path):
    found = run(frame)

    assert (found["success"], found["findings"]) == (True, [])
    assert set(found) == {"success", "findings", "overlap", "times", "alone", "proxies"}
    assert [told["attribute"] for told in found["proxies"]] == ["guild"]
    again = (tmp_path / "audit" / "audit.json").read_bytes()
    run(frame)
    assert (tmp_path / "audit" / "audit.json").read_bytes() == again


def test_a_copy_of_a_protected_attribute_ends_the_run_and_the_record_says_so(mill, run, frame, mill_model, tmp_path):
    groups = frame[[APPLICATION_ID]].merge(pd.read_parquet(mill_model.vault / "protected.parquet"), on=APPLICATION_ID, how="left")["guild"]
    name = next(column.name for column in mill.requests if not column.is_level)

    with pytest.raises(DataError, match=f"{name} alone tells guild .* from the rest with AUC 1.000, allowed below 0.95"):
        run(frame.assign(**{name: groups.map({"town": 4.0, "country": 2.0}).astype(float).to_numpy()}))
    assert json.loads((tmp_path / "audit" / "audit.json").read_bytes())["success"] is False
