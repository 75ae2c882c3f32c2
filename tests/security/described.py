"""Hooks of Schemathesis: what JSON Schema cannot say of a valid request of this service.

A moment is not later than now and no row is there twice; a key belongs to one request. The pattern of texts, which tests/serving hold to be
that of the service, is too wide to draw from quickly: it is left out, and letters that it forbids are exchanged. All else stays.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import schemathesis

from feature_repo.contract import EVENT_TIME, NO_TIME
from serving.app import KEY
from serving.pushes import ROWS
from serving.texts import PATTERN, UNSEEN

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
FORBIDDEN = re.compile(f"[{UNSEEN}]")


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: Any) -> None:
    """Leave the pattern of texts out."""
    for part in raw_schema.values() if isinstance(raw_schema, dict) else raw_schema if isinstance(raw_schema, list) else ():
        before_load_schema(_, part)
    if isinstance(raw_schema, dict) and raw_schema.get("pattern") == PATTERN:
        del raw_schema["pattern"]


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """Let a key that could be used be used once, moments be such as have come, each another, and texts be printable."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = str(uuid4())
    case.body = valid(case.body)
    rows = case.body.get(ROWS) if isinstance(case.body, dict) else None
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict) and isinstance(row.get(EVENT_TIME), str) and MOMENT.fullmatch(row[EVENT_TIME]):
            row[EVENT_TIME] = (NO_TIME + timedelta(seconds=number)).isoformat()


def valid(part: Any) -> Any:
    """A document with printable texts; blanks alone are no text."""
    if isinstance(part, dict):
        return {name: valid(value) for name, value in part.items()}
    if isinstance(part, list):
        return [valid(value) for value in part]
    if isinstance(part, str) and part:
        return FORBIDDEN.sub("x", part) if part.strip() else "x" * len(part)
    return part
