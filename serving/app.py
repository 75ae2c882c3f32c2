"""The HTTP face of a service: which address does what, how many at once, and every refusal as a problem.

Responsible for routes, limits and counting. Refuses what is unknown, too much or not JSON before anything is decided; an unexpected
error is logged by its place in the code and never by its content. Knows no vendor of servers: it is an ASGI application.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from uuid import UUID

import msgspec
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from governance.cards import SAID, holds_card
from serving import body, docs, logs, metrics, openapi
from serving.admission import Admission
from serving.advice import Advice
from serving.answers import Answers
from serving.application import DECISIONS, Application, Form
from serving.awaited import Awaited, gone
from serving.decisions import AGAIN, Decisions
from serving.observed import Observed
from serving.once import Once
from serving.owed import Owed
from serving.problems import Problem, response
from serving.pushes import Pushes
from serving.refusals import DECIDE, DECIDE_BATCH, Refusals, busy
from serving.settings import Settings
from serving.traces import Traces

KEY = re.compile(r"[!-~]{1,255}")
JSON = "application/json"
UNEXPECTED = {404: "not-found", 405: "method-not-allowed"}
log = logging.getLogger("tally.serving")


class Api:
    """The ASGI application of one worker. traces: spans of its requests, where they are on."""

    def __init__(self, settings: Settings, decisions: Decisions, traces: Traces | None = None) -> None:
        self._settings = settings
        self._decisions = decisions
        self._form = Form(decisions.portfolio, settings.own_ids)
        document = openapi.document(decisions.portfolio, settings)
        self._openapi = msgspec.json.encode(document)
        self._docs = docs.page(document)
        self._admission = Admission(settings.in_flight, settings.deadline)
        self.refusals = Refusals(self._admission, decisions.metrics)
        self._ending = False
        self._pushes = Pushes(settings, decisions.portfolio) if settings.push_token_sha256 and decisions.portfolio.views else None
        self._advice = Advice(settings.folder / "releases", decisions.portfolio, lambda: decisions.champions.now)
        post, get = (["POST"], ["GET"])
        router = Router([
            Route(DECIDE, self.decide, methods=post),
            Route(DECIDE_BATCH, self.decide_batch, methods=post),
            Route("/v1/decisions/{decision_id}", self.answer, methods=get),
            Route("/v1/decisions/{decision_id}/counterfactual", self.counterfactual, methods=get),
            Route("/v1/release", self.release, methods=get),
            Route("/livez", self.live, methods=get),
            Route("/readyz", self.ready, methods=get),
            Route("/metrics", self.measures, methods=get),
            Route("/docs", self.page, methods=get),
            Route("/openapi.json", self.description, methods=get),
            *([Route("/v1/features/{table}", self.push, methods=post)] if self._pushes else []),
        ], redirect_slashes=False)
        stack = ExceptionMiddleware(router, handlers={Problem: refused, HTTPException: unrouted, Exception: failed})
        self._observed = Observed(stack, decisions.metrics, traces, decisions.serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell of the answer. Where the service ends, the client is to use its connection no more."""
        async def last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        scope["app"] = self
        await self._observed(scope, receive, last if self._ending else send)

    def end(self) -> None:
        """Be ready no more; what is asked meanwhile is answered."""
        self._ending = True

    async def decide(self, request: Request) -> Response:
        """POST /v1/decisions."""
        once = self._once(request, "decision")
        with self._place():
            document = await self._read(request, self._settings.body_bytes)
            (answer,), owed = await self._decided(request, [self._form.one(document)], once)
        return Telling(answer, self._decisions.answers, owed)

    async def decide_batch(self, request: Request) -> Response:
        """POST /v1/decisions:batch."""
        once = self._once(request, "batch")
        with self._place():
            document = await self._read(request, self._settings.batch_body_bytes)
            answers, owed = await self._decided(request, self._form.many(document, self._settings.batch_size), once)
        return Telling(msgspec.json.encode({DECISIONS: [msgspec.Raw(answer) for answer in answers]}), self._decisions.answers, owed)

    async def push(self, request: Request) -> Response:
        """POST /v1/features/{table}: there only where a token is set."""
        if self._pushes is None:
            raise Problem("not-found", "nothing can be pushed here")
        self._pushes.admit(request.headers.get("authorization"))
        table = self._pushes.table(request.path_params["table"])
        with self._place():
            return told(await self._pushes.take(table, await self._read(request, self._settings.batch_body_bytes)))

    def close(self) -> None:
        """Let go of what the API itself holds."""
        self._advice.close()
        if self._pushes is not None:
            self._pushes.close()

    async def answer(self, request: Request) -> Response:
        """GET /v1/decisions/{id}."""
        return Response(await self._decisions.answer(decision_id(request)), media_type=JSON)

    async def counterfactual(self, request: Request) -> Response:
        """GET /v1/decisions/{id}/counterfactual."""
        record = await self._decisions.record(decision_id(request))
        advised = await self._advice.about(record.content, request.query_params.multi_items())
        return Response(msgspec.json.encode(advised), media_type=JSON)

    async def release(self, _: Request) -> Response:
        """GET /v1/release: what the worker that answers serves and has beside it, and what every living one serves."""
        champion = self._decisions.champion()
        manifest = champion.release.manifest
        return told({"release_id": champion.release.id, "model_version": champion.model_version, "portfolio": manifest.portfolio,
                     "model": manifest.model, "interface_hash": manifest.interface_hash, "worker": self._decisions.answers.worker,
                     "since": self._decisions.champions.since, "workers": self._decisions.workers.all(), **self._decisions.beside.shown()})

    async def live(self, _: Request) -> Response:
        """GET /livez: the event loop turns."""
        return told({"live": True})

    async def ready(self, _: Request) -> Response:
        """GET /readyz: a decision could be made and recorded now."""
        if self._ending:
            raise Problem("not-ready", "the service is told to end", headers={"Retry-After": "1"})
        if faults := await self._decisions.faults():
            raise Problem("not-ready", "a decision could not be made and recorded now", faults)
        return told({"ready": True, "release_id": self._decisions.champion().release.id})

    async def measures(self, _: Request) -> Response:
        """GET /metrics."""
        return Response(self._decisions.metrics.page(), media_type=metrics.CONTENT_TYPE)

    async def page(self, _: Request) -> Response:
        """GET /docs."""
        return Response(self._docs, media_type="text/html", headers={"Content-Security-Policy": docs.POLICY})

    async def description(self, _: Request) -> Response:
        """GET /openapi.json."""
        return Response(self._openapi, media_type=JSON)

    async def _read(self, request: Request, limit: int) -> object:
        with self._decisions.metrics.step("read"):
            document: object = await body.read(request, limit, self._settings.depth, self._settings.patience)
            return document

    def _place(self) -> AbstractContextManager[None]:
        """One of the places for requests. Raises Problem where all are taken, or where this one would wait too long."""
        if reason := self._admission.objection():
            self._decisions.metrics.shed(reason)
            raise busy(self._admission, reason)
        return self._admission.place()

    async def _decided(self, request: Request, applications: Sequence[Application], once: Once | None) -> tuple[list[bytes], Owed]:
        """The answers, in flight until they are recorded."""
        with self._admission.flight(len(applications)) as flight:
            awaited = Awaited(flight, request.receive, self._decisions.metrics)
            answers, owed = await self._decisions.decide(applications, awaited, once)
            flight.made = bool(owed.places)
        return answers, owed

    def _once(self, request: Request, route: str) -> Once | None:
        return idempotency(request, route, self._settings.caller_header)


