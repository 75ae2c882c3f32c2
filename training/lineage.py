"""Where a release comes from: the entries of dvc.lock for the stages before it.

The lock's own digest is never used: the file is written after the stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

LOCK = Path("dvc.lock")
UPSTREAM = ("ingest", "validate", "featurize", "assemble", "split", "train")


def upstream(portfolio: str, lock: Path = LOCK) -> dict[str, Any]:
    """Stage name -> its dvc.lock entry, for stages that wrote this portfolio's data; {} where there is no lock file."""
    if not lock.is_file():
        return {}
    stages = msgspec.yaml.decode(lock.read_bytes()).get("stages", {})
    return {name: stages[name] for name in UPSTREAM if name in stages and _writes(stages[name], portfolio)}


def _writes(entry: dict[str, Any], portfolio: str) -> bool:
    return any(portfolio in Path(out["path"]).parts for out in entry.get("outs", ()))
