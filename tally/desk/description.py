"""Every address of the desk, once: what it answers or does, what it takes, and the same said in OpenAPI 3.1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from serving.problems import MEDIA_TYPE
from tally.desk import acting, reading
from tally.desk.acting import Do, Effect, End, Less, Otherwise, Override, Wanted, Why
from tally.desk.reading import Answer
from tally.desk.refusals import KINDS

OWNER, APPROVER, UNDERWRITER = "owner", "approver", "underwriter"
MEANT = {"at": "a moment, such as 2026-03-01T12:00Z", "release": "the beginning of a release id, or v7 for a version",
         "from": "begin of a span of the record's clock", "to": "its end, which is not in it"}


@dataclass(frozen=True)
class Question:
    """GET an address. parameters: of the query."""

    path: str
    summary: str
    answer: Answer
    parameters: tuple[str, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True)
class Action:
    """POST to an address. roles: one of them is needed; the rules of promotion have the last word."""

    path: str
    summary: str
    do: Do
    body: type[msgspec.Struct]
    roles: tuple[str, ...]
    creates: bool = False


QUESTIONS = (
    Question("/v1/history", "Every governance event in order", reading.history),
    Question("/v1/in-production", "What served at a moment, who let it and on what evidence", reading.in_production, ("at",)),
    Question("/v1/requests", "Every request for promotion, with what is missing", reading.requests),
    Question("/v1/decisions/{id}/trace", "What stands behind a decision, with its proof", reading.trace),
    Question("/v1/decisions/{id}/replay", "Whether a decision comes out the same again", reading.replay),
    Question("/v1/replay", "Whether all decisions of a span do; with a release, what it would have decided", reading.replay_many,
             ("release", "from", "to")),
    Question("/v1/evidence/{id}", "One archive about a decision or a release", reading.archive, media_type="application/zip"),
)
ACTIONS = (
    Action("/v1/requests", "Ask for a version to serve", acting.request, Wanted, (OWNER,), creates=True),
    Action("/v1/requests/{id}/approve", "Agree", acting.approve, Why, (APPROVER,)),
    Action("/v1/requests/{id}/reject", "Do not agree, or take one's own request back", acting.reject, Why, (APPROVER, OWNER)),
    Action("/v1/requests/{id}/waive", "Override a failed gate for a time", acting.waive, Override, (APPROVER,)),
    Action("/v1/requests/{id}/promote", "Let an approved request take effect", acting.promote, Effect, (OWNER, APPROVER)),
    Action("/v1/withdraw", "End a shadow, or a split before its time", acting.withdraw, Less, (OWNER, APPROVER)),
    Action("/v1/rollback", "Back to what served before", acting.rollback, Why, (OWNER,)),
    Action("/v1/decisions/{id}/override", "Decide otherwise than the service", acting.override, Otherwise, (UNDERWRITER,), creates=True),
    Action("/v1/retire", "Never let a release serve again", acting.retire, End, (OWNER, APPROVER)),
)


def document(portfolio: str) -> dict[str, Any]:
    """The OpenAPI document."""
    bodies, schemas = msgspec.json.schema_components([each.body for each in ACTIONS], ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for question in QUESTIONS:
        paths.setdefault(question.path, {})["get"] = _operation(question.path, question.summary, question.parameters, question.media_type)
    for action, schema in zip(ACTIONS, bodies, strict=True):
        said = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "description": f"Takes the role {' or '.join(action.roles)}."}
        paths.setdefault(action.path, {})["post"] = _operation(action.path, action.summary) | said
    return {
        "openapi": "3.1.0", "info": {"title": f"The record of {portfolio}", "version": "1"}, "security": [{"token": []}], "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(path: str, summary: str, parameters: tuple[str, ...] = (), media_type: str = "application/json") -> dict[str, Any]:
    named = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"{(\w+)}", path)]
    asked = [{"name": name, "in": "query", "required": name == "at", "description": MEANT[name], "schema": {"type": "string"}}
             for name in parameters]
    problems = {str(status): {"description": title, "content": {MEDIA_TYPE: {}}} for status, title in KINDS.values()}
    return {"summary": summary, "parameters": [*named, *asked],
            "responses": {"200": {"description": "Done", "content": {media_type: {}}}, **problems}}
