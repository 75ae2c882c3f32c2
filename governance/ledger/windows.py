"""Decisions by the time of their business, which is not the time they were recorded: what monitoring reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from governance.ledger.book import Book
from governance.ledger.entries import DECISION


def decided(book: Book, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """The contents of the decisions whose `decided_at` is in [since, until), in the order they were recorded; the erased are left out."""
    first, last = since.astimezone(UTC), until.astimezone(UTC)
    for record in book.records({DECISION}):
        if not record.erased:
            content = record.content
            if first <= datetime.fromisoformat(content["decided_at"]) < last:
                yield content
