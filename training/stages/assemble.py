"""Stage assemble: every application once, with what was known at its moment, what that derives to, and its outcome."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.offline import history
from feature_repo.params import Nothing, read
from feature_repo.portfolios import load
from training import assembly


def main(portfolio: str, featurize: Path, assemble: Path) -> None:
    read("assemble", Nothing)
    declared = load(portfolio)
    joined = history(declared, pd.read_parquet(featurize / "applications.parquet"), featurize / "views")
    assembly.save(assembly.assemble(declared, joined), assemble / "applications.parquet")


if __name__ == "__main__":
    run_stage(main)
