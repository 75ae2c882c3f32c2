"""Erasing a person destroys what was recorded of them and nothing else: the bytes are gone, and every proof still holds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from ledgers import contents, key_of

from feature_repo.errors import LedgerError
from governance.ledger import erasure
from governance.ledger.entries import DECISION, SHADOW_DECISION, Entry, canonical
from governance.ledger.exported import export
from governance.ledger.inspection import inspect
from governance.ledger.proving import checkpoint_now, prove
from governance.ledger.verification import verify
from governance.ledger.windows import decisions
from governance.ledger.writer import Ledger

SECRET, OTHER = "4111111111111111", "5500005555555559"
START = datetime(2026, 1, 25, tzinfo=UTC)


def decision(number: int, applicant: str, secret: str) -> Entry:
    content = {"decision_id": f"d{number}", "applicant_id": applicant, "application": {"card": secret, "note": "x" * 3000},
               "decided_at": (START + timedelta(days=number)).isoformat()}
    return Entry(DECISION, f"d{number}", canonical(content), f"key-of-{applicant}-{number}", "digest")


@pytest.fixture
def recorded(make_book, book, folder):
    """Twelve decisions over the turn of a month, every third about somebody who wants to be forgotten; a checkpoint on the way."""
    clock = [START]
    ledger = Ledger(make_book(), now=lambda: clock[0])
    for number in range(12):
        clock[0] = START + timedelta(days=number)
        applicant, secret = ('the "one"', SECRET) if number % 3 == 0 else ("another", OTHER)
        ledger.append([decision(number, applicant, secret)]).result()
    checkpoint_now(book, key_of(book, folder))
    yield ledger
    ledger.close()


def forget(ledger, book, before: str = "") -> list[str]:
    found = list(erasure.decisions(book, 'the "one"', before))
    ledger.append([Entry("person-erased", f"e{before}", canonical({"entries": [record.id for record in found]}))]).result()
    erasure.destroy(book, found)
    return [record.id for record in found]


def test_what_was_recorded_of_a_person_is_gone_and_everything_else_is_there(recorded, book):
    others = [record for record in book.records() if 'the "one"' not in record.body.decode().replace("\\", "")]
    assert forget(recorded, book) == ["d0", "d3", "d6", "d9"]
    assert len(contents(book)) == 12
    assert list(erasure.decisions(book, 'the "one"')) == []
    erased = [record for record in book.records({DECISION}) if record.erased]
    assert [(record.id, record.body, record.salt, record.idempotency_key, record.request_digest) for record in erased] == [
        (name, b"", b"", None, None) for name in ("d0", "d3", "d6", "d9")]
    assert [record for record in book.records() if not record.erased and record.kind != "person-erased"] == others
    assert [one.why for one in decisions(book)].count("erased") == 4


def test_the_bytes_are_gone_from_the_files(recorded, book, folder, store):
    """On a server they are out of the tables; docs/record.md says what remains of them on its disk, and until when."""
    forget(recorded, book)
    if store == "embedded":
        kept = b"".join(path.read_bytes() for path in folder.iterdir())
        assert OTHER.encode() in kept
        assert SECRET.encode() not in kept
        assert b"key-of-the" not in kept
    assert SECRET.encode() not in b"".join(record.payload for record in book.records())


def test_every_proof_holds_after_an_erasure_and_a_checkpoint_signed_before_it(recorded, book, folder, tmp_path):
    key = key_of(book, folder)
    proofs = {record.id: prove(book, record) for record in book.records()}
    forget(recorded, book)
    assert all(proofs[record.id].holds(record, key.verifier) for record in book.records() if record.id in proofs)
    assert sum(one.erased for one in verify(book, key.verifier)) == 4
    export(book, key, tmp_path / "export")
    assert sum(one.erased for one in inspect(tmp_path / "export", key.verifier)) == 4
    assert all(SECRET.encode() not in path.read_bytes() for path in (tmp_path / "export").iterdir())


def test_a_decision_that_must_be_kept_is_kept(recorded, book):
    assert forget(recorded, book, "2026-01-30") == ["d0", "d3"]
    assert [record.id for record in erasure.decisions(book, 'the "one"')] == ["d6", "d9"]
    assert forget(recorded, book) == ["d6", "d9"]


def test_a_decision_erased_without_a_record_of_it_does_not_verify(recorded, book, folder):
    book.erase("2026-01", ["d3"])
    with pytest.raises(LedgerError, match="no erasure of it was recorded"):
        verify(book, key_of(book, folder).verifier)


def test_only_decisions_can_be_erased(recorded, book):
    first = next(book.records()).id
    with pytest.raises((LedgerError, sqlite3.IntegrityError), match=r"append-only|refuses"):
        book.erase("2026-01", [first])
    assert not next(book.records()).erased


def test_an_erasure_that_was_interrupted_is_finished_by_the_next(recorded, book):
    found = list(erasure.decisions(book, 'the "one"'))
    book.erase("2026-01", [found[0].id])
    assert forget(recorded, book) == ["d3", "d6", "d9"]
    forgotten = erasure.decisions(book, "nobody")
    assert list(forgotten) == []


def test_what_a_shadow_said_of_a_person_is_erased_with_them_and_every_proof_holds(recorded, book, folder):
    said = canonical({"decision_id": "d0", "applicant_id": 'the "one"', "pd": 0.123456})
    recorded.append([Entry(SHADOW_DECISION, f"{SHADOW_DECISION}:d0", said)]).result()
    assert f"{SHADOW_DECISION}:d0" in forget(recorded, book)
    kept = book.find("id", f"{SHADOW_DECISION}:d0")
    assert (kept.erased, kept.body) == (True, b"")
    checkpoint_now(book, key_of(book, folder))
    assert sum(month.erased for month in verify(book, key_of(book, folder).verifier)) == 5


def test_what_shadows_say_is_no_event(recorded, book):
    before = [record.id for record in book.events()]
    recorded.append([Entry(SHADOW_DECISION, f"{SHADOW_DECISION}:d{number}", b"{}") for number in range(3)]).result()
    assert [record.id for record in book.events()] == before
    assert len(list(book.records({SHADOW_DECISION}))) == 3
