"""Raw files of a simulated portfolio: made once per rows, seed and simulator source, and made again when one of those changed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import msgspec

from feature_repo.portfolio import Portfolio
from training.raw import RAW, digest

STAMP = "simulated.json"


class Stamp(msgspec.Struct, frozen=True):
    """What the files beside it were made of; source: the SHA-256 of the portfolio's own modules, its simulator's among them."""

    rows: int
    seed: int
    source: dict[str, str]


def ensure(portfolio: Portfolio, simulator: ModuleType, rows: int, seed: int) -> None:
    """Simulate into `data/raw/<portfolio>` unless a stamp there says that it was done with just these."""
    folder = RAW / portfolio.name
    wanted = Stamp(rows, seed, _source(Path(str(simulator.__file__)), portfolio))
    if _stamp(folder) == wanted and all((folder / table.file).is_file() for table in portfolio.tables):
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    simulator.simulate(folder, rows, seed)
    (folder / STAMP).write_bytes(msgspec.json.encode(wanted))


def _stamp(folder: Path) -> Stamp | None:
    try:
        return msgspec.json.decode((folder / STAMP).read_bytes(), type=Stamp)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _source(simulator: Path, portfolio: Portfolio) -> dict[str, str]:
    return {path.name: digest(path) for path in sorted(simulator.parent.glob(f"{portfolio.name}*.py"))}
