"""Count how each vintage went bad as it aged, from outcomes as they were recorded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump
from training.evaluation import write_plots
from training.vintages import Vintages, curves, find, rates


def main(portfolio: str, record: Path, assemble: Path, vintages: Path) -> None:
    """record: ingest's file of outcomes as recorded."""
    found = find(load(portfolio), pd.read_parquet(assemble / "applications.parquet"), pd.read_parquet(record), read("vintages", Vintages))
    vintages.mkdir(parents=True, exist_ok=True)
    (vintages / "vintages.json").write_bytes(dump(found))
    write_plots(vintages, {"vintage_rates": rates(found), "vintage_curves": curves(found)})
    print(*found.found, sep="\n")


if __name__ == "__main__":
    run_stage(main)
