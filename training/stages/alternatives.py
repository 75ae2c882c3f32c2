"""Search for a less discriminatory alternative to the model train chose, record it, and keep the model that evaluate takes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from training import adoption, vault
from training.alternatives import AlternativesParams
from training.audit import Audit
from training.params import EvaluateParams, TrainParams
from training.search import read as read_search
from training.splits import PART, PERIOD, align


def main(portfolio: str, assemble: Path, split: Path, search: Path, audit: Path, protected: Path, train: Path, alternatives: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    rule, params = read("alternatives", AlternativesParams), read("train", TrainParams)
    params = msgspec.structs.replace(params, trees=read_search(search).settings(params.trees))
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    found = msgspec.json.decode((audit / "audit.json").read_bytes(), type=Audit)
    material = adoption.Material(load(portfolio), frame.assign(**{name: parts[name].to_numpy() for name in (PART, PERIOD)}),
                                 pd.read_parquet(protected / vault.FILE), params, read("evaluate", EvaluateParams))
    record, adopted = adoption.explore(material, adoption.begin(train), found.strong, rule)
    adoption.keep(alternatives, train, record, adopted, material)
    print(record.why)


if __name__ == "__main__":
    run_stage(main)
