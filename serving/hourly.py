"""Counts of one release's decisions in one hour of business time, by one worker, as a file that `tally drift` reads.

Responsible for a file that is whole at every moment, and for removing those that are older than `KEPT`. The file holds no value of anybody.
Refuses to overwrite what is there unread: what cannot be read or written is written with the next, and a damaged file is set aside.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from serving.scoring.bins import Bins
from serving.scoring.counts import Counts, merge
from serving.scoring.increments import Increments
from serving.scoring.parts import Value

HOUR = "%Y-%m-%dT%H"
ALL = "all"  # the month of a portfolio without a time axis
KEPT = timedelta(days=92)
DAMAGED = ".damaged"
log = logging.getLogger("tally.serving")


class Said(msgspec.Struct, frozen=True):
    """What is read of a decision's record."""

    release_id: str
    decided_at: str
    pd: float
    score: float
    band: str
    outcome: str
    values: dict[str, Value]

    @property
    def columns(self) -> dict[str, Value]:
        """The columns that a window has of it."""
        return {**self.values, "pd": self.pd, "score": self.score, "band": self.band, "outcome": self.outcome}

    @property
    def hour(self) -> str:
        return f"{datetime.fromisoformat(self.decided_at).astimezone(UTC):{HOUR}}"


class Kept(msgspec.Struct, frozen=True):
    """A file of counts: `monitoring.counting.Counted` reads it."""

    release_id: str
    months: dict[str, Counts]


class Hourly:
    """One release in one hour. What this worker had counted of it before it was let go of is added to what is new."""

    def __init__(self, path: Path, bins: Mapping[str, Bins], portfolio: Portfolio) -> None:
        self.written = True
        self._path, self._release_id = path, path.name.partition(".")[0]
        self._month = path.parent.name[:7] if portfolio.is_dated else ALL
        self._before: Counts | None = None
        self._new = Increments(bins, portfolio)

    def add(self, some: Sequence[Said]) -> None:
        self._new.add([said.columns for said in some])
        self.written = False

    def write(self) -> None:
        """Whole before it has its name: somebody may be reading the one before. Raises OSError."""
        if not self._path.parent.is_dir():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_old(self._path.parent)
        if self._before is None:
            self._before = self._kept()
        draft = self._path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(Kept(self._release_id, {self._month: merge(self._before, self._new.found())})))
        draft.replace(self._path)
        self.written = True

    def _kept(self) -> Counts:
        """What is there of before. Raises OSError where that cannot be read now: then there is another try, or it would be overwritten."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=Kept).months[self._month]
            merge(found, self._new.found())
        except FileNotFoundError:
            return Counts({})
        except (DataError, KeyError, ValueError) as error:  # no later try would be better
            return self._set_aside(type(error).__name__)
        return found

    def _set_aside(self, why: str) -> Counts:
        aside = self._path.replace(self._path.with_suffix(DAMAGED))
        log.error("live counts: %s is damaged (%s); it is kept as %s, and the hour is begun anew", self._path.name, why, aside.name)
        return Counts({})


def remove_old(newest: Path) -> None:
    """Of the hours beside this one those that are over for longer than `KEPT`."""
    oldest = f"{datetime.strptime(newest.name, HOUR).replace(tzinfo=UTC) - KEPT:{HOUR}}"
    for hour in newest.parent.iterdir():
        if hour.name < oldest:
            shutil.rmtree(hour, ignore_errors=True)
