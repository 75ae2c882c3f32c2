"""The API said in OpenAPI 3.1, from the contract: the same limits the service holds requests to, with examples that pass.

Responsible for /openapi.json; `serving.application` does the refusing. Names no column itself.
"""

from __future__ import annotations

from typing import Any

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, Action, Input, Table
from feature_repo.portfolio import Portfolio
from serving.advice import MAY_CHANGE
from serving.application import APPLICATION, DECISIONS, Form
from serving.problems import KINDS, MEDIA_TYPE, RETRY
from serving.pushes import ROWS, PushForm
from serving.scoring.counterfactual import changeable
from serving.settings import Settings
from serving.texts import LONGEST, PATTERN

Schema = dict[str, Any]
REFUSALS = ("malformed-json", "invalid-idempotency-key", "too-slow", "not-current", "too-large", "unsupported-media-type",
            "invalid-application", "card-number", "idempotency-conflict", "idempotency-in-flight", "too-busy",
            "not-ready", "too-late", "not-recorded")
NOT_PUSHED = ("malformed-json", "not-authenticated", "not-found", "too-slow", "too-large", "unsupported-media-type", "invalid-rows",
              "too-busy", "not-ready")
ANSWER, COUNTERFACTUAL = "answer", "counterfactual"
TOKEN = "token"  # noqa: S105 - the name of a scheme
IDEMPOTENCY = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
               "description": "The same key and request give the answer of the first time, byte for byte; another request 422; 409 while "
                              "the first is being answered."}
