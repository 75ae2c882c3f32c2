"""Stage search: off by default and then cheap; on, the same bytes for the same seed, and what it finds is what train uses and says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from borrowers import ROOT, brought

from feature_repo.errors import ParamsError
from serving.scoring.trees import Trees
from training.candidates import load_candidate
from training.search import read, read_trials
from training.stages import search, train

ON = {"trials": 8, "folds": 2}
QUICK = {"rounds": 60, "patience": 5, "rate": 0.2}


def params(folder, mill_model, **sections):
    """The model's own params.yaml in a folder of its own, with changes."""
    found = yaml.safe_load((mill_model.train.parent / "params.yaml").read_text())
    found["train"]["trees"].update(QUICK)
    for name, changes in sections.items():
        found[name].update(changes)
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(found))
    return folder


def searched(folder, mill_model, monkeypatch):
    monkeypatch.chdir(folder)
    with brought():
        search.main("mill", mill_model.assemble, mill_model.split, folder / "search")
    return folder / "search"


@pytest.fixture(scope="module")
def found(tmp_path_factory, mill_model):
    with pytest.MonkeyPatch.context() as patch:
        yield searched(params(tmp_path_factory.mktemp("search"), mill_model, search=ON), mill_model, patch)


def test_off_it_finds_nothing_and_imports_neither_optuna_nor_pandas(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    program = ("import sys; from pathlib import Path; from training.stages import search\n"
               "search.main('card_default', Path('none'), Path('none'), Path('search'))\n"
               "print(sorted({'optuna', 'pandas', 'xgboost', 'optbinning'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT)})

    assert done.stdout.splitlines() == ["nothing is searched: search.trials is 0", "[]"]
    assert json.loads((tmp_path / "search" / "search.json").read_text()) == {"trials": 0, "pruned": 0, "best": None}
    assert (tmp_path / "search" / "trials.csv").read_text() == "trial,state,log_loss,best,depth,rate,smallest_leaf,rows,columns,ridge\n"


def test_the_same_seed_gives_the_same_bytes_and_another_other_trials(found, tmp_path, mill_model, monkeypatch):
    again = searched(params(tmp_path / "again", mill_model, search=ON), mill_model, monkeypatch)
    reseeded = searched(params(tmp_path / "reseeded", mill_model, search=ON | {"seed": 8}), mill_model, monkeypatch)

    for name in ("search.json", "trials.csv"):
        assert (again / name).read_bytes() == (found / name).read_bytes()
        assert (reseeded / name).read_bytes() != (found / name).read_bytes()


def test_it_begins_with_the_settings_of_params_yaml_and_ends_with_none_worse(found):
    result, table = read(found), pd.read_csv(found / "trials.csv")

    assert len(table) == result.trials == ON["trials"]
    assert table.loc[0, ["depth", "rate", "rows", "columns"]].tolist() == [4, 0.2, 0.8, 0.7]
    assert table.loc[0, "log_loss"] == result.best.log_loss_of_params
    assert result.best.log_loss == table["log_loss"].min() == table["best"].iloc[-1] <= result.best.log_loss_of_params
    assert table["best"].is_monotonic_decreasing
    assert result.pruned == (table["state"] == "pruned").sum() == table["log_loss"].isna().sum()


def test_trials_are_read_as_they_were_written(found):
    trials, table = read_trials(found), pd.read_csv(found / "trials.csv")

    assert [trial.number for trial in trials] == list(range(ON["trials"]))
    assert [trial.log_loss is None for trial in trials] == table["log_loss"].isna().tolist()
    assert [float(trial.settings["rate"]) for trial in trials] == table["rate"].tolist()


def test_train_uses_what_was_found_proves_it_and_says_so(found, mill_model, monkeypatch):
    monkeypatch.chdir(found.parent)
    best = json.loads((found / "search.json").read_text())["best"]
    (found.parent / "planted").mkdir()
    shutil.copy(found / "trials.csv", found.parent / "planted")
    best["trees"]["depth"] = 1
    (found.parent / "planted" / "search.json").write_text(json.dumps({"trials": 8, "pruned": 0, "best": best}))

    with brought():
        train.main("mill", mill_model.assemble, mill_model.split, found.parent / "planted", found.parent / "train")

    kernel = load_candidate(found.parent / "train", "trees")[0].kernel
    assert isinstance(kernel, Trees)
    assert len(kernel.left) <= 3 * len(kernel.roots), "trees of depth 1, as the search said"
    (note,) = [note for note in json.loads((found.parent / "train" / "choice.json").read_text())["notes"] if "search" in note]
    assert f"trial {best['trial']} of a search of 8 (" in note
    assert "depth 1, " in note


def test_a_space_that_does_not_hold_the_settings_it_begins_with_is_refused(tmp_path, mill_model, monkeypatch):
    space = yaml.safe_load((ROOT / "params.yaml").read_text())["search"]["space"]
    folder = params(tmp_path, mill_model, search=ON | {"space": space | {"depth": [2, 3]}})

    with pytest.raises(ParamsError, match=r"search\.space\.depth is 2 to 3, and train\.trees\.depth is 4"):
        searched(folder, mill_model, monkeypatch)


def test_unknown_keys_and_a_depth_reasons_are_not_exact_for_are_refused(tmp_path, mill_model, monkeypatch):
    for change in ({"trails": 5}, {"trials": -1}, {"space": {"depth": [2, 7]}}):
        with pytest.raises(ParamsError, match="section search"):
            searched(params(tmp_path, mill_model, search=change), mill_model, monkeypatch)
