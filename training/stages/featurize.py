"""Stage featurize: validated tables become the applications and one view per table with stored columns, as Feast joins them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from feature_repo.contract import Table
from feature_repo.errors import DataError, run_stage
from feature_repo.params import Nothing, read
from feature_repo.portfolios import load
from training.assembly import applications, save, view
from training.pushes import pushed


def main(portfolio: str, verdict: Path, ingest: Path, featurize: Path) -> None:
    read("featurize", Nothing)
    if json.loads(verdict.read_bytes())["success"] is not True:
        raise DataError(f"{verdict} does not say success; bad data makes no features. Run the validate stage and read its report")
    declared = load(portfolio)
    save(applications(declared, table(ingest, declared.applications)), featurize / "applications.parquet")
    (featurize / "views").mkdir(parents=True, exist_ok=True)
    for known in declared.views:
        save(view(declared, known, table(ingest, known), pushed(ingest, known)), featurize / "views" / f"{known.name}.parquet")


def table(ingest: Path, declared: Table) -> pd.DataFrame:
    return pd.read_parquet(ingest / f"{declared.name}.parquet")


if __name__ == "__main__":
    run_stage(main)
