"""What a service writes of itself: one line an event, as a JSON object or as text, from a list of fields that nobody can add to in passing.

Responsible for every line of the process, those of the libraries in it too. Refuses what may hold a person or a secret: a field that is
not in `FIELDS`, what another library put into its line, the text of an exception that is not ours, a line break.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.msgspec import MsgspecFormatter

from feature_repo.errors import TallyError

FIELDS = ("route", "method", "status", "problem", "instance", "release_id", "seconds")
OURS = "tally"
OTHERS = ("bentoml", "circus", "uvicorn.error")  # have handlers of their own until `configure`
LONGEST = 1_000  # characters of a message: a line is then one write that workers of one pipe do not mix (PIPE_BUF)
DEEPEST = 5  # places of an exception
trace_id: ContextVar[str] = ContextVar("trace_id", default="")  # of the request that is answered, 32 hex digits


class Lines(MsgspecFormatter):
    """A record as one JSON object. named: fields of every line."""

    def __init__(self, **named: str) -> None:
        super().__init__()
        self.named = named

    def format(self, record: logging.LogRecord) -> str:
        return self.serialize_log_record(line(record, self.named))


class Text(logging.Formatter):
    """The same fields for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        found = line(record, {})
        shown = (found.pop("timestamp"), found.pop("level"), found.pop("logger"), found.pop("message"))
        text = " ".join((*shown, *(f"{name}={value}" for name, value in found.items())))
        return "".join(each if each.isprintable() else "�" for each in text)


def configure(level: str, form: str, **named: str) -> None:
    """Send all lines of this process to its error stream in one form. named: what each of them says, such as the worker."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(**named) if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in OTHERS:
        other = logging.getLogger(name)
        other.handlers, other.propagate = [], True
        other.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a line that cannot be written would be printed with all that was put into it


def line(record: logging.LogRecord, named: dict[str, str]) -> dict[str, Any]:
    """The fields of a line."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    found = {"timestamp": moment.replace("+00:00", "Z"), "level": record.levelname, "logger": record.name, "message": message(record)}
    given = {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) is not None}
    traced = {"trace_id": asking} if (asking := trace_id.get()) else {}
    return {**found, **named, **given, **traced, **failure(record)}


def message(record: logging.LogRecord) -> str:
    """What our own line says; of another library's the first line of its template, without what was put into it."""
    ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    return (record.getMessage() if ours else str(record.msg).partition("\n")[0])[:LONGEST]


def failure(record: logging.LogRecord) -> dict[str, str]:
    """The kind of an exception and its places in the code; its text only where it is an error of ours, which never holds a value."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    why = {"why": str(error)[:LONGEST]} if isinstance(error, TallyError) else {}
    return {"error": type(error).__name__, **why, "at": places(error)}


def places(error: BaseException) -> str:
    """Where in the code an exception was raised, the innermost place first."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-DEEPEST:])
    return " < ".join(f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})" for frame in frames)
