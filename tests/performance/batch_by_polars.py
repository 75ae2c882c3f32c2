"""PDs of a Parquet file of finished model rows by Polars and XGBoost on all cores, as a program of the peers' environment.

Prints, as JSON, the seconds from file to file. Nothing is derived, encoded, checked or explained.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

import polars as pl
import xgboost


def main(model: str, source: str, target: str) -> None:
    booster = xgboost.Booster(model_file=model)
    began = perf_counter()
    rows = pl.read_parquet(source).to_numpy()
    margins = booster.inplace_predict(rows, predict_type="margin")
    pl.DataFrame({"row": range(1, len(rows) + 1), "margin": margins}).write_parquet(target)
    print(json.dumps(perf_counter() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
