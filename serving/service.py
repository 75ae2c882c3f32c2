"""The BentoML service: process, workers, packaging. Every HTTP request is answered by `serving.app`.

The application stands in front of BentoML's own routes, so that /readyz means ready, /metrics is bounded and nothing else is exposed.
BentoML's metrics (labelled by raw path), access log, timeout (a 504 keeps computing) and tracing of what we answer are off.
BentoML's usage analytics are off unless the caller says otherwise. Serves one portfolio, `TALLY_PORTFOLIO`, from local disk; needs
neither MLflow nor a network.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")  # who scores, and how much, is told to nobody

import bentoml
from bentoml._internal.utils.analytics import usage_stats
from starlette.types import ASGIApp, Receive, Scope, Send

from feature_repo import portfolios
from serving import settings
from serving.app import Api
from serving.decisions import Decisions
from serving.metrics import Metrics

LOOPBACK = "127.0.0.1"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` has asked, and kept the answer, before it loads this module
SUPERVISOR = "bentoml._internal.utils.circus"  # is there only where `bentoml serve` starts the workers, not in a worker
LOOK_EVERY = 1.0


def attend() -> None:
    """Look every second whether a worker has died. BentoML looks every ten: so long would a service of one worker not answer."""
    if SUPERVISOR not in sys.modules:
        return

    class Attentive(sys.modules[SUPERVISOR].Arbiter):  # type: ignore[misc]  # known only at run time
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **{**named, "check_delay": LOOK_EVERY})

    sys.modules[SUPERVISOR].Arbiter = Attentive  # type: ignore[attr-defined]


attend()


class Front:
    """Answers every HTTP request with the service's own application; anything else (startup, shutdown) is BentoML's."""

    api: Api | None = None

    def __init__(self, app: ASGIApp) -> None:
        self._bentoml = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = Front.api if scope["type"] == "http" and Front.api is not None else self._bentoml
        await answering(scope, receive, send)


@bentoml.service(
    name="credit_scoring", workers=settings.workers(), http={"host": LOOPBACK}, metrics={"enabled": False},
    logging={"access": {"enabled": False}}, tracing={"excluded_urls": [".*"]}, traffic={"timeout": 3600},
)
class CreditScoring:
    """Decisions of one portfolio, each recorded before it is answered."""

    def __init__(self) -> None:
        logging.getLogger("tally").setLevel(logging.INFO)
        self._settings = settings.read()
        self._decisions = Decisions(self._settings, portfolios.load(self._settings.portfolio), Metrics())
        Front.api = Api(self._settings, self._decisions)

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def watch(self) -> None:
        """Serve the champion, and follow its pointer from now on."""
        await self._decisions.open()
        self._watching = asyncio.create_task(self._decisions.champions.watch(self._settings.watch_every))

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def close(self) -> None:
        """Stop watching, and write what waits."""
        self._watching.cancel()
        if Front.api is not None:
            await asyncio.to_thread(Front.api.close)
        await asyncio.to_thread(self._decisions.close)


CreditScoring.add_asgi_middleware(Front)  # type: ignore[attr-defined]  # the decorator made it BentoML's Service
