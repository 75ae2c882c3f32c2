"""Whether somebody asks about the same thing again and again: one applicant, or applications alike in most values, whoever is named.

Responsible for noticing what looks for the cut-off by trying, and no more: it refuses nothing, holds no value and no id, and takes the same
memory however many are asked about. Counts what this worker decided, in windows of an hour; where many are decided, in shorter ones.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from feature_repo.portfolio import Portfolio
from serving.application import Application

BITS = 20
CELLS, MASK = 1 << BITS, (1 << BITS) - 1
FULL = 255
WINDOW = 3_600.0
THIRDS = 3
NUMBER, LEVEL, TELLING = 3, 1, 9  # what a value tells of a person, and what two thirds of a request must: with less, strangers are alike
APPLICANT, APPLICATION = "applicant", "application"
SAID = {APPLICANT: "on one applicant", APPLICATION: "on applications alike in two thirds of what was said"}
PAUSE = 10.0  # seconds between two lines of the log
log = logging.getLogger("tally.serving")


class Sketch:
    """How often each of many keys was added, in 2 MiB: never too few, seldom too many (count-min; Cormode and Muthukrishnan 2005)."""

    def __init__(self) -> None:
        self.added = 0
        self._first, self._second = bytearray(CELLS), bytearray(CELLS)

    @property
    def crowded(self) -> bool:
        """Whether so many were added that two keys share both their cells now and then."""
        return self.added > CELLS // 2

    def add(self, key: int) -> int:
        """Add a key, 64 bits that are well mixed. Returns how often it was by now, counted to `FULL`."""
        first, second, one, other = self._first, self._second, key & MASK, key >> BITS & MASK
        had, also = first[one], second[other]
        count = (min(also, had)) + 1
        if count <= FULL:
            first[one], second[other] = max(had, count), max(also, count)
        self.added += 1
        return count


class Alike:
    """What one worker was asked. most: decisions in a window that may be alike."""

    def __init__(self, portfolio: Portfolio, registry: CollectorRegistry, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most, now
        self._parts = parts(portfolio)
        self._sketch, self._began, self._quiet_until = Sketch(), now(), 0.0
        counted = Counter("tally_decisions_alike", "Decisions beyond so many that are alike", ["alike"], registry=registry)
        self._counted = {alike: counted.labels(alike) for alike in SAID}

    def look(self, applications: Sequence[Application], ids: Sequence[str]) -> None:
        """These were decided just now. ids: of the decisions."""
        now = self._now()
        if self._sketch.crowded or now - self._began > WINDOW:
            self._sketch, self._began = Sketch(), now
        for one, decision_id in zip(applications, ids, strict=True):
            self._note(APPLICANT, self._sketch.add(hash(one.applicant_id)), decision_id, now)
            if self._parts:
                count = max([self._sketch.add(hash((place, part(one.values)))) for place, part in self._parts])
                self._note(APPLICATION, count, decision_id, now)

    def _note(self, alike: str, count: int, decision_id: str, now: float) -> None:
        if count <= self._most:
            return
        self._counted[alike].inc()
        if now >= self._quiet_until:
            self._quiet_until = now + PAUSE
            log.warning("more than %d decisions %s; the newest is %s", self._most, SAID[alike], decision_id)


def parts(portfolio: Portfolio) -> list[tuple[int, Callable[[Any], tuple[Any, ...]]]]:
    """Each two thirds of a request: applications that differ in one value agree in one of them. None where that says too little."""
    numbers_first = sorted(portfolio.requests, key=lambda column: column.is_level)
    thirds = [numbers_first[place::THIRDS] for place in range(THIRDS)]
    kept = [[column for other, columns in enumerate(thirds) if other != place for column in columns] for place in range(THIRDS)]
    if any(sum(LEVEL if column.is_level else NUMBER for column in columns) < TELLING for columns in kept):
        return []
    return [(place, itemgetter(*(column.name for column in columns))) for place, columns in enumerate(kept)]

