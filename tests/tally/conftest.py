"""Fixtures of the tests of questions: a recorded home."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from arrived import make_arrived  # noqa: F401
from monitored import decided_in_2023, home_of_2023  # noqa: F401
from recorded import make_recorded, recorded  # noqa: F401
