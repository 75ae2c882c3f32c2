"""What the machine lacks is found under whatever a library wrapped it in, and nothing else is taken for it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from urllib.error import URLError

import pyarrow as pa
import pytest

from feature_repo import faults
from feature_repo.errors import DataError

FOLDER = Path("out")


def instead_of(cause, error):
    """`error` as a caller sees it that was raised `from None` in place of `cause`."""
    error.__context__, error.__suppress_context__ = cause, True
    return error


@pytest.mark.parametrize("number", sorted(faults.WANTED))
def test_every_number_we_explain_has_words_that_say_what_to_do(number):
    assert ": " in faults.explain(OSError(number, os.strerror(number), "some/file"), FOLDER)


def test_an_error_of_ours_that_stands_for_a_full_disk_is_a_full_disk():
    assert "the disk is full" in faults.explain(instead_of(OSError(errno.ENOSPC, "x"), DataError("cut off")), FOLDER)


def test_words_alone_are_enough_where_a_library_keeps_no_number():
    assert "the disk is full" in faults.explain(RuntimeError("IO Error: could not write: No space left on device"), FOLDER)


def test_a_full_database_is_a_full_disk():
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count=2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE t AS SELECT randomblob(100000)")

    assert "the disk is full" in faults.explain(caught.value, FOLDER)


@pytest.mark.parametrize("error", [MemoryError(), pa.lib.ArrowMemoryError("malloc")])
def test_memory_of_any_library(error):
    assert "memory does not suffice" in faults.explain(error, FOLDER)


@pytest.mark.parametrize("error", [
    ValueError("42"), DataError("a row is missing"), FileNotFoundError(errno.ENOENT, "x", "file"), ConnectionRefusedError(111, "refused"),
    URLError(PermissionError(errno.EPERM, "Operation not permitted")), KeyError("x"),
])
def test_what_is_not_the_machines_is_not_explained(error):
    assert faults.explain(error, FOLDER) is None


def test_a_firewall_that_refuses_a_connection_is_no_matter_of_files():
    refused = PermissionError(errno.EPERM, "Operation not permitted")

    assert faults.explain(instead_of(refused, DataError("could not be fetched")), FOLDER) is None
