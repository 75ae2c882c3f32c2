"""The record says once what a run did and by whom, whatever cut it off; an author speaks for themselves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feature_repo.portfolios import load
from governance import enrolment, events, people, promotion, signature
from governance.ledger.book import open_book
from training import attestation, provenance, tracking
from training.recorded import once
from training.stages.register import example

PORTFOLIO = load("card_default")


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """An MLflow store with nothing in it, which takes seconds to make."""
    home = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLY_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.make_store()
    return home / "mlflow"


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_release):
    return make_release(tmp_path_factory.mktemp("made") / "release")


@pytest.fixture
def home(tmp_path, monkeypatch, empty_store):
    shutil.copytree(empty_store, tmp_path / "home" / "mlflow")
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TALLY_ACTOR", "jane")
    for name in ("MLFLOW_TRACKING_URI", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_LEDGER", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def registered(made, author=None, experiment=None):
    """What the stage does, without what it draws."""
    author = author or attestation.author(made)
    shown = tracking.Evidence({}, {}, {}, {}, example(made), experiment=experiment, signature=author.signed)
    card = tracking.register(PORTFOLIO, made, shown)
    return card, attestation.record(made, card, author, experiment)


def recorded(home):
    return [(record, events.of(record)) for record in open_book(home / PORTFOLIO.name / "ledger").events() if record.kind in events.KINDS]


def authors(home):
    return [event.author for _, event in recorded(home) if isinstance(event, events.ReleaseRegistered)]


def test_a_release_is_signed_recorded_and_returned_with_its_signature_and_the_second_time_nothing_is_new(home, made):
    card, said = registered(made)
    first, store = recorded(home), tracking.signature(card)
    again, said_again = registered(made)

    assert (said, said_again, again) == ("signed by jane", "signed by jane", card)
    assert recorded(home) == first
    assert tracking.signature(card) == store
    assert [record.id.split(":")[0] for record, _ in first] == ["data-validated", "release-registered"]
    assert first[1][0].id == f"release-registered:{made.id}"
    everybody = people.read(home / "signers.yaml")
    assert [everybody.fault(event, record.recorded_at) for record, event in first] == [None, None]
    (home / "fetched").mkdir()
    fetched = tracking.fetch(card, home / "fetched")
    assert signature.verify(fetched, fetched.with_suffix(".sig").read_bytes(), everybody).name == "jane"
    assert promotion.standing([record for record, _ in first], everybody).releases[made.id].author == "jane"


def test_the_registered_model_still_loads_and_scores_with_its_signature_inside(home, made):
    card, _ = registered(made)

    with tracking.connected():
        import mlflow

        model = mlflow.pyfunc.load_model(f"models:/{card.model}/{card.version}")
        assert model.predict(example(made))["pd"].tolist() == [golden["decision"]["pd"] for golden in made.read("golden.json", list)]


def test_an_event_says_where_the_release_came_from_and_which_experiment_made_it(home, made, monkeypatch):
    monkeypatch.setattr(provenance, "commit", lambda: {"git.commit": "c" * 40, "git.dirty": "true"})
    card, _ = registered(made, experiment="coarse")

    validated, release = (event for _, event in recorded(home))
    assert (release.release_id, release.model, release.version, release.run_id) == (made.id, card.model, card.version, card.run_id)
    assert (release.author, release.experiment, release.commit, release.dirty) == ("jane", "coarse", "c" * 40, True)
    assert validated.success


def test_without_a_key_a_release_is_registered_unsigned_and_recorded_without_an_author_and_why_is_said(home, made, monkeypatch):
    monkeypatch.setenv("TALLY_SIGNERS", str(home / "kept.yaml"))
    card, said = registered(made)

    assert said.startswith("not signed by an author, so it cannot be promoted: ")
    assert "kept.yaml" in said
    assert tracking.signature(card) is None
    assert authors(home) == [""]
    assert [event.by.how for _, event in recorded(home)] == ["process", "process"]
    assert not (home / "keys").exists()


def test_a_release_that_was_registered_unsigned_is_signed_and_recorded_anew_by_the_next_run_with_a_key(home, made, monkeypatch):
    monkeypatch.setenv("TALLY_SIGNERS", str(home / "kept.yaml"))
    card, _ = registered(made)
    monkeypatch.delenv("TALLY_SIGNERS")
    cards = [registered(made) for _ in range(2)]

    assert cards == [(card, "signed by jane")] * 2
    assert authors(home) == ["", "jane"]
    records = [record for record, _ in recorded(home)]
    assert promotion.standing(records, people.read(home / "signers.yaml")).releases[made.id].author == "jane"


def test_whoever_signed_first_stays_the_author_when_somebody_else_runs_it_again(home, made, monkeypatch):
    card, _ = registered(made)
    store = tracking.signature(card)
    enrolment.add(enrolment.place(home), "john", ("author",))
    monkeypatch.setenv("TALLY_ACTOR", "john")
    again, said = registered(made)

    assert (again, said) == (card, "signed by jane")
    assert tracking.signature(card) == store
    assert authors(home) == ["jane"]


def test_what_somebody_else_signed_and_did_not_record_names_no_author_until_they_do(home, made, monkeypatch):
    author = attestation.author(made)
    card = tracking.register(PORTFOLIO, made, tracking.Evidence({}, {}, {}, {}, example(made), signature=author.signed))
    enrolment.add(enrolment.place(home), "john", ("author",))
    monkeypatch.setenv("TALLY_ACTOR", "john")
    _, said = registered(made)
    assert "signed by jane, who has to register it" in said
    monkeypatch.setenv("TALLY_ACTOR", "jane")
    _, said = registered(made)

    assert said == "signed by jane"
    assert authors(home) == ["", "jane"]
    assert tracking.signature(card) == author.signed


def test_a_forged_event_that_was_there_first_does_not_keep_the_author_out(home, made):
    enrolment.signer(home)
    forged = events.ReleaseRegistered(by=events.Actor("register", "process"), at="", release_id=made.id, model=PORTFOLIO.name, version="1",
                                      run_id="", author="jane", git_author="", commit="", dirty=False, data={})
    once(open_book(home / PORTFOLIO.name / "ledger"), events.entry(forged, made.id))
    _, said = registered(made)

    assert said == "signed by jane"
    records = [record for record, _ in recorded(home)]
    assert promotion.standing(records, people.read(home / "signers.yaml")).releases[made.id].author == "jane"


def test_made_again_from_a_commit_it_is_recorded_once_more_as_that_commits(home, made, monkeypatch):
    for dirty in ("true", "false", "true", "false"):
        monkeypatch.setattr(provenance, "commit", lambda dirty=dirty: {"git.commit": dirty, "git.dirty": dirty})
        registered(made)

    assert [event.commit for _, event in recorded(home) if isinstance(event, events.ReleaseRegistered)] == ["true", "false"]


CUT_OFF = """
import os, sys
from pathlib import Path
from feature_repo.portfolios import load
from governance.release import verify
from training import attestation, tracking
from training.stages.register import example
made = verify(Path(sys.argv[1]))
author = attestation.author(made)
card = tracking.register(load("card_default"), made, tracking.Evidence({}, {}, {}, {}, example(made), signature=author.signed))
attestation._registered = lambda *all: os.kill(os.getpid(), 9)
attestation.record(made, card, author, None)
"""


def test_a_register_killed_between_the_registry_and_the_end_of_the_record_is_completed_by_the_next(home, made):
    root = str(Path(__file__).parents[2])
    killed = subprocess.run([sys.executable, "-c", CUT_OFF, str(made.path)], capture_output=True, text=True, check=False,
                            env={**os.environ, "PYTHONPATH": root}, cwd=home)
    assert killed.returncode == -9, killed.stderr
    assert [record.kind for record, _ in recorded(home)] == ["data-validated"]

    _, said = registered(made)

    assert said == "signed by jane"
    assert [record.kind for record, _ in recorded(home)] == ["data-validated", "release-registered"]
    assert authors(home) == ["jane"]


def test_from_an_experiments_temporary_checkout_it_is_said_to_the_ledger_of_the_home(home, made, tmp_path, monkeypatch):
    monkeypatch.delenv("TALLY_HOME")
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "abc"
    copy.mkdir(parents=True)
    home.rename(tmp_path / "var")
    monkeypatch.chdir(copy)
    registered(made, experiment="abc")

    assert authors(tmp_path / "var") == ["jane"]
    assert [*copy.iterdir()] == []


def test_data_are_validated_once_in_the_record_whatever_is_made_of_them(home, made, make_release, tmp_path):
    registered(made)
    registered(make_release(tmp_path / "second", intercept=-3.0))

    kinds = [record.kind for record, _ in recorded(home)]
    assert (kinds.count("data-validated"), kinds.count("release-registered")) == (1, 2)


def test_the_record_holds_no_address_of_a_person_of_git(home, made):
    registered(made)

    assert "@" not in json.dumps([record.body.decode() for record, _ in recorded(home)])