RETRY_AFTER = {"Retry-After": {"description": "Seconds after which to come back", "schema": {"type": "integer", "minimum": 1}}}
AUTHENTICATE = {"WWW-Authenticate": {"description": "What to send", "schema": {"enum": ["Bearer"]}}}
ID = {"name": "decision_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def document(portfolio: Portfolio, settings: Settings) -> Schema:
    """The OpenAPI description of this portfolio's service."""
    batch = {"type": "object", "additionalProperties": False, "required": [DECISIONS], "properties": {
        DECISIONS: {"type": "array", "minItems": 1, "maxItems": settings.batch_size, "items": ref("Request")}}}
    answers = {"type": "object", "required": [DECISIONS], "properties": {DECISIONS: {"type": "array", "items": ref("Decision")}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Tallystick: {portfolio.name}", "version": "1", "description": portfolio.title},
        "paths": {
            "/v1/decisions": {"post": posting("Decide one application", ref("Request"), told(ref("Decision"), "/decision_id"),
                                              example(portfolio))},
            "/v1/decisions:batch": {"post": posting("Decide some applications in one durable commit, all or none", batch,
                                                    told(answers, f"/{DECISIONS}/0/decision_id"), {DECISIONS: [example(portfolio)]})},
            "/v1/decisions/{decision_id}": {"get": {"operationId": ANSWER, **getting(
                "The answer that was given, byte for byte", ref("Decision"), "not-found", "erased", "not-ready", ID)}},
            "/v1/decisions/{decision_id}/counterfactual": {"get": {"operationId": COUNTERFACTUAL, **getting(
                "Would have been approved if …: the smallest change of the request that the release which decided approves",
                ref("Advice"), "not-found", "release-not-here", "erased", "invalid-query", "too-busy", "not-ready", ID,
                may_change(portfolio))}},
            "/v1/release": {"get": getting("The release that serves, by worker", ref("Release"), "not-ready")},
            "/livez": {"get": getting("Whether the process answers", {"type": "object"})},
            "/readyz": {"get": getting("Whether it can decide: release verified, ledger writable, features readable",
                                       {"type": "object"}, "not-ready")},
            "/metrics": {"get": {"summary": "Prometheus metrics of all workers", "responses": {"200": {"description": "Text format"}}}},
            **({f"/v1/features/{table.name}": {"post": pushing(portfolio, table, settings)} for table in portfolio.views}
               if settings.push_token_sha256 else {}),
        },
        "components": {"schemas": {"Request": request(portfolio), "Decision": DECISION, "Release": RELEASE,
                                   "Advice": ADVICE, "Problem": PROBLEM},
                       **({"securitySchemes": {TOKEN: {"type": "http", "scheme": "bearer"}}} if settings.push_token_sha256 else {})},
    }


def pushing(portfolio: Portfolio, table: Table, settings: Settings) -> Schema:
    """The POST of new values of a table's stored columns."""
    dated = table.name in PushForm(portfolio).dated
    fields = {**IDENTIFIED, **({EVENT_TIME: {**MOMENT, "description": "When it became true, not later than now"}} if dated else {}),
              **{column.name: column_schema(column, nullable=column.nullable) for column in table.stored}}
    needed = [name for name in fields if name not in {column.name for column in table.stored if column.nullable}]
    row = {"type": "object", "additionalProperties": False, "properties": fields, "required": needed}
    rows = {"type": "array", "minItems": 1, "maxItems": settings.push_size, "items": row}
    body = {"type": "object", "additionalProperties": False, "required": [ROWS], "properties": {ROWS: rows}}
    sample = {APPLICANT_ID: "1", **({EVENT_TIME: "2024-01-31T12:00:00Z"} if dated else {}),
              **{column.name: typical(column) for column in table.stored}}
    content = {"application/json": {"schema": body, "example": {ROWS: [sample]}}}
    return {"summary": f"Push values of {', '.join(column.name for column in table.stored)}: kept for training, and online with the answer",
            "security": [{TOKEN: []}], "requestBody": {"required": True, "content": content},
            "responses": {"200": told(PUSHED), **refusals(*NOT_PUSHED)}}


def request(portfolio: Portfolio) -> Schema:
    """One application, with the contract's bounds, levels, units and what may be missing."""
    form = Form(portfolio)
    fields = {name: column_schema(column, nullable=column.nullable) for name, column in form.requests.items()}
    stated = {name: column_schema(column, nullable=True) for name, column in form.said.items()}
    return {
        "type": "object", "additionalProperties": False, "required": [APPLICANT_ID, APPLICATION],
        "properties": {
            **IDENTIFIED,
            APPLICATION: {"type": "object", "additionalProperties": False, "properties": {**fields, **stated},
                          "required": [name for name, column in form.requests.items() if not column.nullable]},
        },
    }


def column_schema(column: Input, *, nullable: bool) -> Schema:
    """What one field may be."""
    allowed: Schema
    if not column.is_level:
        allowed = {"type": "number", **({"minimum": column.low} if column.low is not None else {}),
                   **({"maximum": column.high} if column.high is not None else {})}
        outside = [code for code in column.special if not within(column, code)]
        allowed = {"anyOf": [allowed, {"enum": outside}]} if outside else allowed
    elif column.other:
        allowed = {**FREE, "description": f"{list(column.level_names)}; any other is other"}
    else:
        allowed = {"enum": list(column.level_names)}
    shape = {"anyOf": [allowed, {"type": "null"}]} if nullable else allowed
    return {**shape, **({"x-unit": column.unit} if column.unit else {})}


def within(column: Input, value: float) -> bool:
    """Whether a number lies in the declared bounds."""
    return (column.low is None or column.low <= value) and (column.high is None or value <= column.high)


def example(portfolio: Portfolio) -> Schema:
    """A request that passes: the first level, or a usual value, of every column."""
    return {APPLICANT_ID: "1", APPLICATION: {column.name: typical(column) for column in portfolio.requests}}


def typical(column: Input) -> float | str:
    if column.is_level:
        return column.level_names[0]
    if column.usual:
        return float(column.usual[0])
    return float(column.low if column.low is not None else column.high or 0)


def may_change(portfolio: Portfolio) -> Schema:
    """The parameter that says which inputs advice may change."""
    return {"name": MAY_CHANGE, "in": "query", "required": False, "style": "form", "explode": True,
            "description": "The inputs that may be another; without it every one of these",
            "schema": {"type": "array", "items": {"enum": list(changeable(portfolio))}}}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def posting(summary: str, body: Schema, result: Schema, sample: Schema) -> Schema:
    """A POST of JSON."""
    content = {"application/json": {"schema": body, "example": sample}}
    return {"summary": summary, "parameters": [IDEMPOTENCY], "requestBody": {"required": True, "content": content},
            "responses": {"200": result, **refusals(*REFUSALS)}}


def getting(summary: str, result: Schema, *kinds: Any) -> Schema:
    """A GET of JSON; kinds: refusals by name, parameters as they are."""
    parameters = [kind for kind in kinds if isinstance(kind, dict)]
    return {"summary": summary, **({"parameters": parameters} if parameters else {}),
            "responses": {"200": told(result), **refusals(*(kind for kind in kinds if isinstance(kind, str)))}}


def told(schema: Schema, decision_id: str = "") -> Schema:
    """An answer. decision_id: where in it the id is that can be asked about."""
    given = {"decision_id": f"$response.body#{decision_id}"}
    links = {operation: {"operationId": operation, "parameters": given} for operation in (ANSWER, COUNTERFACTUAL)} if decision_id else {}
    return {"description": "OK", "content": {"application/json": {"schema": schema}}, **({"links": links} if links else {})}


def refusals(*kinds: str) -> Schema:
    """The problem answers of an operation by status."""
    by_status: dict[str, list[str]] = {}
    for kind in (*kinds, "internal"):
        by_status.setdefault(str(KINDS[kind][0]), []).append(kind)
    return {status: {"description": "; ".join(KINDS[kind][1] for kind in found), **headers(found),
                     "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
            for status, found in sorted(by_status.items())}


def headers(kinds: list[str]) -> Schema:
    """The headers that some of these refusals have."""
    found = {**(RETRY_AFTER if RETRY.keys() & set(kinds) else {}), **(AUTHENTICATE if "not-authenticated" in kinds else {})}
    return {"headers": found} if found else {}


TEXT: Schema = {"type": "string"}
FREE: Schema = {**TEXT, "minLength": 1, "maxLength": LONGEST, "pattern": PATTERN}
IDENTIFIED: Schema = {
    APPLICANT_ID: {**FREE, "description": "Printable, compared in Unicode's form C; nothing that looks like a card number"}}
PUSHED: Schema = {"type": "object", "required": ["table", ROWS, "newer"], "properties": {
    "table": TEXT, ROWS: {"type": "integer", "description": "How many are kept"},
    "newer": {"type": "integer", "description": "How many applicants had older values, or none, and have these now"}}}
REASON: Schema = {"type": "object", "required": ["code", "feature", "text"], "properties": {"code": TEXT, "feature": TEXT, "text": TEXT}}
DECISION: Schema = {"type": "object", "properties": {
    "decision_id": {"type": "string", "format": "uuid"}, "release_id": TEXT, "model_version": TEXT, "portfolio": TEXT,
    "pd": {"type": "number", "minimum": 0, "maximum": 1, "description": "Probability of default"},
    "score": {"type": "integer", "description": "Scaled points, higher is better"}, "band": TEXT,
    "outcome": {"enum": [action.value for action in Action]},
    "reasons": {"type": "array", "maxItems": 4, "items": REASON, "description": "Adverse only, principal first; none for an approval"},
    "degraded": {"type": "boolean", "description": "A stored value could not be relied on"},
    "decided_at": {"type": "string", "format": "date-time"}}}
DECISION["required"] = list(DECISION["properties"])
CHANGE: Schema = {"type": "object", "required": ["feature", "unit", "now", "to"], "properties": {
    "feature": TEXT, "unit": TEXT, "now": {"type": ["number", "string"]}, "to": {"type": ["number", "string"]}}}
ADVICE: Schema = {"type": "object", "properties": {
    "decision_id": DECISION["properties"]["decision_id"], "release_id": TEXT, "outcome": DECISION["properties"]["outcome"],
    "pd": DECISION["properties"]["pd"], "says": {**TEXT, "description": "A sentence; the changes end it where there are any"},
    "changes": {"type": "array", "maxItems": 2, "items": CHANGE, "description": "All of them together"},
    "pd_then": {"type": ["number", "null"], "description": "The probability of default they lead to, scored again"}}}
ADVICE["required"] = list(ADVICE["properties"])
MOMENT: Schema = {"type": "string", "format": "date-time"}
WORKER: Schema = {"type": "object", "required": ["worker", "release_id", "model_version", "since"], "properties": {
    "worker": TEXT, "release_id": TEXT, "model_version": TEXT, "since": MOMENT}}
BESIDE: Schema = {"type": "object", "required": ["release_id", "model_version", "used", "why", "share", "until", "experiment"],
                  "properties": {
    "release_id": TEXT, "model_version": TEXT, "used": {"type": "boolean", "description": "By the worker that answers"},
    "why": {**TEXT, "description": "Why it is not; empty where it is"}, "share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "until": {"type": ["string", "null"], "format": "date-time"}, "experiment": {"type": ["string", "null"]}}}
RELEASE: Schema = {"type": "object", "properties": {
    "release_id": TEXT, "model_version": TEXT, "portfolio": TEXT, "model": TEXT, "interface_hash": TEXT,
    "worker": {**TEXT, "description": "The process that answers"}, "since": MOMENT,
    "workers": {"type": "array", "items": WORKER, "description": "What every living worker of the service serves"},
    "challenger": {"anyOf": [BESIDE, {"type": "null"}], "description": "Decides for a share of applicants"},
    "shadow": {"anyOf": [BESIDE, {"type": "null"}], "description": "Scores what is decided, and answers nobody"}}}
FAULT: Schema = {"type": "object", "properties": {"pointer": TEXT, "detail": TEXT}}
PROBLEM: Schema = {"type": "object", "required": ["type", "title", "status", "detail", "instance"], "properties": {
    "type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "instance": TEXT,
    "errors": {"type": "array", "items": FAULT}}}
