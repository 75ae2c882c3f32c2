"""What a decision is told that is not begun: one prepared answer for all of a moment, and how many got it.

Responsible for counting them all the same, a few times a second: a metric and a line for each would be load on top of load. Everything
but a POST of decisions is let through: probes and metrics are answered by whoever has time for nothing else.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import ClassVar

from starlette.types import ASGIApp

from serving.admission import Admission, Reason
from serving.metrics import Metrics
from serving.problems import KINDS, Problem, response
from serving.tallies import TOLD_EVERY, Tally

DECIDE, DECIDE_BATCH = "/v1/decisions", "/v1/decisions:batch"
ROUTES = {route.encode(): route for route in (DECIDE, DECIDE_BATCH)}
log = logging.getLogger("tally.serving")


def busy(admission: Admission, reason: Reason) -> Problem:
    """The refusal of a request there is no room or no time for."""
    details = {Reason.PLACES: "as many requests as there are places are being answered", Reason.LATE: "no time is left for this decision"}
    detail = details.get(reason, "a decision would wait too long now")
    return Problem("too-busy", detail, headers={"Retry-After": admission.retry_after()})


class Doors:
    """Where connections find what to ask. refusals, application: of this worker, once there are any."""

    refusals: ClassVar[Refusals | None] = None
    application: ClassVar[ASGIApp | None] = None


class Refusals:
    """Those of one worker, at its door (`serving.refusing`)."""

    def __init__(self, admission: Admission, metrics: Metrics) -> None:
        self._admission, self._metrics = admission, metrics
        self._counted: Tally[tuple[str, Reason]] = Tally(self._tell)
        self._raw: dict[Reason, bytes] = {}
        self._made = 0.0

    def refusal(self, method: bytes, target: bytes) -> bytes | None:
        """The answer to a request that is not begun; None: it is."""
        route = ROUTES.get(target) if method == b"POST" else None
        if route is None or (reason := self._admission.objection()) is None:
            return None
        self._counted.add((route, reason))
        return self._answer(reason)

    def _answer(self, reason: Reason) -> bytes:
        if (now := time.monotonic()) - self._made > TOLD_EVERY:
            self._raw.clear()
            self._made = now
        if reason not in self._raw:
            self._raw[reason] = whole(busy(self._admission, reason))
        return self._raw[reason]

    def _tell(self, counted: Counter[tuple[str, Reason]]) -> None:
        for (route, reason), count in counted.items():
            self._metrics.turned_away(route, KINDS["too-busy"][0], "too-busy", reason, count)
            log.info("refused at the door: %d, for want of %s", count, reason, extra={"route": route, "problem": "too-busy"})


def whole(problem: Problem) -> bytes:
    """All bytes of the answer to a refused request."""
    answer, _ = response(problem)
    fields = b"".join(b"%b: %b\r\n" % field for field in answer.raw_headers)
    return b"HTTP/1.1 %d Too Many Requests\r\n%b\r\n%b" % (answer.status_code, fields, bytes(answer.body))
