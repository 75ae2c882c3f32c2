"""The day that a run of monitoring is as of, and all that was known when it was over.

Refuses a day that is not over: whoever looks again later would see more of it. Makes no report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from feature_repo.errors import DataError
from governance import enrolment, history, overrides
from governance.events import ParityChecked
from governance.ledger.book import Book
from governance.observations import VaultImported
from governance.people import People
from governance.rules import moment
from monitoring import outcomes
from monitoring.calendar import closed, midnight
from monitoring.exporting import Windows
from monitoring.prepared import Known
from tally.arriving import business_now, outcomes_of
from tally.checkout import Checkout

YESTERDAY = "yesterday"


@dataclass(frozen=True)
class Run:
    """One run: the day, and what was known when it was over. again: reports are made even where nothing changed."""

    checkout: Checkout
    book: Book
    windows: Windows
    day: date
    known: Known
    again: bool

    @property
    def closed(self) -> list[date]:
        """The windows that had ended by the day, from the first with a decision on, those without one among them."""
        there = self.windows.there()
        return list(closed(there[0], self.windows.grain, over(self.day))) if there else []

    @property
    def folder(self) -> Path:
        return self.checkout.reports / self.checkout.portfolio.name / "monitoring"


def day_of(said: str) -> date:
    """The day that is meant. Raises DataError unless it is one and is over."""
    now = business_now()
    try:
        day = (now - timedelta(days=1)).date() if said == YESTERDAY else date.fromisoformat(said)
    except ValueError:
        raise DataError(f"--as-of takes a day, such as 2026-11-30, or {YESTERDAY}") from None
    if over(day) > now:
        raise DataError(f"{day} is not over (UTC): who looks again later would see more of it; the newest is --as-of {YESTERDAY}")
    return day


def over(day: date) -> datetime:
    """When a day is over."""
    return midnight(day + timedelta(days=1))


def known(checkout: Checkout, book: Book, until: datetime) -> Known:
    """Outcomes, overrides, groups and checks of parity that had come by a moment."""
    records = list(book.events())
    place = enrolment.place(checkout.home)
    people = place.people if place.signers.exists() else People()
    came = tuple(record.id for record, event in history.known(records)
                 if isinstance(event, VaultImported) and (at := moment(event.came_at)) and at < until)
    checks = tuple(event for _, event in history.known(records)
                   if isinstance(event, ParityChecked) and (at := moment(event.came_at)) and at < until)
    return Known(outcomes.known(outcomes_of(checkout), records, people, until), overrides.of(records, people, until).newest, came, checks)
