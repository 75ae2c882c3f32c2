"""Where a run comes from: a commit counts as clean only when nothing but dvc.lock differs from it, new files included."""

from __future__ import annotations

import subprocess

import pytest

from training import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("a: 1\n")
    for command in ("init -q", "add -A", "-c user.name=test -c user.email=test@localhost commit -qm Start"):
        subprocess.run(["git", *command.split()], check=True)  # noqa: S607
    return tmp_path


def test_a_clean_checkout_and_its_lock_file_are_clean(checkout):
    (checkout / "dvc.lock").write_text("written by the run itself\n")

    assert provenance.commit()["git.dirty"] == "false"
    assert len(provenance.commit()["git.commit"]) == 40


@pytest.mark.parametrize("name", ["params.yaml", "a_new_portfolio.py"])
def test_a_changed_or_a_new_file_makes_it_dirty(checkout, name):
    (checkout / name).write_text("b: 2\n")

    assert provenance.commit()["git.dirty"] == "true"


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert provenance.commit() == {"git.commit": "none", "git.dirty": "true"}
