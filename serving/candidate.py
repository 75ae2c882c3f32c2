"""A release beside the champion: the challenger or the shadow, used for as long as the record lets it be, and then let go of.

Responsible for asking of it what is asked of a champion: placed, whole, of this interface, answering its golden questions as when it was
made. Whatever is wrong with it is said, recorded and counted, and the champion goes on alone: nothing here raises or changes what serves.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance.splits import Split
from governance.standing import Promotion, Standing
from serving.champion import Champion, Pointer, load
from serving.permission import Permission

AGAIN = 60.0  # seconds until what was refused is tried again
log = logging.getLogger("tally.serving")


@dataclass(frozen=True)
class Lent:
    """What the record lets be used under an alias, until when, and of a challenger for whom; release: once it has shown what it is."""

    by: Promotion
    until: datetime | None
    split: Split | None
    release: Champion | None = None


def lent(standing: Standing, alias: str) -> Lent | None:
    """What the record lets be used under an alias; None where it lets nothing."""
    serving = standing.serving(alias)
    if serving is None:
        return None
    by = serving.promotion
    return Lent(by, standing.until(by), standing.requests[by.request_id].split)


class Shown(msgspec.Struct, frozen=True):
    """A release beside the champion, as /v1/release tells it. used: by this worker; why: it is not, or empty; the rest: of a split."""

    release_id: str
    model_version: str
    used: bool
    why: str
    share: float | None
    until: str | None
    experiment: str | None


class Candidate:
    """What one worker has under an alias. refused: called, once each, where it cannot be used."""

    def __init__(self, folder: Path, portfolio: Portfolio, alias: str, permission: Permission, refused: Callable[[], None]) -> None:
        self._folder, self._portfolio, self._alias = folder, portfolio, alias
        self._permission, self._refused = permission, refused
        self._lent: Lent | None = None
        self._why = ""
        self._tried: tuple[str, tuple[int, int] | None] | None = None
        self._again = 0.0

    @property
    def now(self) -> Champion | None:
        """The release, where one may be used and can be."""
        return self._lent.release if self._lent else None

    @property
    def lent(self) -> Lent | None:
        return self._lent

    def follow(self, lent: Lent | None) -> None:
        """Use what the record lets be used: take it up, keep it, or let go."""
        if lent is None:
            self._lent, self._why, self._tried = None, "", None
        elif self.now and self.now.release.id == lent.by.release_id:
            self._lent = Lent(lent.by, lent.until, lent.split, self.now)
        else:
            self._lent = lent
            self._take_up(lent)

    def shown(self) -> Shown | None:
        """What /v1/release says of it; None where the record lets nothing be used."""
        if (lent := self._lent) is None:
            return None
        split = lent.split
        return Shown(lent.by.release_id, lent.by.version, lent.release is not None, self._why, split.share if split else None,
                     lent.until.isoformat() if lent.until else None, split.experiment if split else None)

    def _take_up(self, lent: Lent) -> None:
        trying = (lent.by.release_id, self._stamp())
        if trying == self._tried and time.monotonic() < self._again:
            return
        if self._pointed() != lent.by.release_id:
            self._why = f"release {lent.by.release_id[:12]} is not placed as {self._alias} yet; tally watch does it, or: tally place"
            return
        self._tried, self._again = trying, time.monotonic() + AGAIN
        try:
            release = load(self._folder, self._portfolio, Pointer(lent.by.release_id, lent.by.version))
        except ReleaseError as error:
            self._refuse(lent.by.release_id, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the champion goes on
            self._refuse(lent.by.release_id, f"the release cannot be loaded ({type(error).__name__})")
        else:
            self._lent, self._why = Lent(lent.by, lent.until, lent.split, release), ""
            log.info("release %s, version %s, is the %s", lent.by.release_id, lent.by.version, self._alias)

    def _pointed(self) -> str:
        """What is placed under the alias; nothing, where that cannot be read."""
        try:
            return msgspec.json.decode(self._pointer.read_bytes(), type=Pointer).release_id
        except (OSError, msgspec.MsgspecError):
            return ""

    def _refuse(self, release_id: str, why: str) -> None:
        if why != self._why:
            log.error("%s refused: %s", self._alias, why)
            self._refused()
            self._permission.refused(release_id, why, self._alias)
        self._why = why

    @property
    def _pointer(self) -> Path:
        return self._folder / f"{self._alias}.json"

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._pointer.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
