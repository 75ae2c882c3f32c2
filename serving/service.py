"""The BentoML service: process, workers, packaging. Every HTTP request is answered by `serving.app`.

The application stands in front of BentoML's own routes, so that /readyz means ready, /metrics is bounded and nothing else is exposed.
BentoML's metrics (labelled by raw path), access log, timeout (a 504 keeps computing) and tracing of what we answer are off.
BentoML's usage analytics are off unless the caller says otherwise. Serves one portfolio, `TALLY_PORTFOLIO`, from local disk; needs
neither MLflow nor a network.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import sys
from importlib.util import find_spec
from types import FrameType
from typing import Any

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")  # who scores, and how much, is told to nobody

import bentoml
import uvicorn.config
from bentoml._internal.utils.analytics import usage_stats
from starlette.types import ASGIApp, Receive, Scope, Send

from feature_repo import portfolios
from serving import logs, settings
from serving.app import Api
from serving.decisions import Decisions
from serving.metrics import Metrics
from serving.refusals import Doors
from serving.traces import traces

LOOPBACK = "127.0.0.1"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` has asked, and kept the answer, before it loads this module
SERVE = "bentoml_cli.serve"  # is loaded where `bentoml serve` starts the workers, and not in a worker
SUPERVISOR = "bentoml._internal.utils.circus"  # which it imports only after this module
LOOK_EVERY = 1.0
NAMELESS = settings.nameless()


def attend() -> None:
    """Look every second whether a worker has died. BentoML looks every ten: so long would a service of one worker not answer."""
    if SERVE not in sys.modules:
        return
    supervisor = importlib.import_module(SUPERVISOR)

    class Attentive(supervisor.Arbiter):  # type: ignore[misc, name-defined]  # known only at run time
        def __init__(self, *given: Any, **named: Any) -> None:
            logs.configure(NAMELESS.log_level, NAMELESS.log_format)  # here, and not on import: BentoML sets its own form in between
            super().__init__(*given, **{**named, "check_delay": LOOK_EVERY})

    supervisor.Arbiter = Attentive  # type: ignore[attr-defined]


attend()


if find_spec("httptools"):  # elsewhere the application refuses by itself, which costs more
    from serving.refusing import Refusing

    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{Refusing.__module__}:{Refusing.__name__}"


def drain_on_term(api: Api | None, seconds: float) -> None:
    """When told to end, be ready no more, go on answering for a while, and only then let the server close its door.

    Whoever balances the load needs that while to see it. What is in flight when the door closes is answered by the server.
    """
    end = signal.getsignal(signal.SIGTERM)
    if api is None or not callable(end):
        return
    loop = asyncio.get_running_loop()

    def told(number: int, frame: FrameType | None) -> None:
        api.end()
        loop.call_soon_threadsafe(loop.call_later, seconds, end, number, frame)

    signal.signal(signal.SIGTERM, told)


def keep_what_is_loaded() -> None:
    """Look through what is loaded by now for garbage once and never again: it takes a tenth of a second, in which nobody is answered."""
    gc.collect()
    gc.freeze()


class Front:
    """Answers every HTTP request with the service's own application; anything else (startup, shutdown) is BentoML's."""

    api: Api | None = None

    def __init__(self, app: ASGIApp) -> None:
        self._bentoml = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = Front.api if scope["type"] == "http" and Front.api is not None else self._bentoml
        await answering(scope, receive, send)


@bentoml.service(
    name="credit_scoring", workers=NAMELESS.workers, http={"host": LOOPBACK}, metrics={"enabled": False},
    logging={"access": {"enabled": False}}, tracing={"excluded_urls": [".*"]}, traffic={"timeout": 3600},
)
class CreditScoring:
    """Decisions of one portfolio, each recorded before it is answered."""

    def __init__(self) -> None:
        self._settings = settings.read()
        named = {"portfolio": self._settings.portfolio}
        logs.configure(self._settings.log_level, self._settings.log_format, **named)
        self._decisions = Decisions(self._settings, portfolios.load(self._settings.portfolio), metrics := Metrics())
        named |= {"worker": self._decisions.answers.worker}
        logs.configure(self._settings.log_level, self._settings.log_format, **named)
        self._traces = traces({f"tally.{name}": value for name, value in named.items()})
        metrics.spans = self._traces.step if self._traces else None
        Front.api = Api(self._settings, self._decisions, self._traces)
        Doors.refusals, Doors.application = Front.api.refusals, Front.api

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def watch(self) -> None:
        """Serve the champion, and follow its pointer from now on."""
        drain_on_term(Front.api, self._settings.drain)
        await self._decisions.open()
        keep_what_is_loaded()
        self._watching = asyncio.create_task(self._decisions.champions.watch(self._settings.watch_every))

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def close(self) -> None:
        """Stop watching, and write what waits."""
        self._watching.cancel()
        if Front.api is not None:
            await asyncio.to_thread(Front.api.close)
        await asyncio.to_thread(self._decisions.close)
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)


CreditScoring.add_asgi_middleware(Front)  # type: ignore[attr-defined]  # the decorator made it BentoML's Service
