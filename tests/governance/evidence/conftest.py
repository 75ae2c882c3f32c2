"""Fixtures of the evidence tests: archives of one recorded home, unpacked."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from recorded import Recorded, recorded  # noqa: F401

from governance.ledger import checkpoint
from governance.ledger.checkpoint import Key
from tally.evidence import gather


@pytest.fixture(scope="module")
def packed(recorded: Recorded) -> dict[str, bytes]:  # noqa: F811
    """The archives of a decision and of a release."""
    return {"decision": gather(recorded.questions, recorded.decided[recorded.a.id][10]), "release": gather(recorded.questions, "v2")}


@pytest.fixture(scope="module")
def key(recorded: Recorded, packed) -> Key:  # noqa: F811
    return checkpoint.open_key(recorded.home, recorded.questions.book.log, make=False)


@pytest.fixture
def unpack(packed, tmp_path) -> Callable[[str], Path]:
    """Unpacks one of them into a folder of its own."""

    def unpack(about: str) -> Path:
        folder = tmp_path / about
        zipfile.ZipFile(io.BytesIO(packed[about])).extractall(folder)
        return folder

    return unpack
