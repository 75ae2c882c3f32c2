"""What it takes for a period to be whole, whether it is looked at live or in exported files.

Responsible for the sentences that say what does not hold: the period, the first entry, never its content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feature_repo.errors import LedgerError
from governance.ledger.checkpoint import Checkpoint
from governance.ledger.entries import begun
from governance.ledger.tree import Growth

Told = Callable[[int], object]
Before = tuple[str, int, bytes] | None


@dataclass(frozen=True)
class Whole:
    """A period that holds: its tree, how many of its entries are under a checkpoint, and how many contents were erased."""

    period: str
    origin: str
    size: int
    root: bytes
    covered: int
    erased: int


def require_all(noted: Sequence[Checkpoint], origins: set[str]) -> None:
    """Raise LedgerError where a log that was noted is not there at all."""
    if missing := sorted({one.origin for one in noted} - origins):
        raise LedgerError(f"a checkpoint was noted of logs that are not there: {missing}")


def must_begin(first: tuple[str, str, bytes], origin: str, before: Before) -> None:
    """Raise LedgerError where a period's first entry (kind, id, body) does not name the log before it as it stands."""
    entry = begun(origin, before)
    if first != (entry.kind, entry.id, entry.body):
        raise LedgerError(f"{origin[-7:]}, entry 1: its beginning does not follow from the month before it; a month is missing, "
                          "shortened or replaced")


def must_agree(stop: Checkpoint, growth: Growth, since: int) -> None:
    """Raise LedgerError where a tree is not the one that was signed. since: how far it was shown to hold."""
    period = stop.origin[-7:]
    if growth.size < stop.size:
        raise LedgerError(f"{period}: it once held {stop.size} entries; they are missing from entry {growth.size + 1} on")
    if growth.root != stop.root:
        raise LedgerError(f"{period}: entries {since + 1} to {stop.size} are not those its checkpoint was signed over; one of them was "
                          "edited, moved, inserted or taken out")
