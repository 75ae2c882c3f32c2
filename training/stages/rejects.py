"""Infer in two ways what the rejected would have done, and show how far each moves the headline figures: a sensitivity, no other model."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump
from training import reject_inference, rejected
from training.candidates import load_chosen
from training.evaluation import write_plots
from training.params import EvaluateParams, TrainParams
from training.reject_inference import Figures, Rejects, Subject
from training.search import read as read_search
from training.splits import PART, PERIOD, align


def main(portfolio: str, record: Path, assemble: Path, split: Path, search: Path, train: Path, rejects: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    """record: ingest's file of outcomes as recorded; train: with the candidate that evaluate takes."""
    declared, settings = load(portfolio), read("rejects", Rejects)
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    frame = frame.assign(part=parts[PART].to_numpy(), period=parts[PERIOD].to_numpy())
    of_development, counts = rejected.of(frame, pd.read_parquet(record))
    why = rejected.why_not(declared, counts, settings.fewest)
    found: dict[str, Figures] = {}
    pds = pd.DataFrame()
    if not why:
        params = read("train", TrainParams)
        params = msgspec.structs.replace(params, trees=read_search(search).settings(params.trees))
        subject = Subject(declared, *load_chosen(train), frame, of_development)
        found, pds = reject_inference.infer(subject, params, read("evaluate", EvaluateParams), settings)
    rejects.mkdir(parents=True, exist_ok=True)
    metrics = reject_inference.flat(found) if found else {}
    (rejects / "rejects.json").write_bytes(dump({
        "applicable": not why, "why": why, "counts": counts, "prudence": settings.prudence, "models": found,
        "band": reject_inference.band(found) if found else {}, "metrics": metrics}))
    pds.to_parquet(rejects / "pds.parquet")
    write_plots(rejects, {"reject_inference": reject_inference.table(found)})
    print(why or f"{counts.rejected} of {counts.applications} were rejected: {reject_inference.words(found)}")


if __name__ == "__main__":
    run_stage(main)
