"""Search for better settings of the trees, where `search.trials` asks for it; else say that nothing was searched."""

from __future__ import annotations

from pathlib import Path

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from training.search import Found, Search, header, write


def main(portfolio: str, assemble: Path, split: Path, search: Path) -> None:
    declared, wanted = load(portfolio), read("search", Search)
    found, table = _searched(declared, assemble, split, wanted) if wanted.trials else (Found(), header())
    write(search, found, table)
    print(*(found.notes or ("nothing is searched: search.trials is 0",)))


def _searched(portfolio: Portfolio, assemble: Path, split: Path, wanted: Search) -> tuple[Found, str]:
    import pandas as pd  # noqa: PLC0415 - these imports take seconds, and a search is rare

    from training import trials  # noqa: PLC0415
    from training.params import TrainParams  # noqa: PLC0415
    from training.splits import DEVELOPMENT, part_of  # noqa: PLC0415

    frame, parts = pd.read_parquet(assemble / "applications.parquet"), pd.read_parquet(split / "parts.parquet")
    return trials.search(portfolio, part_of(frame, parts, DEVELOPMENT), read("train", TrainParams), wanted)


if __name__ == "__main__":
    run_stage(main)
