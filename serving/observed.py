"""What is told of each request once it is answered: its count, its time, its span, and a line where it was refused.

Responsible for measuring end to end, around whatever answers. Names routes by template and methods from a list; knows nothing of what
was asked. A request that was answered well has a line only at level DEBUG: decisions are in the ledger, and requests are counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import logs
from serving.metrics import Metrics
from serving.traces import Began, Traces, trace_of

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
OTHER = "other"
EXPECTED = 429  # refused as agreed: under load a line each would be load on top
log = logging.getLogger("tally.serving")


class Observed:
    """An ASGI application that is watched. release: the id of what serves; traces: None where spans are off."""

    def __init__(self, app: ASGIApp, metrics: Metrics, traces: Traces | None, release: Callable[[], str]) -> None:
        self._app, self._metrics, self._traces, self._release = app, metrics, traces, release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell of it when the last byte was handed over or the application failed."""
        status = 500

        async def noticing(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        parent = traceparent(scope)
        began = self._traces.begin(method_of(scope), parent) if self._traces else None
        traced = logs.trace_id.set(trace_of(began, parent))
        started = time.perf_counter()
        self._metrics.asked()
        try:
            await self._app(scope, receive, noticing)
        finally:
            self._tell(scope, status, time.perf_counter() - started, began)
            logs.trace_id.reset(traced)

    def _tell(self, scope: Scope, status: int, seconds: float, began: Began | None) -> None:
        route, method = getattr(scope.get("route"), "path", OTHER), method_of(scope)
        problem, instance = scope.get("problem", (None, None))
        self._metrics.request(route, status, seconds)
        if problem:
            self._metrics.problem(problem)
        level = level_of(status)
        if log.isEnabledFor(level):
            said = {"route": route, "method": method, "status": status, "problem": problem, "instance": instance,
                    "release_id": self._release() or None, "seconds": round(seconds, 6)}
            log.log(level, "refused: %s" if problem else "answered: %s", problem or status, extra=said)
        if began and self._traces:
            said = {"http.route": route, "tally.release_id": self._release(), **({"error.type": problem} if problem else {})}
            self._traces.end(began, f"{method} {route}", status, said)


def level_of(status: int) -> int:
    """How much a line about an answer matters."""
    if status >= 500:
        return logging.WARNING
    return logging.DEBUG if status < 400 or status == EXPECTED else logging.INFO


def method_of(scope: Scope) -> str:
    """The method, where it is one that is known: anybody may invent others."""
    return scope["method"] if scope["method"] in METHODS else OTHER


def traceparent(scope: Scope) -> str:
    """The traceparent of a request as it was sent; nothing where there is none, or several."""
    found = [value for name, value in scope["headers"] if name == b"traceparent"]
    return found[0].decode("latin-1") if len(found) == 1 else ""
