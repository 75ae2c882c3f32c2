"""The desk as an ASGI application: which address asks or does what, who is asking, and every refusal as a problem.

Responsible for letting nobody in whose token is not that of a person in force, for limits, and for a log that names routes and statuses
alone. Actions are done one at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feature_repo.errors import IdentityError, TallyError
from governance import enrolment, people
from governance.actions import Acting
from governance.current import Current
from governance.enrolment import Signer
from governance.events import Actor
from governance.ledger.writer import Ledger
from governance.people import Person
from serving import body
from serving.problems import Problem
from serving.problems import response as problem_response
from tally.checkout import Checkout
from tally.desk import description, reading, refusals
from tally.desk.acting import Act
from tally.desk.description import ACTIONS, QUESTIONS, Action, Question
from tally.desk.refusals import Refused

BODY_BYTES, DEPTH, PATIENCE = 64 * 2**10, 8, 5.0
JSON, ZIP = "application/json", "application/zip"
UNROUTED = {404: "not-found", 405: "method-not-allowed"}
HANDLED: tuple[Any, ...] = (Refused, TallyError, Problem, HTTPException, Exception)
Handler = Callable[[Request], Awaitable[Response]]
log = logging.getLogger("tally.desk")


@dataclass(frozen=True)
class Desk:
    """A desk of one portfolio. signer: the desk's own key; ledger: its one writer."""

    checkout: Checkout
    signer: Signer
    ledger: Ledger
    one_at_a_time: threading.Lock

    def person(self, request: Request) -> Person:
        """Who is asking. Raises Refused."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise Refused("unauthorized")
        try:
            return people.read(self.checkout.signers).by_token(secret.strip())
        except IdentityError:
            raise Refused("unauthorized") from None

    def ask(self, question: Question) -> Handler:
        """A route that answers."""
        async def answer(request: Request) -> Response:
            await run_in_threadpool(self.person, request)
            asked = reading.Asked(self.checkout, dict(request.path_params), reading.said(request, question.parameters))
            return told(await run_in_threadpool(question.answer, asked))

        return answer

    def do(self, action: Action) -> Handler:
        """A route that acts."""
        async def act(request: Request) -> Response:
            person = await run_in_threadpool(self.person, request)
            if not set(person.roles) & set(action.roles):
                raise Refused("forbidden", f"this takes the role {' or '.join(action.roles)}")
            document = await body.read(request, BODY_BYTES, DEPTH, PATIENCE)
            try:
                wanted = msgspec.convert(document, action.body)
            except msgspec.ValidationError as error:
                raise Refused("invalid", str(error)) from None
            made = await run_in_threadpool(self._done, action, person, wanted, request.path_params.get("id", ""))
            return told(made, 201 if action.creates else 200)

        return act

    def _done(self, action: Action, person: Person, wanted: Any, request_id: str) -> Any:
        actor = Actor(person.name, "token", key=self.signer.name, demo=person.demo)
        with self.one_at_a_time:
            current = Current(self.checkout.book, self.checkout.signers)
            return action.do(Act(self.checkout, Acting(current, self.ledger, actor, self.signer.sign), request_id), wanted)


def application(checkout: Checkout) -> Starlette:
    """The desk of a checkout. Raises IdentityError where no desk's key is on this machine."""
    desk = Desk(checkout, desk_of(enrolment.place(checkout.home)), Ledger(checkout.book), threading.Lock())
    document = msgspec.json.encode(description.document(checkout.portfolio.name))

    async def live(_: Request) -> Response:
        return told({"live": True})

    async def described(request: Request) -> Response:
        await run_in_threadpool(desk.person, request)
        return Response(document, media_type=JSON)

    routes = [Route("/livez", live), Route("/openapi.json", described),
              *(Route(each.path, desk.ask(each), methods=["GET"]) for each in QUESTIONS),
              *(Route(each.path, desk.do(each), methods=["POST"]) for each in ACTIONS)]

    async def refused(request: Request, error: Exception) -> Response:
        answer = _answer(error, checkout)
        log.info("%s %s %s", request.method, getattr(request.scope.get("route"), "path", "other"), answer.status_code)
        return answer

    made = Starlette(routes=routes, exception_handlers=dict.fromkeys(HANDLED, refused))
    made.router.redirect_slashes = False
    return made


def desk_of(place: enrolment.Place) -> Signer:
    """The desk whose key is here: whoever acts, where they are one, else the first. Raises IdentityError where there is none."""
    desks = [one.name for one in place.people if "desk" in one.roles and one.in_force(people.now()) and place.key_of(one.name).is_file()]
    if not desks:
        raise IdentityError("no desk has its key here, so nobody could vouch for a token; make one: tally people new desk --role desk")
    return enrolment.signer(place, place.actor if place.actor in desks else desks[0])


def told(value: Any, status: int = 200) -> Response:
    """An answer: bytes are an archive, all else is JSON. No cache keeps it."""
    keep_none = {"Cache-Control": "no-store"}
    if isinstance(value, bytes):
        return Response(value, status, {**keep_none, "Content-Disposition": 'attachment; filename="evidence.zip"'}, ZIP)
    return Response(msgspec.json.encode(value), status, keep_none, JSON)


def _answer(error: Exception, checkout: Checkout) -> Response:
    """What is said of an error; one nobody expected is logged by its place in the code, never by its content."""
    if isinstance(error, Problem):
        return problem_response(error)[0]
    if isinstance(error, HTTPException):
        return refusals.response(Refused(UNROUTED.get(error.status_code, "bad-request")))
    if isinstance(error, Refused):
        return refusals.response(error)
    if isinstance(error, TallyError):
        return refusals.response(refusals.of(error, checkout.home))
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    log.error("unexpected %s at %s:%s", type(error).__name__, *((trace.tb_frame.f_code.co_name, trace.tb_lineno) if trace else ("", 0)))
    return refusals.response(Refused("internal"))

