"""Fixtures of the API tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import api, brought, home, make_api, request_of, said, settings  # noqa: F401
from millers import mill_home, requests  # noqa: F401
from redis_server import Server
from worker import card_home, make_worker, other  # noqa: F401


@pytest.fixture
def server(tmp_path: Path, free_port: int) -> Iterator[Server]:
    """A Redis server of the test's own, to be stopped or ended."""
    running = Server(tmp_path, free_port)
    yield running
    running.end()
