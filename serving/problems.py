"""Every way a request is refused, as RFC 9457 problem+json. A refusal never repeats a value that was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from uuid6 import uuid7

MEDIA_TYPE = "application/problem+json"
KINDS = {
    "malformed-json": (400, "The body is not a JSON document this service reads"),
    "invalid-idempotency-key": (400, "The Idempotency-Key cannot be used"),
    "not-authenticated": (401, "This is not for everybody"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This method is not for this address"),
    "too-slow": (408, "The request did not arrive in time"),
    "not-current": (409, "Information this decision needs is not current"),
    "release-not-here": (409, "The release that decided cannot be asked"),
    "erased": (410, "The content was erased"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "Only JSON in UTF-8 is read"),
    "invalid-application": (422, "The application is not as the contract says"),
    "idempotency-in-flight": (409, "A request with this Idempotency-Key is being answered"),
    "invalid-query": (422, "The question is not one of this address"),
    "invalid-rows": (422, "The rows are not as the contract says"),
    "card-number": (422, "This looks like a card number, which is not taken"),
    "idempotency-conflict": (422, "The Idempotency-Key belongs to another request"),
    "too-busy": (429, "Too many decisions at once"),
    "internal": (500, "The service failed"),
    "not-ready": (503, "The service is not ready"),
    "too-late": (503, "No time is left for this decision"),
    "not-recorded": (503, "The decision is not known to be recorded, so it is not told"),
}
RETRY = {"idempotency-in-flight": "1", "too-busy": "1", "too-late": "1", "not-ready": "5", "not-recorded": "1"}
PLAIN_NAME = re.compile(r"(?!(?:.*\d){7})[A-Za-z0-9_]{1,64}")  # a name with many digits may be a number of somebody


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: where in the request (RFC 6901 pointer) and what was allowed there."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A request that is refused. kind: a key of `KINDS`."""

    def __init__(self, kind: str, detail: str, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = {**({"Retry-After": RETRY[kind]} if kind in RETRY else {}), **(headers or {})}

    @property
    def status(self) -> int:
        return KINDS[self.kind][0]


def response(problem: Problem) -> tuple[Response, str]:
    """The answer to a refused request, and the `instance` that names this occurrence in the answer and in the log."""
    instance = uuid7().urn
    body: dict[str, Any] = {"type": f"/docs#{problem.kind}", "title": KINDS[problem.kind][1], "status": problem.status,
                            "detail": problem.detail, "instance": instance}
    if problem.errors:
        body["errors"] = problem.errors
    return Response(msgspec.json.encode(body), problem.status, problem.headers, MEDIA_TYPE), instance


def step(pointer: str, name: str) -> str:
    """The pointer one step deeper; a name that does not look like a field is not repeated."""
    return f"{pointer}/{name}" if PLAIN_NAME.fullmatch(name) else pointer
