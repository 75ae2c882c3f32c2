"""Guarantees of following the record: what is followed step by step is what is folded at once, and a clock set back hides nothing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import allow, append, back, by, keep_people, sign

from feature_repo.errors import IdentityError
from governance import events
from governance.current import Current
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from governance.people import read
from governance.promotion import standing

NAME = "loans"


@pytest.fixture
def home(tmp_path) -> Path:
    keep_people(tmp_path)
    return tmp_path


def following(home: Path) -> Current:
    return Current(open_book(home / NAME / "ledger"), home / "signers.yaml")


def test_what_is_followed_is_what_is_folded_at_once(home):
    current = following(home)
    for number, release in enumerate("ABC"):
        allow(home, NAME, release, str(number))
        current.look()
    append(home, NAME, [back("B", by("olga"), "1")])
    followed = current.look()
    at_once = standing(open_book(home / NAME / "ledger").records(), read(home / "signers.yaml"), followed.at)
    assert followed == at_once
    assert followed.serving().promotion.release_id == "B"


def test_a_clock_set_back_a_little_hides_nothing(home):
    current = following(home)
    allow(home, NAME, "A", "1")
    assert current.look().serving().promotion.release_id == "A"
    then = datetime.now(UTC) - timedelta(minutes=5)
    ledger = Ledger(open_book(home / NAME / "ledger"), now=lambda: then)
    retired = sign(events.ReleaseRefused(by=events.Actor("w", "process"), at=then.isoformat(), who="w", release_id="A", why="no"))
    ledger.append([events.entry(retired, "w:A")]).result(10)
    ledger.close()
    assert ("w", "A") in current.look().refused


def test_a_signers_file_that_cannot_be_read_says_so_and_is_read_again(home):
    current = following(home)
    allow(home, NAME, "A", "1")
    kept = (home / "signers.yaml").read_text()
    (home / "signers.yaml").write_text("nobody")
    for _ in range(2):
        with pytest.raises(IdentityError):
            current.look()
    (home / "signers.yaml").write_text(kept)
    assert current.look().serving().promotion.release_id == "A"


def test_without_a_signers_file_nobody_has_said_anything(home):
    allow(home, NAME, "A", "1")
    (home / "signers.yaml").unlink()
    assert following(home).look().serving() is None
