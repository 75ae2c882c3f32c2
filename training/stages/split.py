"""Cut the assembled applications into development, calibration and test."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from training.params import SplitParams
from training.splits import PART, PERIOD, cut


def main(portfolio: str, assemble: Path, split: Path) -> None:
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = cut(load(portfolio), frame, read("split", SplitParams))
    split.mkdir(parents=True, exist_ok=True)
    parts.to_parquet(split / "parts.parquet", index=False)
    print(parts.fillna({PART: "no part"}).value_counts([PERIOD, PART], sort=False).to_string(header=False))


if __name__ == "__main__":
    run_stage(main)
