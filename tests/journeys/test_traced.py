"""From a trained release to a proof in somebody's hands: asked for, approved and promoted over HTTP, used, and every question answered.

All of it after the registry is gone. The tests are one story: each begins where the one before it ended.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from projects import Project, copy_of_its_results
from ruamel.yaml import YAML
from served import serve

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load
from governance import enrolment

UNTIL = "2027-06-01T00:00:00+00:00"
BATCH = 100


@pytest.fixture(scope="module")
def project(small_project, tmp_path_factory) -> Project:
    """The small project with a registry and a record of its own, whatever other tests did to those of the original."""
    project = copy_of_its_results(small_project, tmp_path_factory.mktemp("traced") / "project")
    project.repro()
    return project


@pytest.fixture(scope="module")
def tokens(project) -> dict[str, str]:
    place = enrolment.place(project.path / "var", {"TALLY_ACTOR": "dora"})
    for name, role in (("olga", "owner"), ("anna", "approver"), ("dora", "desk")):
        enrolment.add(place, name, (role,))
    return {name: enrolment.give_token(place, name) for name in ("olga", "anna")}


@pytest.fixture(scope="module")
def desk(project, tokens, free_ports) -> Iterator[str]:
    """The desk over the project's home, ended by its own process id."""
    port = str(free_ports(1)[0])
    environment = project.environment(TALLY_RECORD_PORT=port, TALLY_ACTOR="dora", TALLY_HOME=str(project.path / "var"))
    with subprocess.Popen([sys.executable, "-m", "tally.desk.server"], cwd=project.path, env=environment) as process:
        for _ in range(1200):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/livez").is_success:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def promoted(project, desk, tokens) -> str:
    """The release of the project, let serve by two people who hold tokens."""
    def post(path: str, name: str, **body: str) -> Any:
        answer = httpx.post(desk + path, json=body, headers={"Authorization": f"Bearer {tokens[name]}"}, timeout=120)
        assert answer.is_success, answer.text
        return answer.json()

    asked = post("/v1/requests", "olga", reason="better than nothing")["request"]
    for gate in (gate for gate in asked["gates"] if not gate["passed"]):
        post(f"/v1/requests/{asked['id']}/waive", "anna", gate=gate["gate"], until=UNTIL, reason="a small simulated portfolio")
    assert post(f"/v1/requests/{asked['id']}/approve", "anna", reason="looked at the validation")["state"] == "approved"
    made = post(f"/v1/requests/{asked['id']}/promote", "olga")
    pointer = json.loads((project.path / "var" / project.portfolio / "champion.json").read_text())
    assert pointer["release_id"] == made["release_id"] == asked["release_id"]
    return str(made["release_id"])


@pytest.fixture(scope="module")
def decided(project, promoted) -> dict[str, Any]:
    """Decisions of the newest applications, one of them declined; then the registry is gone, and all its files."""
    did(project, "tally", "publish")
    window = pd.read_parquet(project.data("baseline", "window.parquet")).tail(4 * BATCH)
    columns = [column.name for column in load(project.portfolio).requests]
    asked = [{APPLICANT_ID: row[APPLICANT_ID], "application": {name: None if pd.isna(row[name]) else row[name] for name in columns}}
             for row in window.to_dict("records")]
    answers: list[dict[str, Any]] = []
    with serve(project.path / "var", project.portfolio, TALLY_BUSINESS_TIME=window["decided_at"].max().isoformat()) as service:
        for start in range(0, len(asked), BATCH):
            answer = httpx.post(f"{service.url}/v1/decisions:batch", json={"decisions": asked[start : start + BATCH]}, timeout=60)
            answers += answer.raise_for_status().json()["decisions"]
    shutil.rmtree(project.path / "var" / "mlflow")
    return next(answer for answer in answers if answer["outcome"] == "decline")


def did(project: Project, *command: str, code: int = 0) -> str:
    done = project.run(*command)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_a_decision_is_traced_to_run_commit_data_validation_and_approvals_without_a_registry(project, promoted, decided):
    told = did(project, "tally", "trace", decided["decision_id"])
    found = json.loads(did(project, "tally", "trace", decided["decision_id"], "--json"))["trace"]
    card = json.loads(project.data("register", "card.json").read_text())
    commit = did(project, "git", "rev-parse", "HEAD").strip()
    lock = YAML(typ="safe").load((project.path / "dvc.lock").read_text())["stages"]["ingest"]["outs"]
    behind = found["behind"]
    assert found["said"]["release_id"] == promoted == card["release_id"]
    assert (behind["registered"]["run_id"], behind["registered"]["commit"]) == (card["run_id"], commit)
    assert behind["registered"]["data"] == behind["validated"]["data"]
    assert {out["path"]: out["md5"] for out in lock}.items() >= behind["registered"]["data"].items()
    assert behind["validated"]["success"] is True
    assert (behind["request"]["by"]["name"], [one["name"] for one in behind["request"]["approvals"]]) == ("olga", ["anna"])
    assert found["objection"] == found["unconfirmed"] == ""
    for said in (decided["reasons"][0]["text"], card["run_id"], commit, "looked at the validation", "better than nothing"):
        assert said in told


def test_who_was_in_production_is_told_with_the_worker_that_answered(project, promoted, decided):
    found = json.loads(did(project, "tally", "in-production", "--at", decided["decided_at"], "--json"))
    assert found["serving"] is None  # business time is not the record's
    now = datetime.now(UTC).isoformat()  # a worker's word may be recorded a moment after its first answers
    found = json.loads(did(project, "tally", "in-production", "--at", now, "--json"))
    assert found["serving"]["promotion"]["release_id"] == promoted
    assert [worker["release_id"] for worker in found["workers"]] == [promoted]
    history = did(project, "tally", "history")
    assert history.index("registered as version") < history.index("promoted to")
    assert "olga (token, vouched for by dora)" in history
    assert "NO EFFECT" not in history


def test_every_decision_comes_out_the_same(project, promoted, decided):
    assert "the same to the last bit" in did(project, "tally", "replay", decided["decision_id"])
    assert f"{4 * BATCH} decisions replayed, all the same" in did(project, "tally", "replay", "--all")
    assert "would have decided 0 of" in did(project, "tally", "replay", "--release", promoted[:12])


@pytest.mark.parametrize("about", ["decision", "release"])
def test_the_evidence_is_checked_by_somebody_who_has_python_and_the_logs_key(project, promoted, decided, tmp_path, about):
    path = tmp_path / "evidence.zip"
    told = did(project, "tally", "evidence", decided["decision_id"] if about == "decision" else promoted, "--to", str(path))
    key = told.rsplit("'", 2)[1]
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    done = subprocess.run([sys.executable, "-I", "-S", str(tmp_path / "unpacked" / "verify.py"), key], capture_output=True, text=True,
                          check=False, env={}, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is whole, signed by" in done.stdout
    page = (tmp_path / "unpacked" / "index.html").read_text()
    assert (decided["reasons"][0]["text"] in page) is (about == "decision")
    assert Path(tmp_path / "unpacked" / "release" / "release.json").is_file()
