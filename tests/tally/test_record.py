"""The record by command, as an auditor and a privacy officer use it: signed, exported, proved elsewhere, erased, proved again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from ledgers import contents

from feature_repo import pushed
from feature_repo.errors import LedgerError, TallyError
from governance import enrolment
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry, canonical
from governance.ledger.writer import Ledger
from tally.__main__ import tally
from tally.questions import Questions

PORTFOLIO = "card_default"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home with thirty decisions about three people, and somebody who acts."""
    home = tmp_path / "home"
    for name, value in {"TALLY_HOME": str(home), "TALLY_PORTFOLIO": PORTFOLIO, "TALLY_ACTOR": "otto"}.items():
        monkeypatch.setenv(name, value)
    for name in ("TALLY_LEDGER", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    enrolment.add(enrolment.place(home), "otto", ("owner",))
    ledger = Ledger(open_book(home / PORTFOLIO / "ledger"))
    ledger.append([Entry(DECISION, f"d{number}", canonical({"decision_id": f"d{number}", "applicant_id": f"person {number % 3}",
                                                            "release_id": "r"})) for number in range(30)]).result()
    ledger.close()
    return home


def run(*arguments: object) -> str:
    done = CliRunner().invoke(tally, [str(each) for each in arguments])
    if isinstance(done.exception, TallyError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_record_is_signed_exported_and_proved_by_who_has_the_key_alone(home, tmp_path, monkeypatch):
    assert "the newest 31 are under no checkpoint yet" in (run("checkpoint", "--key") and run("verify"))
    noted = tmp_path / "noted"
    noted.write_text(run("checkpoint"))
    assert run("checkpoint") == noted.read_text()
    assert run("verify", "--checkpoint", noted).endswith("\n")
    assert "no checkpoint" not in run("verify")
    export = tmp_path / "export"
    key = run("checkpoint", "--key").strip()
    assert f"tally verify {export} --key {key}" in run("export-ledger", export)
    shutil.rmtree(home)
    monkeypatch.delenv("TALLY_PORTFOLIO")
    monkeypatch.chdir(tmp_path)
    assert "31 entries hold" in run("verify", export, "--key", key, "--checkpoint", noted)
    name = next(export.glob("*.entries"))
    name.write_bytes(name.read_bytes().replace(b"person 1", b"person 2", 1))
    with pytest.raises(LedgerError, match="entries 1 to 31 are not those its checkpoint was signed over"):
        run("verify", export, "--key", key)


def test_a_record_without_the_key_it_was_signed_with_is_not_believed(home, tmp_path):
    run("checkpoint")
    (home / "keys" / "log.pem").unlink()
    with pytest.raises(LedgerError, match="cannot be read"):
        run("verify")
    run("checkpoint", "--key")
    with pytest.raises(LedgerError, match="not signed by"):
        run("verify")


def test_a_noted_checkpoint_that_is_none_is_named(home, tmp_path):
    run("checkpoint")
    (tmp_path / "noted").write_text("none")
    with pytest.raises(LedgerError, match="the noted checkpoint noted is no signed note"):
        run("verify", "--checkpoint", tmp_path / "noted")


def test_months_are_chosen_by_name(home, tmp_path):
    with pytest.raises(LedgerError, match="no month"):
        run("export-ledger", tmp_path / "none", "--from", "2001-01", "--to", "2001-12")
    assert "1 months" in run("export-ledger", tmp_path / "one", "--from", "2001-01")


def test_a_person_is_erased_by_somebody_named_and_the_record_still_holds(home):
    run("checkpoint")
    said = run("erase", "--applicant", "person 1", "--reason", "asked for under GDPR 17(1)(b)")
    assert said.startswith("10 decisions erased, 0 kept; their proofs hold.")
    assert "10 of them erased" in run("verify")
    asked = Questions(home, PORTFOLIO)
    (erasure,) = asked.book.records({"person-erased"})
    assert erasure.content["by"]["name"] == "otto"
    assert erasure.content["entries"] == [f"d{number}" for number in range(1, 30, 3)]
    assert b"person 1" not in b"".join(path.read_bytes() for path in (home / PORTFOLIO / "ledger").iterdir())
    assert len(contents(asked.book)) == 30
    assert run("erase", "--applicant", "person 1", "--reason", "again").startswith("0 decisions erased")


def test_what_was_pushed_of_a_person_is_erased_with_them(home):
    journal = home / PORTFOLIO / "feast" / pushed.JOURNAL
    rows = [pushed.Pushed(person, 1, created, {"note": f"of {person}"}) for person in ("person 1", "person 10") for created in (5, 2**61)]
    pushed.append(journal, "any", rows)

    kept = run("erase", "--applicant", "person 1", "--reason", "asked", "--recorded-before", "2001-01-01")
    assert "1 pushed rows erased" in kept
    assert "1 pushed rows erased" in run("erase", "--applicant", "person 1", "--reason", "asked")
    assert [row.applicant_id for row in pushed.every(journal, "any")] == ["person 10"] * 2
    assert b'"of person 1"' not in b"".join(path.read_bytes() for path in journal.parent.iterdir())


def test_decisions_that_must_be_kept_longer_are_left(home):
    said = run("erase", "--applicant", "person 2", "--reason", "asked", "--recorded-before", "2001-01-01")
    assert said.startswith("0 decisions erased, 10 kept")


def test_replaying_an_erased_decision_says_that_it_was_erased(home):
    run("erase", "--applicant", "person 0", "--reason", "asked")
    with pytest.raises(TallyError, match="erased"):
        run("replay", "d0")


def test_nothing_recorded_is_nothing_to_sign(home):
    shutil.rmtree(home / PORTFOLIO)
    with pytest.raises(LedgerError, match="nothing is recorded"):
        run("checkpoint")
