"""A worker killed before its commit, between commit and answer, and after the answer: a caller that comes back finds what is recorded.

TALLY_SOAK_KILLS is the number of kills, 500 where it is not set. After each the next worker settles what was left.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from killed_worker import MOMENTS, killed
from mortal import whole
from results import Result, judged

from governance import events
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from serving.answers import settle

KILLS = 500
MARKED = {"before the answer"}
RECORDED = {"before the answer", "after the answer"}


def run(tell: Callable[[str], None]) -> list[Result]:
    kills = int(os.environ.get("TALLY_SOAK_KILLS", KILLS))
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        place = Path(folder) / "card_default"
        place.mkdir()
        for number, moment in zip(range(kills), itertools.cycle(MOMENTS), strict=False):
            wrong[moment] += mismatches(place, moment)
            if number % 100 == 99:
                tell(f"{number + 1} kills, {wrong.total()} mismatches")
        broken = whole(place, open_book(place / "ledger"))
    return [judged("moments", f"{kills} kills, {', '.join(MOMENTS)} in turn", f"{wrong.total()} mismatches, "
                   f"{', '.join(broken) or 'the record verifies'}", "0, the record verifies", met=not wrong.total() and not broken)]


def mismatches(place: Path, moment: str) -> int:
    """How many of a killed worker's decisions a retry would not find as they are, and how many marks are missing or too many."""
    ids = killed(place, moment)
    ledger = Ledger(open_book(place / "ledger"))
    try:
        settle(place / "answers", ledger)
        found = {one for one in ids if (record := ledger.book.find("idempotency_key", f"decision/0/{one}")) and record.id == one}
        marks = {event.decision_id for _, event in events.every(ledger.book.events()) if isinstance(event, events.AnswerUnconfirmed)}
    finally:
        ledger.close()
    recorded = set(ids) if moment in RECORDED else set()
    marked = set(ids) if moment in MARKED else set()
    return len(found ^ recorded) + len((marks & set(ids)) ^ marked)
