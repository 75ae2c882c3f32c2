"""Write the catalogue: every column of the contract with what is declared of it and what its data show, as a page and as data."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pandas as pd

from feature_repo.errors import run_stage
from feature_repo.params import read
from feature_repo.portfolios import load
from feature_repo.verdict import Broken
from governance.release import dump
from training import catalogue, declarations, documents, over_time, population, vault
from training.splits import align


def main(portfolio: str, ingested: Path, verdict: Path, featurize: Path, assemble: Path, split: Path, protected: Path,  # noqa: PLR0913, PLR0917 - its paths
         figures: Path, page: Path) -> None:
    declared, params = load(portfolio), read("catalogue", catalogue.Catalogue)
    frame = pd.read_parquet(assemble / "applications.parquet")
    seen = catalogue.Evidence(
        declared, params, frame, align(frame, pd.read_parquet(split / "parts.parquet")), pd.read_parquet(protected / vault.FILE),
        json.loads(ingested.read_bytes())["tables"], msgspec.convert(json.loads(verdict.read_bytes())["warnings"], tuple[Broken, ...]),
        over_time.measure(declared, frame, featurize / "views", params.least))
    sheets, parts = catalogue.sheets(seen), population.by_part(declared, frame, seen.parts)
    others = catalogue.elsewhere(sheets, seen.warnings)
    found = catalogue.findings(sheets, parts, others)
    content = {
        "portfolio": portfolio, "title": declared.title, "time_axis": declared.is_dated, "found": found,
        "settings": params, "outcome": {"read from": declared.outcome.raw, **declarations.facts(declared.outcome)}, "parts": parts,
        "tables": sheets, "rules": catalogue.rules(declared), "warnings": others,
    }
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_bytes(dump(content))
    documents.write("catalogue.html", page, **content, ranked=catalogue.by_information(sheets))
    print("\n".join(found))


if __name__ == "__main__":
    run_stage(main)
