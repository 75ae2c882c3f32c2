"""Every way the desk refuses a request, as RFC 9457 problem+json.

Whoever is not known is told nothing else. A refusal never repeats what was sent, and nothing of it but its kind goes into the log.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from starlette.responses import Response

from feature_repo.errors import DataError, IdentityError, LedgerError, PromotionError, ReleaseError, ServiceError, TallyError
from serving.problems import MEDIA_TYPE
from tally.questions import NoTimeError, NotRecordedError

KINDS = {
    "bad-request": (400, "The request is not one this desk reads"),
    "unauthorized": (401, "Say who you are"),
    "forbidden": (403, "You may not do this"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This method is not for this address"),
    "not-allowed": (409, "The record does not allow this now"),
    "erased": (410, "The content was erased"),
    "invalid": (422, "The request is not as it must be"),
    "internal": (500, "The desk failed"),
    "unavailable": (503, "Something this needs does not answer"),
}
BY_ERROR: tuple[tuple[type[TallyError], str], ...] = (
    (NotRecordedError, "not-found"), (NoTimeError, "invalid"), (PromotionError, "not-allowed"), (IdentityError, "forbidden"),
    (ServiceError, "unavailable"), (ReleaseError, "not-allowed"), (DataError, "invalid"), (LedgerError, "not-allowed"),
)


class Refused(Exception):  # noqa: N818 - as the scoring service's Problem
    """A request that is refused. kind: a key of `KINDS`; detail may be empty."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


def of(error: TallyError, home: Path) -> Refused:
    """What an error of ours is to whoever asked; where things are on this machine is not theirs to know."""
    kind = next((kind for known, kind in BY_ERROR if isinstance(error, known)), "internal")
    return Refused(kind, str(error).replace(str(home), "the home"))


def response(refused: Refused) -> Response:
    """The answer."""
    status, title = KINDS[refused.kind]
    body = {"type": f"/openapi.json#{refused.kind}", "title": title, "status": status}
    headers = {"WWW-Authenticate": "Bearer"} if refused.kind == "unauthorized" else {}
    return Response(msgspec.json.encode(body | ({"detail": refused.detail} if refused.detail else {})), status, headers, MEDIA_TYPE)
