"""Fixtures of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from milling import frame, home, run, store, there, whole  # noqa: F401
