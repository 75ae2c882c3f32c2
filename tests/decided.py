"""Decisions as a service records them, each at a moment of business time, for tests that make windows of a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from recorded import decisions

from governance.ledger.book import Book
from governance.ledger.entries import Entry, canonical
from governance.ledger.writer import Ledger
from governance.release import Release


def entries(made: Release, times: Sequence[datetime], **changes: object) -> list[Entry]:
    """One decision at each of the times, by one of thirty applicants."""
    drawn = [msgspec.json.decode(each.body) for each in decisions(made, min(len(times), 200), 1)]
    found = []
    for number, at in enumerate(times):
        name = f"{made.id[:6]}-{number:05}"
        said = {**drawn[number % len(drawn)], "decision_id": name, "applicant_id": f"person {number % 30}",
                "decided_at": at.isoformat(timespec="milliseconds"), **changes}
        found.append(Entry("decision", name, canonical(said)))
    return found


def append(book: Book, found: Sequence[Entry]) -> None:
    """Append them together."""
    ledger = Ledger(book)
    ledger.append(found).result(30)
    ledger.close()
