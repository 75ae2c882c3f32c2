"""The checkout a run belongs to. DVC runs a queued experiment in a temporary copy of what git tracks, below `.dvc/tmp` of that checkout.

Raw files and running services are not tracked, so they are looked for here. Everything a stage reads and writes as DVC's stays in the copy.
"""

from __future__ import annotations

import os
from pathlib import Path

EXPERIMENT = "DVC_EXP_NAME"  # set by DVC for the stages of an experiment


def origin() -> Path:
    """The working directory, or in an experiment's copy the checkout it was queued in."""
    here = Path.cwd()
    return next((parent.parent for parent in here.parents if parent.name == ".dvc"), Path())


def home() -> Path:
    """The folder of running services, absolute, the same from a queued experiment's temporary checkout."""
    return (origin() / os.environ.get("TALLY_HOME", "var")).resolve()


def experiment() -> str | None:
    """The name of the experiment that runs; None in a plain `dvc repro`."""
    return os.environ.get(EXPERIMENT) or None
