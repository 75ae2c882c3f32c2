"""Guarantees of reproduction that need no pipeline: what cannot be made again is refused, what differs is named, nothing is left behind."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import msgspec
import pytest
from approved import registered

from feature_repo.errors import DataError, ReleaseError
from governance import release
from tally import reproduction
from tally.reproduction import Reproduction


@pytest.mark.parametrize(("change", "told"), [({"dirty": True}, "Commit them and run: dvc repro"), ({"commit": "none"}, "no commit"),
                                              ({"commit": ""}, "no commit")])
def test_a_release_whose_commit_does_not_say_everything_is_refused(change, told):
    with pytest.raises(ReleaseError, match=told):
        reproduction.require_committed(msgspec.structs.replace(registered("A"), **change))


def test_files_and_parts_that_differ_are_named(recorded):
    asked = recorded.questions
    wanted = asked.release("v1")
    assert reproduction.differing(asked, wanted, release.verify(recorded.a.path)) == ()
    differ = reproduction.differing(asked, wanted, release.verify(recorded.b.path))
    assert set(differ) >= {"contract.json", "policy.json", "calibrator.json", "golden.json"}
    told = str(Reproduction(recorded.a.id, recorded.b.id, differ))
    assert recorded.b.id in told
    assert "policy.json" in told
    assert "to the last byte" in str(Reproduction(recorded.a.id, recorded.a.id, ()))


def test_data_that_are_not_those_of_the_registration_are_named(recorded, tmp_path):
    wanted = recorded.questions.release("v1")
    (tmp_path / "dvc.lock").write_text("stages: {ingest: {outs: [{path: data/card_default/ingest, md5: bb22}]}}")
    with pytest.raises(DataError, match="data/card_default/ingest differ"):
        reproduction.require_same_data(wanted, tmp_path)
    (tmp_path / "dvc.lock").write_text("stages: {ingest: {outs: [{path: data/card_default/ingest, md5: aa11}]}}")
    reproduction.require_same_data(wanted, tmp_path)


@pytest.fixture
def repository(tmp_path) -> Path:
    somebody = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q", "."], [*somebody, "commit", "-q", "--allow-empty", "-m", "One"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S607
    return tmp_path


def interrupted(repository: Path, commit: str, folders: list[Path]) -> None:
    with reproduction.clone(repository, commit) as folder:
        folders.append(folder)
        assert (folder / ".git").is_dir()
        raise DataError("whatever")


def test_nothing_is_left_of_the_clone_whatever_happens_and_the_repository_is_as_it_was(repository):
    asking = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asking, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
    folders: list[Path] = []
    with pytest.raises(DataError):
        interrupted(repository, commit, folders)
    assert not folders[0].parent.exists()
    with pytest.raises(ReleaseError, match="000000000000 is not in this repository"):
        interrupted(repository, "0" * 40, folders)
    assert not list(Path(tempfile.gettempdir()).glob(f"tally-reproduce-*/{repository.name}"))


def test_a_clone_registers_nothing_and_asks_no_other_record(repository, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("TALLY_LEDGER", "postgresql://nobody")
    given = reproduction.environment(repository, "loans")
    assert not {"MLFLOW_TRACKING_URI", "TALLY_LEDGER"} & set(given)
    assert given["TALLY_HOME"] == str(repository / "var")
    assert given["PYTHONPATH"] == str(repository)
