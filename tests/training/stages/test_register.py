"""register: a card that says where the release is, with what a reader of the registry needs, on an embedded MLflow store."""

from __future__ import annotations

import json

import pytest
from borrowers import brought

from governance import enrolment, events
from governance.ledger.book import open_book
from training import tracking
from training.stages import register


@pytest.fixture
def evaluated(tmp_path, monkeypatch, mill_model):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with brought():
        yield mill_model.evaluate


def test_a_run_shows_measures_settings_pictures_provenance_and_the_model(evaluated, tmp_path, mill, mill_model):
    register.main(mill.name, evaluated, mill_model.search, tmp_path / "register" / "card.json")

    card = json.loads((tmp_path / "register" / "card.json").read_text())
    with tracking.connected() as client:
        run = client.get_run(card["run_id"])
        version = client.get_model_version_by_alias(mill.name, tracking.CHALLENGER)
        pictures = {artifact.path for artifact in client.list_artifacts(card["run_id"], "plots")}
    assert version.tags["release_id"] == card["release_id"]
    assert {"git.commit", "git.dirty", "validation", "interface_hash", "policy.approve_below", "model"} <= set(version.tags)
    assert run.data.metrics["test_gini"] == json.loads((evaluated / "metrics.json").read_text())["test_gini"]
    assert any(name.startswith("train.") for name in run.data.params)
    tables = {path.stem for path in (mill_model.evaluate / "plots").iterdir()}
    assert tables >= {"parts", "roc", "calibration", "scores", "vintages", "bands", "stability"}
    assert pictures == {f"plots/{name}.png" for name in tables}


def test_registering_again_writes_the_same_card_and_says_nothing_new_to_the_record(evaluated, tmp_path, mill, mill_model, capsys):
    cards = [tmp_path / "first" / "card.json", tmp_path / "second" / "card.json"]

    for card in cards:
        register.main(mill.name, evaluated, mill_model.search, card)

    assert cards[0].read_bytes() == cards[1].read_bytes()
    assert capsys.readouterr().out.count("\nsigned by ") == 2
    said = [events.of(record) for record in open_book(tmp_path / "home" / mill.name / "ledger").events() if record.kind in events.KINDS]
    assert [type(event) for event in said] == [events.DataValidated, events.ReleaseRegistered]
    assert (said[0].success, said[0].checks > 0) == (True, True)
    assert said[1].author == said[1].by.name == enrolment.place(tmp_path / "home").actor


def test_a_searched_model_shows_its_trials_and_the_settings_it_was_made_with(evaluated, tmp_path, mill):
    folder = tmp_path / "search"
    best = {"trial": 1, "log_loss": 0.4, "log_loss_of_params": 0.41, "trees": {"depth": 3}}
    folder.mkdir()
    (folder / "search.json").write_text(json.dumps({"trials": 2, "pruned": 0, "best": best}))
    (folder / "trials.csv").write_text("trial,state,log_loss,best,depth,rate,smallest_leaf,rows,columns,ridge\n"
                                       "0,complete,0.41,0.41,4,0.05,20.0,0.8,0.7,5.0\n1,complete,0.4,0.4,3,0.05,20.0,0.8,0.7,5.0\n")

    register.main(mill.name, evaluated, folder, tmp_path / "card.json")

    run_id = json.loads((tmp_path / "card.json").read_text())["run_id"]
    with tracking.connected() as client:
        run = client.get_run(run_id)
        names = {child.info.run_name for child in client.search_runs([run.info.experiment_id]) if child.info.run_id != run_id}
    assert run.data.params["train.trees.depth"] == "3"
    assert "search.trials" in run.data.params
    assert names == {"trial 0", "trial 1"}
