"""A report that is shown to people is issued: the record says which, by its digest, and what it found.

Says it once per content, however often the reports are served. Writes no report; one that is not there is not issued.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from governance import actions, events
from governance.events import Actor, ReportIssued
from governance.ledger.book import Book
from tally.checkout import Checkout
from training import recorded

REPORTS = ("drift", "performance", "fairness", "summary")
SELF = Actor("monitor", "process")


def issue(checkout: Checkout) -> list[str]:
    """Record every monitoring report of a checkout that is not recorded yet; their names."""
    found = [path for name in REPORTS if (path := checkout.reports / checkout.portfolio.name / f"{name}.json").is_file()]
    return [path.stem for path in found if issued(checkout.book, path.stem, path)]


def issued(book: Book, name: str, path: Path) -> bool:
    """Record a report under a name, unless one of this content is there; whether it was not."""
    said = path.read_bytes()
    digest = hashlib.sha256(said).hexdigest()
    event = ReportIssued(by=SELF, at=actions.now(), report=name, digest=digest, found=tuple(json.loads(said).get("found", ())))
    entry = events.entry(event, f"{name}:{digest}")
    if book.find("id", entry.id) is not None:
        return False
    recorded.once(book, entry)
    return True
