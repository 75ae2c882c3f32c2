"""Fixtures of the API tests."""

from __future__ import annotations

from asking import api, brought, home, make_api, request_of, said, settings  # noqa: F401
