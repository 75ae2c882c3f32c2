"""Questions to the record of one portfolio, answered from its home alone: no MLflow, no service, and no code of the portfolio.

Responsible for finding the record and for naming what was asked for by the beginning of an id. Refuses a portfolio without a record, and
an id that is nobody's or several's. The command and the API ask the same questions here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from feature_repo.errors import LedgerError
from feature_repo.params import PARAMS, read
from governance import enrolment, history
from governance.events import CHAMPION, ReleaseRegistered
from governance.history import Line, Moment, Trace
from governance.ledger import checkpoint
from governance.ledger.book import Book, open_book
from governance.ledger.entries import DECISION, SHADOW_DECISION, Record
from governance.ledger.proving import prove
from governance.people import People


class NotRecordedError(LedgerError):
    """Nothing in the record has this name."""


class NoTimeError(LedgerError):
    """What was to be a moment is none."""


@dataclass(frozen=True)
class Shown:
    """That a record is in its log: its index, the hashes up to the root of the signed checkpoint, the log's key. fault: why not."""

    index: int
    hashes: tuple[str, ...]
    checkpoint: str
    key: str
    fault: str


@dataclass(frozen=True)
class Questions:
    """One portfolio's record, as it is when it is first asked. home: the folder of running services."""

    home: Path
    portfolio: str

    @cached_property
    def book(self) -> Book:
        """The record, wherever TALLY_LEDGER says it is."""
        return open_book(self.home / self.portfolio / "ledger", os.environ.get("TALLY_LEDGER"))

    @cached_property
    def events(self) -> list[Record]:
        """Every governance event, in order. Raises LedgerError where nothing was ever recorded."""
        if not self.book.periods():
            raise NotRecordedError(f"nothing is recorded of portfolio {self.portfolio} in {self.home}; another portfolio is named as an "
                                   "argument, another home by TALLY_HOME")
        return list(self.book.events())

    @cached_property
    def people(self) -> People:
        """Everybody who ever could sign; nobody where there is no signers file, and then no signature counts."""
        place = enrolment.place(self.home)
        return place.people if place.signers.exists() else People((), str(place.signers))

    @property
    def releases(self) -> Path:
        return self.home / self.portfolio / "releases"

    def history(self) -> Iterator[Line]:
        """Every governance event, in order."""
        return history.lines(self.events, self.people)

    def in_production(self, at: datetime, alias: str = CHAMPION) -> Moment:
        """What served at a moment."""
        return history.in_production(self.events, self.people, at, alias)

    def trace(self, decision_id: str) -> Trace:
        """What stands behind a decision."""
        shadow = self.book.find("id", f"{SHADOW_DECISION}:{decision_id}")
        return history.trace(self.events, self.people, self.decision(decision_id), shadow)

    def proof(self, record: Record) -> Shown:
        """Where a record is in its log. Writes nothing: where no checkpoint covers it yet, or its key is not here, it says so."""
        try:
            proof = prove(self.book, record)
            trusted = checkpoint.open_key(self.home, self.book.log, make=False).verifier
            return Shown(proof.index, tuple(each.hex() for each in proof.hashes), proof.checkpoint, str(trusted),
                         "" if proof.holds(record, trusted) else "the proof does not hold; run: tally verify")
        except LedgerError as error:
            return Shown(record.seq - 1, (), "", "", str(error))

    def decision(self, decision_id: str) -> Record:
        """The record of a decision. Raises LedgerError where none has this id."""
        record = self.book.find("id", decision_id)
        if record is None or record.kind != DECISION:
            raise NotRecordedError(f"no decision {decision_id} in the record of {self.portfolio}; ids are answered by POST /v1/decisions")
        return record

    def release(self, named: str) -> ReleaseRegistered:
        """The registration of a release, by the beginning of its id or as "v7" by its version. Raises LedgerError unless one fits."""
        every = history.registrations(self.events, self.people)
        found = [event for event in every.values()
                 if (event.version == named[1:] if named.startswith("v") else len(named) >= 4 and event.release_id.startswith(named))]
        if len(found) != 1:
            raise NotRecordedError(f"{len(found)} releases of {self.portfolio} are called {named!r}; registered are "
                                   + (", ".join(f"{event.release_id[:12]} (v{event.version})" for event in every.values()) or "none"))
        return found[0]


def of(portfolio: str | None = None) -> Questions:
    """The record of a portfolio; without a name that of this checkout, where `TALLY_PORTFOLIO` wins over params.yaml."""
    name = portfolio or os.environ.get("TALLY_PORTFOLIO") or read("portfolio", str, PARAMS)
    return Questions(Path(os.environ.get("TALLY_HOME", "var")).resolve(), name)


def time(said: str) -> datetime:
    """A moment as people write it, such as 2026-03-01T12:00Z; without a zone it is UTC. Raises NoTimeError."""
    try:
        found = datetime.fromisoformat(said.strip())
    except ValueError:
        raise NoTimeError("that is no time; write it like 2026-03-01T12:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
