"""What the record lets this worker serve, and what the worker says of it.

Responsible for folding the events itself, signatures checked against the signers file: neither the pointer nor whoever wrote it is
believed. Refuses where the record or the signers file cannot be read: nobody knows then what may serve. Knows no registry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from pathlib import Path

from feature_repo.errors import IdentityError, LedgerError
from governance import events
from governance.current import Current
from governance.events import CHAMPION, Actor, Event
from governance.ledger.writer import Ledger
from governance.standing import Promotion, Standing

log = logging.getLogger("tally.serving")


class Permission:
    """One worker before the record. worker: its id, as in the record; patience: seconds to wait until something is recorded."""

    def __init__(self, ledger: Ledger, signers: Path, worker: str, patience: float) -> None:
        self.worker = worker
        self._ledger = ledger
        self._current = Current(ledger.book, signers)
        self._patience = patience
        self._swaps = 0
        self._told: set[tuple[str, str, str]] = set()

    def objection(self, release_id: str) -> str:
        """Why a release may not serve now, in a sentence; empty where it may."""
        standing, why = self._standing()
        return standing.objection(release_id) if standing else why

    def instead_of(self, release_id: str) -> Promotion | None:
        """What is to serve instead of a release that is no longer allowed; None where it is, or where nobody can say."""
        standing, _ = self._standing()
        serves = standing.serving() if standing and standing.objection(release_id) else None
        return serves.promotion if serves else None

    def swapped(self, release_id: str, version: str, replaces: str) -> None:
        """Record that this worker serves a release from now on. A ledger that cannot be written does not stop a swap."""
        self._swaps += 1
        self._say(lambda by, at: events.ReleaseSwapped(by=by, at=at, worker=self.worker, release_id=release_id, version=version,
                                                       replaces=replaces), f"{self.worker}:{self._swaps}")

    def standing(self) -> Standing | None:
        """All the record says now; None where nobody can say."""
        return self._standing()[0]

    def refused(self, release_id: str, why: str, alias: str = CHAMPION) -> None:
        """Record, once for each alias, that this worker does not use what it was pointed to."""
        if (release_id, why, alias) not in self._told:
            self._told.add((release_id, why, alias))
            self._say(lambda by, at: events.ReleaseRefused(by=by, at=at, who=self.worker, release_id=release_id, why=why,
                                                           alias=alias), f"{self.worker}:{release_id}:{len(self._told)}")

    def _standing(self) -> tuple[Standing | None, str]:
        try:
            return self._current.look(), ""
        except (LedgerError, IdentityError) as error:
            return None, f"what may serve is not known: {error}"

    def _say(self, event: Callable[[Actor, str], Event], own: str) -> None:
        by, at = Actor(self.worker, "process"), datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self._ledger.append([events.entry(event(by, at), own)]).result(self._patience)
        except (LedgerError, TimeoutError, CancelledError) as error:
            log.warning("not recorded: %s", error or "no commit in time")
