"""What tests write into a ledger, and what they ask of a service's: its decisions, and one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.ledger.book import Book, moment, open_book
from governance.ledger.checkpoint import Key, open_key
from governance.ledger.entries import DECISION, Entry, Record, canonical

EACH = 600  # decisions in each month of a filled ledger


def entry(name: str, key: str | None = None, digest: str | None = None) -> Entry:
    """A decision's entry."""
    return Entry(DECISION, name, canonical({"name": name}), key, digest)


def contents(book: Book) -> list[str]:
    """The ids of all decisions, in order."""
    return [record.id for record in book.records({DECISION})]


def numbers(book: Book) -> list[int]:
    """The numbers of all entries, in order."""
    return [record.seq for record in book.records()]


@contextmanager
def hold(book: Book) -> Iterator[None]:
    """Be the only writer meanwhile, as another process would."""
    with book.turn(moment):
        yield
    book.close()


def decisions(folder: Path) -> list[Record]:
    """The decisions in a service's folder, in order."""
    return list(open_book(folder / "ledger").records({DECISION}))


def recorded(folder: Path, decision_id: str) -> Record:
    """One of them."""
    record = open_book(folder / "ledger").find("id", decision_id)
    assert record is not None
    return record


def window(folder: Path, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Those of a time of business."""
    contents = [record.content for record in decisions(folder) if not record.erased]
    return [content for content in contents if since <= datetime.fromisoformat(content["decided_at"]) < until]


def key_of(book: Book, folder: Path) -> Key:
    """The key of a book's logs, in a home of its own beside it."""
    return open_key(folder.parent.parent, book.log)
