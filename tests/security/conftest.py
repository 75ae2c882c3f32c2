"""Fixtures of the tests of security."""

from __future__ import annotations

from tampering import folder, signed  # noqa: F401
