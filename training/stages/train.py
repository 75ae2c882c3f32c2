"""Fit both candidates, prove that they obey the contract's directions, choose one by the declared rule, and keep both."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump
from training.candidates import choose, save
from training.fitting import fit
from training.monotonicity import prove
from training.params import TrainParams
from training.search import read as read_search
from training.splits import CALIBRATION, DEVELOPMENT, part_of


def main(portfolio: str, assemble: Path, split: Path, search: Path, train: Path) -> None:
    params = read("train", TrainParams)
    declared, searched = load(portfolio), read_search(search)
    params = msgspec.structs.replace(params, trees=searched.settings(params.trees))
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = pd.read_parquet(split / "parts.parquet")
    fitted = fit(declared, {part: part_of(frame, parts, part) for part in (DEVELOPMENT, CALIBRATION)}, params)
    proofs = {candidate.name: prove(declared, candidate) for candidate in fitted.candidates}
    choice = msgspec.structs.replace(choose(fitted.measured, params.choice, (*fitted.notes, *searched.notes)), tried=fitted.tried)
    save(train, fitted.candidates, fitted.encoding, choice)
    (train / "monotonicity.json").write_bytes(dump(proofs))
    print(*choice.notes, f"{choice.chosen} is chosen: {choice.why}", sep="\n")


if __name__ == "__main__":
    run_stage(main)
