"""What is shared: a colleague pulls what was pushed to a folder or to S3 and runs nothing again; the vault never leaves.

Stages that always run (ingest, register) are what is left of a `dvc repro`; ingest writes the vault anew from the raw data.
"""

from __future__ import annotations

import hashlib
import json

import pytest
from moto_server import s3
from projects import Project

ALWAYS = ["ingest", "register", "compare", "gates"]


def did(project, *command, **environment):
    done = project.run(*command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["folder", "s3"])
def pushed(request, small_project, tmp_path_factory):
    """The small project pushed to a remote: its clone's configuration, environment, and the names of all it holds."""
    small_project.repro()
    if request.param == "folder":
        folder = tmp_path_factory.mktemp("remote")
        did(small_project, "dvc", "remote", "add", "--local", "--force", "shared", str(folder))
        did(small_project, "dvc", "push", "--remote", "shared", "--run-cache")
        yield [["shared", str(folder)]], {}, [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return
    with s3() as bucket:
        did(small_project, "dvc", "remote", "add", "--local", "--force", "bucket", bucket.url)
        did(small_project, "dvc", "remote", "modify", "--local", "bucket", "endpointurl", bucket.endpoint)
        did(small_project, "dvc", "push", "--remote", "bucket", "--run-cache", **bucket.environment)
        yield [["bucket", bucket.url], ["endpointurl", bucket.endpoint]], bucket.environment, bucket.keys()


@pytest.fixture
def colleague(pushed, small_project, tmp_path):
    """A fresh clone that knows the remote, with what git does not track of the project's own settings."""
    did(small_project, "git", "clone", "-q", str(small_project.path), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    for name in ("params.yaml", "dvc.lock", "dvc.yaml"):
        (clone.path / name).write_bytes((small_project.path / name).read_bytes())
    (name, url), *rest = pushed[0]
    did(clone, "dvc", "remote", "add", "--local", "--default", name, url)
    for key, value in rest:
        did(clone, "dvc", "remote", "modify", "--local", name, key, value)
    return clone


def release_id(project):
    return json.loads(project.data("register", "card.json").read_text())["release_id"]


def test_a_colleague_pulls_the_release_without_a_vault_and_without_a_complaint(pushed, colleague, small_project):
    pulled = did(colleague, "dvc", "pull", **pushed[1])

    assert "vault" not in pulled
    assert not colleague.data("vault").exists()
    assert (colleague.data("evaluate", "release", "release.json").read_bytes()
            == small_project.data("evaluate", "release", "release.json").read_bytes())


@pytest.mark.parametrize("pushed", ["folder"], indirect=True)
def test_a_colleague_runs_nothing_again_and_registers_the_same_release(pushed, colleague, small_project):
    did(colleague, "dvc", "pull")

    assert colleague.repro() == ALWAYS
    assert colleague.data("vault", "protected.parquet").is_file()
    assert release_id(colleague) == release_id(small_project)


def test_the_vault_is_in_no_remote_and_in_no_cache(pushed, small_project):
    digest = hashlib.md5(small_project.data("vault", "protected.parquet").read_bytes(), usedforsecurity=False).hexdigest()
    assessed = hashlib.md5(small_project.data("evaluate", "metrics.json").read_bytes(), usedforsecurity=False).hexdigest()
    cache = small_project.path / ".dvc" / "cache"
    cached = [path.parent.name + path.name for path in cache.rglob("*") if path.is_file()]
    remote = ["".join(name.split("/")[-2:]) for name in pushed[2]]

    assert assessed in remote
    assert assessed in cached
    assert digest not in remote
    assert digest not in cached
