"""Whether one more decision is begun: refused at once where it would wait too long, so that those that are begun are answered in time.

Responsible for how many decisions are in flight in one worker. A burst is let in as long as it can be worked off within the deadline, and
so is a queue that keeps to a small share of it: callers who wait for their answers. One that has been longer for a tenth of a second is
cut down, for as long as too much is asked, to what keeps the worker busy: the rate at which decisions leave times three times what one
takes alone, as BBR bounds what is on a network's path (Cardwell et al. 2016), and like BBR it lets the queue run dry now and then to
measure that. Refuses nothing while little is in flight. Knows nothing of HTTP.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Self

FEW = 8  # decisions in flight that are always let in: fewer leave a processor idle while the disk is waited for
GAIN = 3.0  # times what one decision takes alone: how long one may take where the queue stands
STANDS = 0.025  # of the deadline: a wait that nobody is refused for, however long the queue stands
BURST = 0.1  # seconds after which more in flight is no burst but a queue that stands
TRIED = 0.001  # seconds of it with which that is tried again where it was over
WINDOW = 0.1  # seconds of work over which a rate is told
WINDOWS = 10  # that are remembered
LATEST = 0.3  # the weight of the newest window
PROBED = 10.0  # seconds after which what one decision takes alone is measured again
SLOWEST = 1e-3  # decisions a second: a worker that makes none is not waited for
LONGEST = 30  # seconds a refused caller is told to stay away, at most


class Reason(StrEnum):
    """Why a decision is not made. The first three are known on arrival."""

    PLACES = "places"
    WAIT = "wait"
    LATE = "late"
    GONE = "gone"


class Admission:
    """One worker's. most: requests at once; deadline: seconds a decision may take, waiting included."""

    def __init__(self, most: int, deadline: float, now: Callable[[], float] = time.perf_counter) -> None:
        self.decisions = 0
        self._most, self._deadline, self.now = most, deadline, now
        self._requests = 0
        self._rate = Rate(now())
        self._alone = Alone(now())
        self._calm = Calm(now())

    @property
    def limit(self) -> int:
        """The decisions in flight that keep the worker busy, and no more."""
        if self._rate.told is None or self._alone.took is None:
            return self._most
        return max(FEW, min(self._most, math.ceil(GAIN * self._rate.best * self._alone.took)))

    @property
    def wait(self) -> float:
        """Seconds until what is in flight has left, as far as is known."""
        return 0.0 if self._rate.told is None else self.decisions / max(self._rate.told, SLOWEST)

    def objection(self) -> Reason | None:
        """Why one more is not begun now, if it is not."""
        now = self._turn()
        if self._requests >= self._most:
            return Reason.PLACES
        if not self._calm.over:
            return Reason.WAIT if self.decisions >= FEW and self.wait > self._deadline else None
        if self._alone.old(now):
            return Reason.WAIT if self.decisions else None
        return Reason.WAIT if self.decisions >= self.limit else None

    def retry_after(self) -> str:
        """Whole seconds after which a refused caller may come back."""
        return str(max(1, math.ceil(min(self.wait, LONGEST))))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places for requests, while the body arrives as well."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    def flight(self, decisions: int) -> Flight:
        """Some decisions of one request are being made, from the arrival of its body to the record."""
        return Flight(self, decisions)

    def begin(self, flight: Flight) -> None:
        """Its decisions are in flight from now on."""
        flight.began, flight.alone = self._turn(), not self.decisions
        flight.ends = flight.began + self._deadline
        self.decisions += flight.decisions

    def end(self, flight: Flight) -> None:
        """They are not any more."""
        ended = self._turn()
        if flight.made:
            self._rate.made(flight.decisions, self.decisions)
            if flight.alone:
                self._measured(ended - flight.began, ended)
        self.decisions -= flight.decisions

    def _measured(self, took: float, now: float) -> None:
        """What one takes alone; where that was looked for again the queue has run dry, and a short one is let stand again."""
        if self._alone.old(now):
            self._calm.again()
        self._alone.sample(took, now)

    def _turn(self) -> float:
        """Now. So many were in flight until then."""
        now = self.now()
        self._rate.turn(now, self.decisions)
        self._calm.turn(now, calm=self.decisions <= self.limit // 2 or (not self._calm.over and self.wait <= STANDS * self._deadline))
        return now


class Flight:
    """The decisions of one request, in flight while it is entered.

    made: whether they were; alone: whether nothing else was in flight when they began.
    """

    __slots__ = ("_admission", "alone", "began", "decisions", "ends", "made")

    def __init__(self, admission: Admission, decisions: int) -> None:
        self._admission, self.decisions = admission, decisions
        self.began, self.ends, self.alone, self.made = 0.0, 0.0, False, False

    def __enter__(self) -> Self:
        self._admission.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._admission.end(self)

    @property
    def left(self) -> float:
        """Seconds until nobody waits any more."""
        return self.ends - self._admission.now()


class Rate:
    """Decisions that leave in a second while there is enough to do; a second without an answer counts as well.

    best: of the last windows, what this worker can do; in others it may have had less to do.
    """

    def __init__(self, now: float) -> None:
        self.told: float | None = None
        self.best = 0.0
        self._windows: deque[float] = deque(maxlen=WINDOWS)
        self._since, self._worked, self._left = now, 0.0, 0

    def turn(self, now: float, in_flight: int) -> None:
        """So many were in flight until now."""
        if in_flight >= FEW // 2:
            self._worked += now - self._since
        self._since = now
        if self._worked >= WINDOW:
            rate = self._left / self._worked
            self._windows.append(rate)
            self.best = max(self._windows)
            self.told = rate if self.told is None else self.told + LATEST * (rate - self.told)
            self._worked, self._left = 0.0, 0

    def made(self, decisions: int, in_flight: int) -> None:
        if in_flight >= FEW // 2:
            self._left += decisions


class Calm:
    """Seconds for which a burst is let in: used up while much is in flight, won back in as many seconds of calm.

    over: they were used up and are not all won back, or the queue would be let grow again and again while too much is asked. Callers who
    wait for their answers would keep it so for ever: `again` tries whether what they make is a short queue.
    """

    def __init__(self, now: float) -> None:
        self.over = False
        self._left = BURST
        self._since = now

    def turn(self, now: float, *, calm: bool) -> None:
        gone = now - self._since
        self._left = min(BURST, self._left + gone) if calm else max(0.0, self._left - gone)
        self.over = self._left < BURST if self.over else not self._left
        self._since = now

    def again(self) -> None:
        self.over, self._left = False, TRIED


class Alone:
    """What a decision takes that nothing waits beside: the least of the last seconds, or the newest after those."""

    def __init__(self, now: float) -> None:
        self.took: float | None = None
        self._at = now

    def old(self, now: float) -> bool:
        """Whether it is to be measured again."""
        return self.took is not None and now - self._at > PROBED

    def sample(self, took: float, now: float) -> None:
        if self.took is None or took <= self.took or now - self._at > PROBED:
            self.took, self._at = took, now
