"""What data a release was made from: digests that dvc.lock holds of what stages wrote.

A release names the data that determine it and nothing that can change without it: DVC does not run evaluate again where a stage before it
ran anew and wrote the same bytes, so a command, a setting or a source digest of that stage would make the release id depend on history.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

LOCK = Path("dvc.lock")
DETERMINING = ("assemble", "split", "train", "alternatives")


def digests(portfolio: str, stages: tuple[str, ...] = DETERMINING, lock: Path = LOCK) -> dict[str, str]:
    """Path -> digest of everything the stages wrote for this portfolio; {} where there is no lock file."""
    if not lock.is_file():
        return {}
    entries = msgspec.yaml.decode(lock.read_bytes()).get("stages", {})
    written = [out for stage in stages for out in entries.get(stage, {}).get("outs", ())]
    return {out["path"]: out["md5"] for out in written if portfolio in Path(out["path"]).parts}
