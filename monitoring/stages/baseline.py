"""Score every application after the cut, those the incumbent rejected included, into a window in the ledger's export schema."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo.contract import APPLICATION_ID
from feature_repo.errors import DataError, run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import verify
from monitoring.params import BaselineParams
from monitoring.scored import write
from serving.scoring import decision


def main(portfolio: str, assemble: Path, split: Path, release: Path, baseline: Path) -> None:
    contract, verified = load(portfolio), verify(release)
    parts = pd.read_parquet(split / "parts.parquet", columns=[APPLICATION_ID, "period"])
    after = parts.loc[parts["period"] == "after", APPLICATION_ID]
    frame = pd.read_parquet(assemble / "applications.parquet")
    frame = frame[frame[APPLICATION_ID].isin(after)]
    if frame.empty:
        raise DataError(f"{portfolio} has no application after the cut: nothing to monitor; see `period` in {split.name}/parts.parquet")
    baseline.mkdir(parents=True, exist_ok=True)
    write(baseline / "window.parquet", frame, decision.load(verified, contract), verified, read("baseline", BaselineParams))


if __name__ == "__main__":
    run_stage(main)
