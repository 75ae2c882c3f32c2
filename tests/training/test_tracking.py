"""A release is registered once, in a real MLflow server, and comes back byte for byte and PD for PD."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from feature_repo.errors import ServiceError
from feature_repo.portfolios import load
from governance.release import verify
from training import origin, provenance, tracking
from training.stages.register import example

PORTFOLIO = load("card_default")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real MLflow server of our own; ended by its own process id."""
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}", "--artifacts-destination", str(home / "artifacts")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
    address = f"http://127.0.0.1:{port}"
    wait_for(f"{address}/health", process)
    yield address
    family = [process, *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    for child in family[1:]:
        child.wait(10)
    process.wait(20)


def wait_for(url, process):
    for _ in range(600):
        assert process.poll() is None, "the MLflow server ended before it answered"
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the MLflow server did not answer")


@pytest.fixture(params=["embedded", "server"])
def home(request, tmp_path, monkeypatch):
    """Both ways to reach MLflow: the embedded store and a server."""
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    if request.param == "server":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("server"))
    else:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def evidence(release):
    return tracking.Evidence({"test_auc": 0.75}, {"train.seed": 1}, provenance.tags(release), {}, example(release))


def test_a_release_is_registered_once_and_returns_intact_with_the_same_pd(home, make_release):
    release = make_release(home / "release")

    first = tracking.register(PORTFOLIO, release, evidence(release))
    again = tracking.register(PORTFOLIO, release, dataclasses.replace(evidence(release), signature=b"first"))
    tracking.register(PORTFOLIO, release, dataclasses.replace(evidence(release), signature=b"second"))
    tracking.let_champion_be(first)
    champion = tracking.card(PORTFOLIO.name)

    assert first == again == champion
    fetched = tracking.fetch(champion, home / "fetched")
    assert verify(fetched, release.id).id == release.id
    assert fetched.with_suffix(".sig").read_bytes() == tracking.signature(champion) == b"first"
    with tracking.connected():
        import mlflow

        model = mlflow.pyfunc.load_model(f"models:/{PORTFOLIO.name}@champion")
        assert model.metadata.signature is not None
        expected = [golden["decision"]["pd"] for golden in release.read("golden.json", list)]
        assert model.predict(example(release))["pd"].tolist() == expected


def test_an_old_release_gets_its_alias_back_at_its_old_version(home, make_release):
    old, new = make_release(home / "old", intercept=-1.5), make_release(home / "new", intercept=-2.0)

    versions = [tracking.register(PORTFOLIO, release, evidence(release)).version for release in (old, new, old)]

    assert versions[0] == versions[2] != versions[1]
    with tracking.connected() as client:
        assert str(client.get_model_version_by_alias(PORTFOLIO.name, tracking.CHALLENGER).version) == versions[0]


def test_an_alias_names_the_version_it_was_told_and_none_before(home):
    name = f"aliases-{home.name}"
    assert tracking.alias(name, "champion") is None
    with tracking.connected() as client:
        client.create_registered_model(name)
        for _ in range(2):
            client.create_model_version(name, "s3://nowhere/model")

    assert tracking.alias(name, "champion") is None
    tracking.let_alias_be(name, "champion", "1")
    tracking.let_alias_be(name, "shadow", "2")
    assert (tracking.alias(name, "champion"), tracking.alias(name, "shadow")) == ("1", "2")
    tracking.let_alias_be(name, "champion", "2")
    assert tracking.alias(name, "champion") == "2"


REGISTER = """
import os, pathlib, resource, sys
sys.path.insert(0, {root!r})
import mlflow
from feature_repo.errors import run_stage
from feature_repo.portfolios import load
from governance.release import verify
from training import tracking
from training.stages.register import example
def main(portfolio):
    release = verify(pathlib.Path({release!r}))
    tracking.register(load(portfolio), release, tracking.Evidence({{}}, {{"a": 1}}, {{}}, {{}}, example(release)))
tracking.make_store()
{fault}
sys.argv[1:] = ["card_default"]
run_stage(main)
"""
NO_ROOM = "resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))"
KILLED_AT = {"its run is begun": "log_params", "its model is logged": "register_model"}


