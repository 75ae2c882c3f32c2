"""A fixture: a real service of a portfolio with levels, open and closed, and with tables to push to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from served import Served, Service

from feature_repo.contract import NO_TIME

TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="session")
def lending(make_home: Callable[[str], Path], start: Callable[..., Served]) -> Iterator[Service]:
    """A service of a portfolio with closed levels, an open one and two tables to push to, on the day its features were published for."""
    with start(make_home("consumer_loans"), "consumer_loans", TALLY_BUSINESS_TIME=(NO_TIME + timedelta(days=1)).isoformat(),
               TALLY_PUSH_TOKEN_SHA256=hashlib.sha256(TOKEN.encode()).hexdigest()) as service:
        yield service
