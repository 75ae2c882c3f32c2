"""What git does not track is found in the checkout, from a queued experiment's copy below .dvc/tmp too."""

from __future__ import annotations

import dataclasses

import pytest

from feature_repo.errors import DataError
from feature_repo.portfolios import load
from training import raw
from training.origin import experiment, home, origin

CARDS = load("card_default")
CLIENTS = dataclasses.replace(CARDS.applications, sha256=())


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The working directory is an experiment's copy; the checkout is tmp_path."""
    folder = tmp_path / ".dvc" / "tmp" / "exps" / "standalone" / "tmpabc"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("TALLY_DATA_DIR", raising=False)
    monkeypatch.delenv("TALLY_HOME", raising=False)
    return folder


def put(folder):
    (folder / CLIENTS.file).parent.mkdir(parents=True)
    (folder / CLIENTS.file).write_text("ID\n1\n")
    return folder / CLIENTS.file


def test_outside_an_experiment_the_checkout_is_where_we_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert origin().resolve() == tmp_path
    assert experiment() is None


def test_ones_own_raw_file_is_found_from_the_copy(copy, tmp_path):
    own = put(tmp_path / "data" / "raw" / CARDS.name)

    assert raw.find(CARDS, CLIENTS) == own


def test_a_relative_folder_of_raw_files_is_the_checkouts(copy, tmp_path, monkeypatch):
    theirs = put(tmp_path / "elsewhere")
    monkeypatch.setenv("TALLY_DATA_DIR", "elsewhere")

    assert raw.find(CARDS, CLIENTS) == theirs


def test_a_missing_raw_file_is_asked_for_in_the_checkout_and_not_in_the_copy(copy, tmp_path):
    with pytest.raises(DataError) as caught:
        raw.find(CARDS, CLIENTS)

    assert f"put it at {tmp_path / 'data' / 'raw' / CARDS.name}" in str(caught.value)


@pytest.mark.parametrize(("said", "folder"), [(None, "var"), ("services", "services")])
def test_the_services_are_the_checkouts(copy, tmp_path, monkeypatch, said, folder):
    if said:
        monkeypatch.setenv("TALLY_HOME", said)

    assert home() == tmp_path / folder


def test_an_experiment_simulates_into_its_own_copy(copy):
    loans = load("consumer_loans")
    for table in loans.tables:
        (copy / raw.RAW / loans.name / table.file).parent.mkdir(parents=True, exist_ok=True)
        (copy / raw.RAW / loans.name / table.file).write_text("any")

    assert [raw.find(loans, table).resolve().is_relative_to(copy) for table in loans.tables] == [True] * len(loans.tables)


def test_the_name_of_an_experiment_is_what_dvc_says(monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "shallow")

    assert experiment() == "shallow"
