"""A release made again from what its registration names: the same to the last byte, its model computed anew; refused where it cannot be."""

from __future__ import annotations

import json
import shutil

import pytest
from projects import Project
from ruamel.yaml import YAML

SOMEBODY = ["-c", "user.name=test", "-c", "user.email=test@localhost"]


@pytest.fixture(scope="module")
def committed(small_project, tmp_path_factory) -> Project:
    """A copy of the small project whose settings are committed and whose release is registered again from that commit."""
    small_project.repro()
    path = tmp_path_factory.mktemp("committed") / "project"
    shutil.copytree(small_project.path, path)
    project = Project(path)
    assert "uncommitted changes" in refused(project, release_id(project))
    for command in (["add", "params.yaml", "dvc.lock"], [*SOMEBODY, "commit", "-qm", "Run"]):
        assert project.run("git", *command).returncode == 0
    assert not {"train", "evaluate"} & set(project.repro())
    return project


def release_id(project: Project) -> str:
    return str(json.loads(project.data("register", "card.json").read_text())["release_id"])


def refused(project: Project, *command: str, **environment: str) -> str:
    done = project.run("tally", "reproduce", *command, **environment)
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_a_release_is_made_again_to_the_last_byte_and_its_model_is_computed_anew(committed):
    before = committed.run("git", "status", "--porcelain").stdout
    done = committed.run("tally", "reproduce", release_id(committed)[:12])
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"release {release_id(committed)} was made again, the same to the last byte" in done.stdout
    ran = [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage '")]
    assert {"ingest", "train", "alternatives", "evaluate"} <= set(ran)
    assert not {"register", "assemble", "featurize", "split"} & set(ran)
    assert committed.run("git", "status", "--porcelain").stdout == before
    assert committed.run("git", "worktree", "list").stdout.count("\n") == 1


def test_other_data_than_those_of_the_registration_are_named_before_anything_is_computed(committed):
    """The registration names a commit whose simulated data are others, as a rewritten history would."""
    yaml = YAML()
    params = yaml.load((committed.path / "params.yaml").read_text())
    params["ingest"]["seed"] += 1
    with (committed.path / "params.yaml").open("w") as file:
        yaml.dump(params, file)
    lock = (committed.path / "dvc.lock").read_bytes()
    for command in (["add", "params.yaml"], [*SOMEBODY, "commit", "-qm", "Other"]):
        assert committed.run("git", *command).returncode == 0
    changed = committed.run("git", "rev-parse", "HEAD").stdout.strip()
    named = release_id(committed)
    code = ("import msgspec; from tally import questions, reproduction; "
            f"asked = questions.of(); found = asked.release({named!r}); "
            f"with_other = msgspec.structs.replace(found, commit={changed!r}); "
            "type(asked).release = lambda *_: with_other; reproduction.reproduce('it')")
    done = committed.run("python", "-c", code)
    (committed.path / "dvc.lock").write_bytes(lock)
    assert done.returncode == 1
    assert f"data/{committed.portfolio}/ingest, data/{committed.portfolio}/vault differ" in done.stderr
    assert "Running stage 'train'" not in done.stdout


def test_a_commit_that_is_not_here_is_named(committed):
    named = release_id(committed)
    code = ("import msgspec; from tally import questions, reproduction; "
            f"asked = questions.of(); with_other = msgspec.structs.replace(asked.release({named!r}), commit='0' * 40); "
            "type(asked).release = lambda *_: with_other; reproduction.reproduce('it')")
    assert "commit 000000000000 is not in this repository" in committed.run("python", "-c", code).stderr
