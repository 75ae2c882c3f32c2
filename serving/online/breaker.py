"""A store that does not answer is left alone for a while, so that its silence does not cost every request its patience.

Responsible for one trial at a time until it answers again, and for saying once that the circuit opened, once that it closed. What the
store answered, be it wrong, opens nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitBreakerListener,
    CircuitBreakerState,
)

from serving.online.store import NotAsked, OnlineStore, Unreachable, Vector

FAILURES = 5  # in a row
PAUSE = 1.0  # seconds until a trial
Result = TypeVar("Result")
log = logging.getLogger("tally.serving")


class Guarded:
    """An online store behind a circuit breaker. changed: told of every state the circuit comes to."""

    def __init__(self, store: OnlineStore, changed: Callable[[str], None]) -> None:
        self._store = store
        self._breaker = CircuitBreaker(FAILURES, PAUSE, exclude=[_answered], listeners=[Told(changed)], throw_new_error_on_trip=False)
        self._trial = Lock()
        changed(self._breaker.current_state)

    def read(self, applicant: str) -> Vector:
        return self._through(lambda: self._store.read(applicant))

    def read_many(self, applicants: Sequence[str]) -> list[Vector]:
        return self._through(lambda: self._store.read_many(applicants))

    def probe(self) -> None:
        self._through(self._store.probe)

    def close(self) -> None:
        self._store.close()

    def _through(self, ask: Callable[[], Result]) -> Result:
        """Ask without holding the breaker's lock meanwhile: `CircuitBreaker.call` would let one request ask at a time."""
        trial = self._breaker.current_state != STATE_CLOSED
        if trial and not self._trial.acquire(blocking=False):
            raise NotAsked("the online store is on trial")
        try:
            with self._breaker.calling():
                return ask()
        except CircuitBreakerError:
            raise NotAsked("the online store did not answer lately and is left alone") from None
        finally:
            if trial:
                self._trial.release()


class Told(CircuitBreakerListener):
    """Tells a log and a metric; of a pause that goes on only the metric."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def state_change(self, cb: CircuitBreaker, old_state: CircuitBreakerState | None, new_state: CircuitBreakerState) -> None:
        self._changed(new_state.name)
        before = old_state.name if old_state else STATE_CLOSED
        if new_state.name == STATE_OPEN and before == STATE_CLOSED:
            log.warning("the online store does not answer (%d times in a row); it is tried every %g s", cb.fail_max, cb.reset_timeout)
        if new_state.name == STATE_CLOSED and before != STATE_CLOSED:
            log.warning("the online store answers again")


def _answered(error: BaseException) -> bool:
    return not isinstance(error, Unreachable)
