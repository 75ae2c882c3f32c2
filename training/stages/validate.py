"""Hold the ingested tables against the contract. A broken promise that stops ends the run here: nothing later sees bad data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from feature_repo import examination, params, portfolios, wording
from feature_repo.errors import DataError, run_stage
from governance.release import dump
from training import subjects


def main(portfolio: str, ingest: Path, protected: Path, validate: Path) -> None:
    declared, settings = portfolios.load(portfolio), params.read("validate", subjects.Validate)
    found, docs = examination.examine(subjects.of(declared, settings, ingest, protected), datetime.now(UTC))
    page = validate / "docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(docs)
    (validate / "verdict.json").write_bytes(dump(found))
    if not found.success:
        raise DataError(f"{portfolio}: {wording.line(found.failures)}; report: {page}")
    print(f"{portfolio}: {found.checks} checks passed" + (f", with warnings: {wording.line(found.warnings)}" if found.warnings else ""))


if __name__ == "__main__":
    run_stage(main)