@pytest.mark.parametrize("moment", KILLED_AT)
def test_a_register_killed_half_way_leaves_one_run_one_model_and_one_version(tmp_path, monkeypatch, make_release, moment):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    release = make_release(tmp_path / "release")
    register = REGISTER.format(root=str(Path(__file__).parents[2]), release=str(release.path),
                               fault=f"mlflow.{KILLED_AT[moment]} = lambda *all, **named: os.kill(os.getpid(), 9)")
    killed = subprocess.run([sys.executable, "-c", register], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr

    card = tracking.register(PORTFOLIO, release, evidence(release))

    with tracking.connected() as client:
        experiment = client.get_experiment_by_name(PORTFOLIO.name).experiment_id
        runs = client.search_runs([experiment], f"tags.release_id = '{release.id}'")
        models = client.search_logged_models([experiment])
        versions = client.search_model_versions(f"name = '{PORTFOLIO.name}' and tags.release_id = '{release.id}'")
    assert [(run.info.run_id, run.info.status) for run in runs] == [(card.run_id, "FINISHED")]
    assert [str(version.version) for version in versions] == [card.version]
    assert [model.source_run_id for model in models] == [card.run_id]
    assert verify(tracking.fetch(card, tmp_path / "fetched"), release.id).id == release.id


def test_a_store_that_may_not_grow_is_one_line_that_names_its_folder(tmp_path, monkeypatch, make_release):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    release = make_release(tmp_path / "release")
    register = REGISTER.format(root=str(Path(__file__).parents[2]), release=str(release.path), fault=NO_ROOM)

    done = subprocess.run([sys.executable, "-c", register], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("MachineError: ")
    assert str(tmp_path / "home") in done.stderr
    assert "dvc repro" in done.stderr


def test_an_embedded_store_killed_in_the_making_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = [sys.executable, "-c", "from training import tracking; tracking.make_store()"]
    making = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    draft = tmp_path / "mlflow" / "mlflow.db.draft"
    for _ in range(600):
        if draft.is_file() and draft.stat().st_size > 200_000:
            break
        time.sleep(0.05)
    making.kill()
    making.wait(10)
    assert draft.is_file(), "killed too late"
    assert not draft.with_suffix("").exists()

    with tracking.connected() as client:
        assert [found.name for found in client.search_experiments()] == ["Default"]
    assert not draft.exists()


def test_the_embedded_store_keeps_its_artefacts_with_it_and_leaves_the_environment_alone(tmp_path, monkeypatch, make_release):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    release = make_release(tmp_path / "release")

    tracking.register(PORTFOLIO, release, evidence(release))

    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert [*(tmp_path / "work").iterdir()] == []
    assert [*(tmp_path / "home").rglob("release.json")]


def test_a_dead_server_is_one_message_within_seconds(tmp_path, monkeypatch, free_port):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    started = time.monotonic()

    with pytest.raises(ServiceError, match=str(free_port)):
        tracking.card(PORTFOLIO.name)

    assert time.monotonic() - started < 30


def test_an_error_names_the_server_and_not_its_password(tmp_path, monkeypatch, free_port):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://somebody:secret@127.0.0.1:{free_port}")

    with pytest.raises(ServiceError) as caught:
        tracking.card(PORTFOLIO.name)

    assert f"127.0.0.1:{free_port}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_version_registered_by_hand_cannot_be_placed(tmp_path, monkeypatch, make_release):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with tracking.connected() as client:
        client.create_registered_model(PORTFOLIO.name)
        client.create_model_version(PORTFOLIO.name, (tmp_path / "anything").as_uri())

    with pytest.raises(ServiceError, match="carries no release"):
        tracking.card(PORTFOLIO.name, version="1")


def test_a_release_made_again_from_a_commit_is_that_commits(tmp_path, monkeypatch, make_release):
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    release = make_release(tmp_path / "release")
    first = evidence(release)
    dirty, clean = ({**first.tags, "git.dirty": state, "git.commit": state * 8} for state in ("true", "false"))

    for tags in (dirty, clean, dirty):
        card = tracking.register(PORTFOLIO, release, dataclasses.replace(first, tags=tags))

    with tracking.connected() as client:
        tags = client.get_model_version(PORTFOLIO.name, card.version).tags
    assert (tags["git.dirty"], tags["git.commit"]) == ("false", "false" * 8)


def test_a_queued_experiment_shares_the_checkouts_home(tmp_path, monkeypatch):
    monkeypatch.delenv("TALLY_HOME", raising=False)
    queued = tmp_path / ".dvc" / "tmp" / "exps" / "standalone" / "abc"
    queued.mkdir(parents=True)
    monkeypatch.chdir(queued)

    assert origin.home() == tmp_path / "var"