class Telling(Response):
    """The answer to decisions. They are answered once its last byte is the operating system's, and not where the client had gone."""

    def __init__(self, content: bytes, answers: Answers, owed: Owed) -> None:
        super().__init__(content, media_type=JSON)
        self._answers, self._owed = answers, owed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, and strike out in the loop's next turn: uvloop keeps what is written until the end of this one."""
        left = not gone(receive)
        try:
            await super().__call__(scope, receive, send)
        except BaseException:
            left = False
            raise
        finally:
            if left:
                asyncio.get_running_loop().call_soon(self._answers.done, self._owed)
            else:
                self._answers.lost(self._owed)


def idempotency(request: Request, route: str, caller_header: str = "") -> Once | None:
    """The Idempotency-Key of a request, if it has one. Raises Problem where it has two, one that cannot be used, or nobody's."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not KEY.fullmatch(keys[0]):
        raise Problem("invalid-idempotency-key", "send one key of 1 to 255 visible ASCII characters")
    if holds_card(keys[0]):
        raise Problem("card-number", f"the Idempotency-Key {SAID}; a UUID is a good key")
    callers = request.headers.getlist(caller_header) if caller_header else [""]
    if len(callers) != 1 or bool(callers[0]) != bool(caller_header):
        raise Problem("invalid-idempotency-key", "a key is its caller's, and the gateway did not say whose it is")
    return Once(keys[0], route, callers[0])


def decision_id(request: Request) -> str:
    """The id in the address of a request. Raises Problem where no decision could have it."""
    named = request.path_params["decision_id"]
    try:
        found = str(UUID(named))
    except ValueError:
        found = ""
    if found != named.lower():
        raise Problem("not-found", "no decision has such an id")
    return found


def told(value: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(value), media_type=JSON)


async def refused(request: Request, problem: Exception) -> Response:
    """A refusal of ours. Its kind and its `instance` are told by `Observed`, nothing that was sent."""
    if not isinstance(problem, Problem):
        raise problem
    answer, instance = response(problem)
    request.scope["problem"] = problem.kind, instance
    return answer


async def unrouted(request: Request, error: Exception) -> Response:
    """An address or method that is not there."""
    if not isinstance(error, HTTPException):
        raise error
    details = {"not-found": "see /docs for what is here", "method-not-allowed": "see the Allow header"}
    kind = UNEXPECTED.get(error.status_code, "internal")
    return await refused(request, Problem(kind, details.get(kind, "see the log of the service"), headers=error.headers))


async def failed(request: Request, error: Exception) -> Response:
    """An error nobody expected: where it happened goes to the log, what it was about may be personal and does not."""
    log.error("unexpected %s at %s", type(error).__name__, logs.places(error))
    return await refused(request, Problem("internal", f"the service failed and tells no decision; {AGAIN}"))
