"""Guarantees of log lines: one object a line, declared fields alone, nothing of a person whoever wrote the line."""

from __future__ import annotations

import json
import logging

import pytest

from feature_repo.errors import LedgerError
from serving import logs

CANARY = "anna 4111111111111111"


def record_of(name: str, message: str, *args: object, exc_info: object = None, **extra: object) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(name, logging.WARNING, "x.py", 1, message, args, exc_info, extra=extra)


def written(*given: object, **extra: object) -> str:
    """A line as it would be written."""
    return logs.Lines(worker="w1").format(record_of(*given, **extra))


def raised(error: Exception) -> tuple[type[Exception], Exception, object]:
    try:
        raise error
    except type(error) as caught:
        return type(caught), caught, caught.__traceback__


def test_a_line_is_one_object_with_its_moment_in_utc():
    said = json.loads(written("tally.serving", "it is %s", "so", status=503, route="/readyz"))

    assert said.pop("timestamp").endswith("Z")
    assert said == {"level": "WARNING", "logger": "tally.serving", "message": "it is so", "worker": "w1", "status": 503, "route": "/readyz"}


@pytest.mark.parametrize("form", [logs.Lines(), logs.Text()], ids=["json", "text"])
def test_a_forged_line_break_stays_in_its_line(form):
    line = form.format(record_of("tally.serving", "a\r\nERROR b", problem="a\nb"))

    assert len(line.splitlines()) == 1


def test_a_field_that_is_not_declared_is_left_out():
    assert "anna" not in written("tally.serving", "seen", applicant=CANARY)


def test_what_another_library_put_into_its_line_is_left_out():
    line = written("asyncio", "Task failed: %s\nfuture: " + CANARY, CANARY)

    assert CANARY not in line
    assert json.loads(line)["message"] == "Task failed: %s"


def test_an_exception_is_told_by_its_kind_and_place_and_its_text_only_where_it_is_ours():
    theirs = json.loads(written("tally.serving", "failed", exc_info=raised(ValueError(CANARY))))
    ours = json.loads(written("tally.serving", "failed", exc_info=raised(LedgerError("the ledger is locked"))))

    assert (theirs["error"], theirs["at"].split(":")[0]) == ("ValueError", "raised (test_logs.py")
    assert CANARY not in json.dumps(theirs)
    assert ours["why"] == "the ledger is locked"
    assert "why" not in theirs


def test_a_line_is_shorter_than_what_a_pipe_takes_in_one_write():
    assert len(written("tally.serving", "é" * 10_000).encode()) < 4096
