"""Stage alternatives: the record, and what evaluate takes, adopted or not; the same bytes for the same data, params and code."""

from __future__ import annotations

import hashlib
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from borrowers import brought, evidence, write_params

from feature_repo.contract import APPLICATION_ID
from governance.release import dump, verify
from training.audit import Audit, Overlap, Times
from training.stages import alternatives, evaluate


@pytest.fixture(scope="module")
def run(mill, mill_model, tmp_path_factory):
    """Runs the stage on the mill's trained model, its groups told by `ice_days`; changes: of the section."""

    def run(**changes):
        at = tmp_path_factory.mktemp("alternatives")
        for name in ("audit", "vault"):
            (at / name).mkdir()
        (at / "audit" / "audit.json").write_bytes(dump(Audit(success=True, findings=(), overlap=Overlap(0, 0, 0, 0, 0.0), times=Times(0),
                                                                 alone=(), proxies=())))
        frame = mill_model.frame
        groups = np.where(frame["ice_days"].fillna(0) + 40 * np.random.default_rng(1).normal(size=len(frame)) > 90, "country", "town")
        pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], "guild": groups}).to_parquet(at / "vault" / "protected.parquet")
        section = {"auc_loss": 0.4, "budget": 2, **changes}
        write_params(at / "params.yaml", {"train": {"choice": {"prefer": "trees"}}, "alternatives": section})
        with brought(), pytest.MonkeyPatch.context() as patch:
            patch.chdir(at)
            alternatives.main(mill.name, mill_model.assemble, mill_model.split, mill_model.search, at / "audit", at / "vault",
                              mill_model.train, at / "alternatives")
        return SimpleNamespace(path=at / "alternatives", record=json.loads((at / "alternatives" / "alternatives.json").read_bytes()), at=at)

    return run


@pytest.fixture(scope="module")
def proposed(run):
    return run()


@pytest.fixture(scope="module")
def adopted(run):
    return run(adopt="within")


def digest(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if
            path.is_file()}


def test_what_is_proposed_is_recorded_and_the_model_stays(proposed, mill_model):
    kept, before = digest(proposed.path), digest(mill_model.train)

    assert (proposed.record["proposed"], proposed.record["adopted"]) == ("trees; without ice_days", False)
    assert {name: kept[name] for name in before} == before
    assert set(kept) - set(before) == {"alternatives.json", "frontier.csv"}


def test_the_record_shows_the_frontier_on_the_test_and_nothing_else_there(proposed):
    members = proposed.record["members"]

    assert all((each["test"] is not None) == (each["frontier"] or each is members[0]) for each in members)
    assert all(0.5 < each["test"]["auc"] < 1 for each in members if each["test"])


def test_an_adopted_model_takes_the_place_of_its_family_and_its_directions_are_proved(adopted, mill_model):
    kept, before = digest(adopted.path), digest(mill_model.train)
    choice = json.loads((adopted.path / "choice.json").read_bytes())

    changed = {name for name in before if kept[name] != before[name]}
    assert changed == {"choice.json", "monotonicity.json", "trees/kernel.npz", "trees/calibrator.json", "trees/model.ubj"}
    assert "it is the model of this release" in choice["why"]
    assert choice["measured"]["trees"]["calibration"]["auc"] == pytest.approx(adopted.record["members"][1]["auc"])
    assert json.loads((adopted.path / "monotonicity.json").read_bytes())["trees"]["holds"]


def test_the_release_is_of_the_adopted_model_and_holds_the_reason(adopted, mill, mill_model):
    at = mill_model
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(adopted.at)
        evaluate.main(mill.name, at.assemble, at.split, adopted.path, at.validate / "verdict.json", adopted.at / "vault",
                      adopted.at / "evaluate", *evidence(at), adopted.path / "alternatives.json")
    release = verify(adopted.at / "evaluate" / "release")

    assert release.read("alternatives.json")["adopted"] is True
    with np.load(adopted.path / "trees" / "kernel.npz") as kernel:
        assert all(np.array_equal(release.arrays("kernel.npz")[name], kernel[name]) for name in kernel)


def test_the_test_part_has_no_say(mill_model, run, adopted, tmp_path, monkeypatch):
    test = (pd.read_parquet(mill_model.split / "parts.parquet")["part"] == "test").to_numpy()
    upside_down = mill_model.frame.copy()
    upside_down.loc[test, "bad"] = 1 - upside_down.loc[test, "bad"]
    shutil.copytree(mill_model.assemble, tmp_path / "assemble")
    upside_down.to_parquet(tmp_path / "assemble" / "applications.parquet")
    monkeypatch.setattr(mill_model, "assemble", tmp_path / "assemble")
    again = digest(run(adopt="within").path)

    assert {name for name, found in digest(adopted.path).items() if again[name] != found} == {"alternatives.json"}


def test_same_data_params_and_code_give_the_same_bytes(run, adopted):
    assert digest(run(adopt="within").path) == digest(adopted.path)
