"""Guarantees of proof: any edit, deletion, insertion, reorder or shortening of a live record is found, and its first entry named."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest
from ledgers import EACH, entry, key_of

from feature_repo.errors import LedgerError
from governance.ledger import checkpoint
from governance.ledger.book import open_book
from governance.ledger.proving import checkpoint_now, grows, prove
from governance.ledger.tree import consistent
from governance.ledger.verification import verify
from governance.ledger.writer import Ledger


@pytest.fixture
def trusted(filled):
    return filled.key.verifier


def test_an_untouched_ledger_verifies_and_says_what_no_checkpoint_covers_yet(filled, trusted):
    looked = []
    found = verify(filled.book, trusted, told=looked.append)
    assert [(one.period, one.size, one.covered, one.erased) for one in found] == [
        ("2026-01", EACH + 1, EACH + 1, 0), ("2026-02", EACH + 1, EACH + 1, 1), ("2026-03", EACH + 7, EACH + 2, 0)]
    assert sum(looked) == 3 * EACH + 9


ALTERATIONS = [
    ("UPDATE entries SET body = {7b7d} WHERE seq = 2", "entry 2:"),
    ("UPDATE entries SET recorded_at = '2026-02-01T00:00:00.000001+00:00' WHERE seq = 3", "entry 3"),
    ("UPDATE entries SET kind = 'approval' WHERE seq = 2", "entry 2"),
    ("UPDATE entries SET id = 'other' WHERE seq = 2", "entry 2"),
    ("UPDATE entries SET idempotency_key = 'k' WHERE seq = 4", "entry 4:"),
    ("UPDATE entries SET idempotency_key = NULL WHERE seq = 4", "entry 4:"),
    ("UPDATE entries SET request_digest = 'k' WHERE seq = 4", "entry 4:"),
    ("UPDATE entries SET request_digest = '' WHERE seq = 4", "entry 4:"),
    ("UPDATE entries SET salt = {00} WHERE seq = 5", "entry 5:"),
    ("UPDATE entries SET commitment = {00} WHERE seq = 5", "entry 5:"),
    ("UPDATE entries SET salt = {}, body = {}, idempotency_key = NULL WHERE seq = 5", "entry 5: its content is gone"),
    ("UPDATE entries SET salt = {}, body = {}, idempotency_key = NULL WHERE seq = 1", "entry 1"),
    ("UPDATE entries SET salt = {} WHERE seq = 5", "entry 5: its content is gone"),
    ("UPDATE entries SET body = {7b7d} WHERE id = '2a7'", "entry 9: its content is gone"),
    ("UPDATE entries SET commitment = {00} WHERE id = '2a7'", "entry 9"),
    ("UPDATE entries SET seq = 999999 WHERE seq = 601", "entry 601"),
    ("DELETE FROM entries WHERE seq = 2", "entry 2:"),
    ("DELETE FROM entries WHERE seq = 1", "entry 1"),
    ("DELETE FROM entries WHERE seq > 300", "entry 301 on"),
    ("DELETE FROM entries WHERE seq = 601", "entry 601 on"),
    ("DELETE FROM entries", "entry 1"),
    ("UPDATE entries SET seq = 99999 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 99999",
     "entry 2"),
    ("UPDATE entries SET seq = -2 WHERE seq = 2", "entry 1"),
    ("INSERT INTO entries SELECT -2, kind, 'new', recorded_at, NULL, NULL, body, salt, commitment FROM entries WHERE seq = 2", "entry 1"),
    ("UPDATE tiles SET hashes = root WHERE level = 0 AND number = 1", "entry 257"),
    ("UPDATE tiles SET root = {00} WHERE level = 0 AND number = 0", "entry 1"),
    ("DELETE FROM tiles WHERE level = 0 AND number = 0", "entry"),
    ("DELETE FROM tiles", "tile of its entries is missing"),
    ("UPDATE tiles SET level = 3 WHERE number = 1", "tile"),
    ("UPDATE checkpoints SET note = 'none'", "checkpoint"),
    ("UPDATE checkpoints SET note = replace(note, '2026-02', '2026-01')", "checkpoint"),
    ("UPDATE checkpoints SET size = 300 WHERE size = 301", "the checkpoint of 300 entries: it is another one's"),
    ("UPDATE checkpoints SET size = size + 1000", "another one's"),
]


@pytest.mark.parametrize(("statements", "at"), ALTERATIONS, ids=[each[0][:60] for each in ALTERATIONS])
def test_an_alteration_is_found_and_its_first_entry_named(filled, trusted, statements, at):
    filled.alter("2026-02", *statements.split("; "))
    with pytest.raises(LedgerError, match=f"2026-02.*{at}") as error:
        verify(filled.book, trusted)
    assert "asked" not in str(error.value)


def test_entries_that_were_forged_with_all_their_hashes_do_not_fit_the_checkpoint(filled, trusted):
    """The best a holder of the store without the key can do: a log anew, tiles and all, under the old checkpoints."""
    filled.alter("2026-02", "UPDATE entries SET id = 'forged' WHERE seq = 300", "DELETE FROM tiles")
    with pytest.raises(LedgerError, match="2026-02"):
        verify(filled.book, trusted)


def cut(alter, period, size):
    """Shorten a month as if what came after had never been."""
    alter(period, *(f"DELETE FROM {what} > {size}" for what in ("entries WHERE seq", "checkpoints WHERE size")),  # noqa: S608 - our own
          "DELETE FROM tiles WHERE number > 0")


def test_the_shortened_end_is_found_against_a_checkpoint_noted_elsewhere(filled, trusted):
    noted = checkpoint.read(filled.book.newest("2026-03")[1].encode(), trusted)
    cut(filled.alter, "2026-03", 500)
    assert verify(filled.book, trusted)[-1].size == 500
    with pytest.raises(LedgerError, match="2026-03: it once held 602 entries; they are missing from entry 501 on"):
        verify(filled.book, trusted, [noted])


def test_a_noted_checkpoint_stays_true_while_the_ledger_grows(filled, trusted):
    noted = checkpoint.read(filled.book.newest("2026-03")[1].encode(), trusted)
    ledger = Ledger(filled.book, now=lambda: datetime(2026, 3, 9, tzinfo=UTC))
    ledger.append([entry("later")]).result()
    ledger.close()
    checkpoint_now(filled.book, filled.key)
    assert verify(filled.book, trusted, [noted])[-1].covered == EACH + 8
    proof = grows(filled.book, "2026-03", noted.size)
    newest = checkpoint.read(filled.book.newest("2026-03")[1].encode(), trusted)
    assert consistent(proof, (noted.size, noted.root), (newest.size, newest.root))


def test_a_checkpoint_of_a_month_that_is_not_there_is_found(filled, trusted):
    noted = checkpoint.Checkpoint(f"{filled.book.log}/2025-12", 1, bytes(32))
    with pytest.raises(LedgerError, match="not there"):
        verify(filled.book, trusted, [noted])


def test_a_month_that_was_shortened_with_its_checkpoints_does_not_fit_the_next(filled, trusted):
    cut(filled.alter, "2026-01", 301)
    with pytest.raises(LedgerError, match="2026-02, entry 1: its beginning"):
        verify(filled.book, trusted)


def test_another_key_or_another_log_is_refused(filled, trusted, tmp_path):
    other = checkpoint.open_key(tmp_path / "other", filled.book.log)
    with pytest.raises(LedgerError, match="not signed by"):
        verify(filled.book, other.verifier)
    with pytest.raises(LedgerError, match="these are those of"):
        verify(filled.book, checkpoint.Verifier("tallystick.local/mill", trusted.public))


def test_a_checkpoint_is_written_once_for_what_was_appended_and_covers_every_month(make_book, book, folder):
    clock, key = [datetime(2026, 1, 1, tzinfo=UTC)], key_of(book, folder)
    assert checkpoint_now(book, key) == ""
    ledger = Ledger(make_book(), now=lambda: clock[0])
    ledger.append([entry("a")]).result()
    first = checkpoint_now(book, key)
    assert checkpoint_now(book, key) == first
    ledger.append([entry("b")]).result()
    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    ledger.append([entry("c")]).result()
    ledger.close()
    second = checkpoint_now(book, key)
    assert [size for size, _ in book.checkpoints("2026-01")] == [2, 3]
    assert list(book.checkpoints("2026-02")) == [(2, second)] == [book.newest("2026-02")]
    assert [one.covered for one in verify(book, key.verifier)] == [3, 2]


def test_no_checkpoint_is_signed_over_a_log_that_does_not_begin_with_the_last_one(filled):
    filled.alter("2026-03", "UPDATE entries SET id = 'forged' WHERE seq = 600")
    with pytest.raises(LedgerError, match="no longer begins with"):
        checkpoint_now(filled.book, filled.key)


def test_every_entry_under_a_checkpoint_has_a_proof_and_no_other_entry_has(filled, trusted):
    for record in [*islice(filled.book.records(), 0, None, 41), *filled.book.within("2026-03", EACH)]:
        if record.period == "2026-03" and record.seq > EACH + 2:
            with pytest.raises(LedgerError, match="under no checkpoint yet"):
                prove(filled.book, record)
        else:
            proof = prove(filled.book, record)
            assert proof.holds(record, trusted)
    other = filled.book.find("id", "3a1")
    assert not proof.holds(other, trusted)


def test_the_proof_of_an_erased_decision_still_holds(filled, trusted):
    erased = filled.book.find("id", "2a7")
    assert (erased.erased, erased.body, erased.salt, erased.idempotency_key) == (True, b"", b"", None)
    assert prove(filled.book, erased).holds(erased, trusted)
    with pytest.raises(LedgerError, match="was erased"):
        _ = erased.content


def test_what_is_appended_while_it_verifies_is_no_false_alarm(filled, trusted):
    other, key, rounds = open_book(filled.folder, filled.address), filled.key, []
    ledger = Ledger(other, now=lambda: datetime(2026, 3, 9, tzinfo=UTC))

    def meanwhile(_: int) -> None:
        rounds.append(len(rounds))
        ledger.append([entry(f"meanwhile{rounds[-1]}-{number}") for number in range(300)]).result()
        checkpoint_now(other, key)

    verify(filled.book, trusted, told=meanwhile)
    ledger.close()
    assert verify(filled.book, trusted)[-1].covered > 1_000
