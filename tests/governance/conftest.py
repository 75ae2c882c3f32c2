"""Fixtures of the tests of governance."""

from __future__ import annotations

from identities import jane, place  # noqa: F401
from judged import made, original  # noqa: F401
