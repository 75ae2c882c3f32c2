"""Guarantees of an archive: personal data by purpose, no secret, equal bytes for equal evidence, what was erased stays proved."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from approved import by, sign
from recorded import Recorded, make_recorded  # noqa: F401

from feature_repo.errors import LedgerError
from governance import enrolment, events
from governance.evidence import verify
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from tally.evidence import gather, write


def names(data: bytes) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(data)).namelist())


def whole(data: bytes) -> bytes:
    """Everything in an archive, unpacked."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    return b"\n".join(archive.read(name) for name in archive.namelist())


def test_everything_a_reader_and_a_checker_need_is_in_it(packed, recorded):
    release = {f"release/{name}" for name in (*recorded.a.manifest.files, "release.json")}
    assert names(packed["decision"]) == release | {
        "index.html", "evidence.json", "records.entries", "proofs.json", "checkpoints/2024-02", "people.json", "log.vkey", "release.sig",
        "MANIFEST", "verify.py"}


def test_the_public_keys_are_those_of_the_people_named_and_of_nobody_else(packed):
    listed = json.loads(zipfile.ZipFile(io.BytesIO(packed["release"])).read("people.json"))
    assert [one["name"] for one in listed] == ["ada", "olga", "anna"]
    assert all(set(one) == {"name", "roles", "key", "demo", "since", "until", "fingerprint"} for one in listed)


def test_evidence_of_a_decision_holds_its_applicant_and_nobody_else(packed, recorded):
    said = whole(packed["decision"])
    assert b"person 10" in said
    assert not any(f'"person {number}"'.encode() in said for number in range(60) if number != 10)


def test_evidence_of_a_release_holds_no_applicant(packed):
    said = whole(packed["release"])
    assert b"applicant_id" not in said
    assert b"person 1" not in said


def test_neither_tokens_nor_private_keys_are_in_it(make_recorded):  # noqa: F811
    made: Recorded = make_recorded()
    secret = enrolment.give_token(enrolment.place(made.home, {"TALLY_ACTOR": "ada"}), "olga")
    said = whole(gather(made.questions, "v1"))
    assert b"PRIVATE" not in said
    assert secret.encode() not in said
    assert hashlib.sha256(secret.encode()).hexdigest().encode() not in said


def test_equal_evidence_gives_equal_bytes(packed, recorded):
    assert gather(recorded.questions, "v2") == packed["release"]


def test_a_decision_that_was_erased_is_still_proved_and_says_nothing(make_recorded, tmp_path):  # noqa: F811
    made: Recorded = make_recorded()
    decision = made.decided[made.a.id][3]
    book = open_book(made.home / "card_default" / "ledger")
    erased = sign(events.PersonErased(by=by("olga"), at="2024-03-11T00:00:00+00:00", entries=(decision,), reason="Art. 17 GDPR"))
    ledger = Ledger(book, made.clock)
    ledger.append([events.entry(erased, "one")]).result(30)
    ledger.close()
    book.erase("2024-02", [decision])

    data = gather(made.questions, decision)

    assert b"person 3" not in whole(data)
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    assert any("the content of 1 was erased" in line for line in verify.check(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert "Art. 17 GDPR" in page
    assert "The release in production then" in page


def test_a_release_that_is_gone_from_the_home_is_left_out(make_recorded, tmp_path):  # noqa: F811
    import shutil

    made: Recorded = make_recorded()
    shutil.rmtree(made.questions.releases / made.a.id)
    data = gather(made.questions, "v1")
    assert not any(name.startswith("release") for name in names(data))
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    assert not any("is whole" in line for line in verify.check(tmp_path))


def test_an_id_that_nothing_has_is_refused(recorded):
    with pytest.raises(LedgerError, match="registered are"):
        gather(recorded.questions, "ffffffff")


def test_the_file_is_named_after_what_it_is_about_and_its_key_is_told(recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_HOME", str(recorded.home))
    told = write("v2", None, "card_default")
    assert (tmp_path / "evidence-v2.zip").is_file()
    assert "tallystick.local/card_default+" in told
    with pytest.raises(LedgerError, match="is no folder"):
        write("v2", tmp_path / "nowhere" / "e.zip", "card_default")


def test_what_is_told_is_what_was_recorded(packed, recorded):
    archive = zipfile.ZipFile(io.BytesIO(packed["decision"]))
    about = json.loads(archive.read("evidence.json"))
    lines = archive.read("records.entries").decode().splitlines()
    decision = next(json.loads(line.split("\t", 6)[6]) for line in lines if line.startswith("decision\t"))
    assert decision["decision_id"] == about["entry"]
    assert decision["release_id"] == about["release_id"] == recorded.a.id
    assert f"{decision['pd'] * 100:.2f}%" in archive.read("index.html").decode()
