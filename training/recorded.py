"""What stages ask of the record: which release serves by it, and what was found of two releases; and how a finding gets there.

Responsible for saying a thing once, however often a stage runs. Refuses to ask an alias: that is a wish, and the record decides.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from feature_repo.errors import LedgerError
from governance import enrolment, gates
from governance.current import Current
from governance.events import ReleaseCompared, entry
from governance.gate_evidence import Decided
from governance.ledger.book import Book, open_book
from governance.ledger.entries import Entry, canonical
from governance.ledger.writer import Ledger
from governance.standing import Promotion
from training.origin import home


@contextmanager
def opened(portfolio: str) -> Iterator[Book]:
    """The ledger of a portfolio: TALLY_LEDGER, else files in this checkout's home."""
    book = open_book(home() / portfolio / "ledger", os.environ.get("TALLY_LEDGER"))
    try:
        yield book
    finally:
        book.close()


def champion(book: Book) -> Promotion | None:
    """What serves by the record; None where nothing ever did."""
    serves = Current(book, enrolment.place(home()).signers).look().serving()
    return serves.promotion if serves else None


def compared(book: Book, release_id: str, champion_id: str) -> ReleaseCompared | None:
    """The newest comparison of two releases; None where there is none."""
    return gates.comparison(book.events(), release_id, champion_id)


def decided(book: Book) -> Decided:
    """What the record knows of decisions."""
    return gates.decided(book, gates.checked(book.events()))


def append(portfolio: str, found: ReleaseCompared) -> None:
    """Record what was found of two releases, once for the same result."""
    result = msgspec.structs.asdict(found)
    digest = hashlib.sha256(canonical({name: value for name, value in result.items() if name not in {"by", "at"}})).hexdigest()
    with opened(portfolio) as book:
        once(book, entry(found, f"{found.challenger}:{found.champion}:{digest}"))


def once(book: Book, new: Entry) -> None:
    """Append an entry unless it is there; another process may be doing the same."""
    if book.find("id", new.id):
        return
    ledger = Ledger(book)
    try:
        ledger.append([new]).result()
    except LedgerError:
        if book.find("id", new.id) is None:
            raise
    finally:
        ledger.close()
