"""A trained release of each model family, through the real pipeline, registry, feature store and service: offline equals online."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pandas as pd
import pytest
from ledgers import window

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.offline import history
from feature_repo.portfolios import load
from governance.release import verify
from serving.scoring import batch, decision
from training import assembly

WANTED = 1_000
BATCH = 100
SAME = ["pd", "margin", "score", "band", "outcome"]


@pytest.fixture(scope="module", params=["scorecard", "trees"])
def served(request, small_project, tmp_path_factory, free_ports):
    """A checkout of its own whose release is of one family, promoted and served; and a thousand decisions of the service."""
    path = tmp_path_factory.mktemp(request.param) / "project"
    shutil.copytree(small_project.path, path, ignore=shutil.ignore_patterns("var", "__pycache__"))
    project = type(small_project)(path)
    if verify(project.data("evaluate", "release")).manifest.model != request.param:
        choice = project.params["train"]["choice"]
        project.change("train", choice={**choice, "prefer": request.param, "unless_better_by": 1.0})
    project.repro("register", "baseline")
    ports = {"TALLY_PORT": str(free_ports(1)[0])}
    for command in (["publish"], ["promote", "--demo"], ["serve"]):
        done = project.run("tally", *command, **ports)
        assert done.returncode == 0, done.stdout + done.stderr
    portfolio = load(project.portfolio)
    window = pd.read_parquet(project.data("baseline", "window.parquet")).drop_duplicates(APPLICANT_ID, keep="last").tail(WANTED)
    answers = ask(f"http://127.0.0.1:{ports['TALLY_PORT']}", portfolio, window)
    yield SimpleNamespace(family=request.param, project=project, portfolio=portfolio, window=window, answers=answers)
    project.run("tally", "stop", **ports)


def ask(api, portfolio, window):
    """The service's decisions, in the order of the window."""
    said = window[[column.name for column in portfolio.requests]].astype(object).where(window.notna(), None)
    asked = [{APPLICANT_ID: applicant, "application": values}
             for applicant, values in zip(window[APPLICANT_ID], said.to_dict("records"), strict=True)]
    answers = []
    for start in range(0, len(asked), BATCH):
        answer = httpx.post(f"{api}/v1/decisions:batch", json={"decisions": asked[start : start + BATCH]}, timeout=60)
        assert answer.status_code == 200, answer.text
        answers += answer.json()["decisions"]
    return answers


@pytest.fixture(scope="module")
def recorded(served):
    """The ledger's records of the answers, in their order."""
    folder = served.project.path / "var" / served.portfolio.name
    found = {content["decision_id"]: content for content in
             window(folder, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))}
    return [found[answer["decision_id"]] for answer in served.answers]


@pytest.fixture(scope="module")
def offline(served):
    """The same applications at the same moment, joined by Feast, assembled and scored as the pipeline does."""
    moment = pd.Timestamp(served.answers[0]["decided_at"])
    features = pd.read_parquet(served.project.data("featurize", "applications.parquet")).set_index("application_id")
    applications = features.loc[served.window["application_id"]].reset_index().assign(**{EVENT_TIME: moment})
    inputs = assembly.assemble(served.portfolio, history(served.portfolio, applications, served.project.data("featurize", "views")))
    inputs = inputs.set_index(APPLICANT_ID).loc[served.window[APPLICANT_ID]].reset_index()
    scorer = decision.load(verify(served.project.data("evaluate", "release")), served.portfolio)
    return scorer, inputs, batch.score(scorer, inputs)


def test_the_release_is_of_the_family_that_was_asked_for(served):
    assert verify(served.project.data("evaluate", "release")).manifest.model == served.family


def test_a_thousand_applicants_are_decided_online_as_offline_to_the_last_bit(served, recorded, offline):
    assert len(recorded) == WANTED
    assert {content["outcome"] for content in recorded} == {"approve", "refer", "decline"}

    online = pd.DataFrame(recorded)[SAME]

    pd.testing.assert_frame_equal(online, offline[2][SAME].reset_index(drop=True), check_exact=True, check_dtype=False)


def test_served_margins_are_those_of_the_native_model_beside_them(served, recorded, offline):
    import xgboost

    release = served.project.data("evaluate", "release")
    natives = {path.name for path in release.iterdir()} & {"model.ubj", "scorecard.csv"}
    assert natives == {"trees": {"model.ubj"}, "scorecard": {"scorecard.csv"}}[served.family]
    if served.family == "trees":
        scorer, inputs, _ = offline
        columns = {column.name: inputs[column.name].to_numpy() for column in served.portfolio.inputs}
        rows = xgboost.DMatrix(decision.encode(served.portfolio, scorer.encoding, columns))
        own = xgboost.Booster(model_file=release / "model.ubj").predict(rows, output_margin=True)
        assert own.astype(float).tolist() == [content["margin"] for content in recorded]


def test_mlflow_loads_the_registered_model_and_predicts_the_same_pd(served, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(served.project.path / "var"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    from training import tracking

    with tracking.connected() as client:
        import mlflow

        model = mlflow.pyfunc.load_model(f"models:/{served.portfolio.name}@{tracking.CHALLENGER}")
        tags = client.get_model_version_by_alias(served.portfolio.name, tracking.CHALLENGER).tags
    raw = served.window[[column.name for column in served.portfolio.raw_inputs]]

    assert model.predict(raw)["pd"].tolist() == served.window["pd"].tolist()
    assert model.metadata.saved_input_example_info
    assert tags["validation"] == "passed"
    assert any(name.startswith("data.") and name.endswith("/ingest") for name in tags)
