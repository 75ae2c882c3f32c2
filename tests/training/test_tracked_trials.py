"""The trials of a search are runs below the run they led to, in the registry."""

from __future__ import annotations

import dataclasses

from feature_repo.portfolios import load
from training import provenance, tracking
from training.search import Trial
from training.stages.register import example

PORTFOLIO = load("card_default")


def children(card):
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    with tracking.connected() as client:
        experiment = client.get_run(card.run_id).info.experiment_id
        found = client.search_runs([experiment], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{card.run_id}'")
    return {run.data.tags[tracking.TRIAL]: run for run in found}


def test_trials_are_children_of_the_run_once_each_and_one_that_was_cut_off_is_written_anew(tmp_path, monkeypatch, make_release):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    release = make_release(tmp_path / "release")
    outcomes = [("complete", 0.41, {"depth": "4"}), ("pruned", None, {"depth": "2"}), ("complete", 0.4, {"depth": "3"})]
    trials = [Trial(number, *outcome) for number, outcome in enumerate(outcomes)]
    searched = dataclasses.replace(tracking.Evidence({"test_auc": 0.75}, {}, provenance.tags(release), {}, example(release)), trials=trials)

    first = tracking.register(PORTFOLIO, release, searched)
    before = children(first)
    with tracking.connected() as client:
        client.update_run(before["1"].info.run_id, status="RUNNING")
    tracking.register(PORTFOLIO, release, searched)
    after = children(first)

    assert set(before) == set(after) == {"0", "1", "2"}
    assert {number: run.info.run_id == before[number].info.run_id for number, run in after.items()} == {"0": True, "1": False, "2": True}
    assert [after[number].info.status for number in "012"] == ["FINISHED", "KILLED", "FINISHED"]
    assert after["2"].data.metrics == {"log_loss": 0.4}
    assert after["1"].data.metrics == {}
    assert after["2"].data.params == {"depth": "3"}
    assert after["1"].data.tags["state"] == "pruned"
