"""Fixtures of the tests of security."""

from __future__ import annotations

from lending import lending  # noqa: F401
from tampering import folder, signed  # noqa: F401
