"""Decisions as monitoring reads them from the record: what was decided on and what came of it, or why that cannot be told.

Responsible for holding each content against its commitment and its form, so that one that was edited is no decision anybody counts. Refuses
nothing and leaves nothing out in silence: what cannot be read is named by its entry, never by its content.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from governance.ledger.book import Book
from governance.ledger.entries import DECISION, Record

Why = Literal["erased", "altered", "unreadable"]
Value = float | str | None


class Decided(msgspec.Struct, frozen=True):
    """What a decision's record says, as far as a window holds it. values: every input as it was scored; reasons: JSON."""

    decision_id: str
    portfolio: str
    release_id: str
    applicant_id: str
    values: dict[str, Value]
    pd: float
    margin: float
    score: int
    band: str
    outcome: Literal["approve", "refer", "decline"]
    reasons: msgspec.Raw
    decided_at: Annotated[datetime, msgspec.Meta(tz=True)]


class Unread(msgspec.Struct, frozen=True):
    """A decision without content. erased: by law; altered: it is not what was committed to; unreadable: it is no decision's content."""

    entry: str
    recorded_at: str
    why: Why


def decisions(book: Book) -> Iterator[Decided | Unread]:
    """Every decision there is, in the order recorded."""
    return map(decision, book.records({DECISION}))


def decision(record: Record) -> Decided | Unread:
    """What one record says."""
    if record.erased:
        return Unread(record.id, record.recorded_at, "erased")
    if sha256(record.salt + record.payload).digest() != record.commitment:
        return Unread(record.id, record.recorded_at, "altered")
    try:
        return DECODER.decode(record.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Unread(record.id, record.recorded_at, "unreadable")


DECODER = msgspec.json.Decoder(Decided)
