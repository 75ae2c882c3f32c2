"""Infer in two ways what the rejected would have done, and show how far each moves the headline figures: a sensitivity, no other model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from feature_repo.errors import DataError, ParamsError, run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from governance.release import dump
from training import rejected
from training.rejected import Rejects
from training.splits import PART, PERIOD, align


def main(portfolio: str, record: Path, assemble: Path, split: Path, search: Path, alternatives: Path, rejects: Path) -> None:  # noqa: PLR0913, PLR0917 - its paths
    """record: ingest's file of outcomes as recorded; alternatives: with the candidate that evaluate takes."""
    declared, settings = load(portfolio), read("rejects", Rejects)
    frame = pd.read_parquet(assemble / "applications.parquet")
    parts = align(frame, pd.read_parquet(split / "parts.parquet"))
    frame = frame.assign(part=parts[PART].to_numpy(), period=parts[PERIOD].to_numpy())
    of_development, counts = rejected.of(frame, pd.read_parquet(record))
    why, found, pds = rejected.why_not(declared, counts, settings.fewest, alternatives), rejected.NOTHING, pd.DataFrame()
    if not why:
        try:
            found, pds = _inferred(settings, search, alternatives, (declared, frame, of_development))
        except (DataError, ParamsError) as error:  # a sensitivity that cannot be had stops no release
            why = f"not applicable: {error}"
    rejects.mkdir(parents=True, exist_ok=True)
    told = {"applicable": not why, "why": why, "counts": counts, "prudence": settings.prudence, **rejected.told(found)}
    (rejects / "rejects.json").write_bytes(dump(told))
    pds.to_parquet(rejects / "pds.parquet")
    rejected.table(found).to_csv(rejects / "reject_inference.csv", index=False, lineterminator="\n", float_format="%.6g")
    print(why or f"{counts.rejected} of {counts.applications} were rejected: {rejected.words(found)}")


def _inferred(settings: Rejects, search: Path, alternatives: Path, of: tuple[Any, ...]) -> tuple[rejected.Models, pd.DataFrame]:
    import msgspec  # noqa: PLC0415 - what fits a model takes seconds to import, and most portfolios have no rejected

    from training.candidates import load_chosen  # noqa: PLC0415
    from training.params import EvaluateParams, TrainParams  # noqa: PLC0415
    from training.reject_inference import Subject, infer  # noqa: PLC0415
    from training.search import read as read_search  # noqa: PLC0415

    params = read("train", TrainParams)
    params = msgspec.structs.replace(params, trees=read_search(search).settings(params.trees))
    return infer(Subject(of[0], *load_chosen(alternatives), *of[1:]), params, read("evaluate", EvaluateParams), settings)


if __name__ == "__main__":
    run_stage(main)
