"""A worker on a clock of its own: one processor, a disk that takes whatever waits in one flush, callers who do not wait for each other.

What admission does is told from it without a real clock, in which everything else of the machine would be measured as well.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from serving.admission import Admission

REFUSING = 1 / 50  # of the processor's time for a decision
PAUSE = 0.002  # seconds after which a caller that was refused asks again


@dataclass
class Told:
    """What became of all requests."""

    seconds: float
    took: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @property
    def goodput(self) -> float:
        return len(self.took) / self.seconds

    @property
    def p99(self) -> float:
        return quantiles(self.took, n=100)[-1]


class Worker:
    """processor: seconds of it a decision takes; flush: seconds of a flush of the disk; alike for all in it."""

    def __init__(self, processor: float, flush: float, *, most: int = 256, deadline: float = 2.0, seed: int = 1) -> None:
        self.now = 0.0
        self.stuck = (0.0, 0.0)  # from and to: no flush ends meanwhile
        self.most_in_flight = 0
        self._processor, self._flush = processor, flush
        self.admission = Admission(most, deadline, lambda: self.now)
        self._draw = random.Random(seed)  # noqa: S311 - moments of arrival, no secret
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._free_at = 0.0
        self._written: deque[Callable[[], None]] = deque()
        self._flushing = False

    def ask(self, rate: float, seconds: float) -> Told:
        """Requests at random moments; the first second is left out of what is told."""
        told, began = Told(seconds - 1), self.now
        due = began
        while due < began + seconds:
            due += self._draw.expovariate(rate)
            self._at(due, lambda due=due, counts=due > began + 1: self._arrive(due, told if counts else Told(1)))
        return self._until_nothing_is_due(told)

    def ask_together(self, callers: int, seconds: float) -> Told:
        """So many callers, each asking again when it was answered, and a moment after it was refused."""
        told, ends = Told(seconds), self.now + seconds

        def again(pause: float) -> None:
            due = self.now + pause
            if due < ends:
                self._at(due, lambda: self._arrive(due, told, again))

        for number in range(callers):
            again(number * PAUSE / callers)
        return self._until_nothing_is_due(told)

    def _until_nothing_is_due(self, told: Told) -> Told:
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return told

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), event))

    def _arrive(self, due: float, told: Told, then: Callable[[float], None] = lambda _: None) -> None:
        """then: what the caller does when it has its answer."""
        if self.admission.objection():
            told.refused.append(due)
            self._free_at = max(self._free_at, self.now) + REFUSING * self._processor
            then(PAUSE)
            return
        held = ExitStack()
        held.enter_context(self.admission.place())
        flight = held.enter_context(self.admission.flight(1))
        self.most_in_flight = max(self.most_in_flight, self.admission.decisions)
        self._free_at = max(self._free_at, self.now) + self._processor
        self._at(self._free_at, lambda: self._scored(lambda: self._leave(due, held, flight, told, then)))

    def _scored(self, leave: Callable[[], None]) -> None:
        self._written.append(leave)
        if not self._flushing:
            self._begin()

    def _begin(self) -> None:
        together, self._flushing = [*self._written], True
        self._written.clear()
        ends = self.now + self._flush
        self._at(self.stuck[1] if self.stuck[0] < ends < self.stuck[1] else ends, lambda: self._flushed(together))

    def _flushed(self, together: list[Callable[[], None]]) -> None:
        self._flushing = False
        for leave in together:
            leave()
        if self._written:
            self._begin()

    def _leave(self, due: float, held: ExitStack, flight: Any, told: Told, then: Callable[[float], None]) -> None:
        flight.made = flight.left > 0
        held.close()
        if flight.made:
            told.took.append(self.now - due)
        then(0.0)
