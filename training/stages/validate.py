"""Hold the ingested tables against the contract. A broken promise that stops ends the run here: nothing later sees bad data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import pandas as pd
from tqdm import tqdm

from feature_repo import expectations, params, portfolios, verdict
from feature_repo.contract import EVENT_TIME
from feature_repo.errors import DataError, run_stage
from feature_repo.portfolio import Portfolio
from governance.release import dump
from training import evidence, leakage, recency

Auc = Annotated[float, msgspec.Meta(ge=0.5, le=1)]


class Validate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `validate` of params.yaml."""

    leakage_auc: Auc
    doubtful_auc: Auc
    least_outcomes: Annotated[int, msgspec.Meta(ge=1)]
    least_coverage: Annotated[float, msgspec.Meta(ge=0, le=1)]
    least_recent: Annotated[float, msgspec.Meta(ge=0, le=1)]
    recent_days: Annotated[int, msgspec.Meta(ge=1)]
    sample: Annotated[int, msgspec.Meta(ge=1)]


def main(portfolio: str, ingest: Path, protected: Path, validate: Path) -> None:
    declared, settings = portfolios.load(portfolio), params.read("validate", Validate)
    found, docs = expectations.examine(subjects(declared, settings, ingest, protected), datetime.now(UTC))
    page = validate / "docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(docs)
    (validate / "verdict.json").write_bytes(dump(found))
    if not found.success:
        raise DataError(f"{portfolio}: {verdict.name(found.failures)}; report: {page}")
    print(f"{portfolio}: {found.checks} checks passed" + (f", with warnings: {verdict.name(found.warnings)}" if found.warnings else ""))


def subjects(portfolio: Portfolio, settings: Validate, ingest: Path, protected: Path) -> Iterator[expectations.Subject]:
    """One frame at a time: every table, the vault, and what only the tables together show."""
    for table in tqdm(portfolio.tables, desc="validate", unit="table", disable=None):
        yield expectations.Subject(table.name, evidence.of_table(portfolio, table, ingest), expectations.of_table(portfolio, table))
    yield expectations.Subject("vault", evidence.of_vault(protected), expectations.of_vault(portfolio))
    seen = leakage.measure(portfolio, ingest, sample=settings.sample, least=settings.least_outcomes)
    counts = {column.name: (seen.labelled, seen.labelled) for column in portfolio.raw_inputs}
    suite = expectations.of_leakage(counts, doubtful=settings.doubtful_auc, leaking=settings.leakage_auc)
    yield expectations.Subject("leakage", pd.DataFrame([seen.aucs] if seen.aucs else []), suite, counts)
    if seen.coverage:
        suite = expectations.of_coverage(seen.coverage, least=settings.least_coverage)
        yield expectations.Subject("coverage", pd.DataFrame([seen.coverage]), suite, seen.without)
    late = recency.measure(portfolio, ingest, days=settings.recent_days)
    if late:
        suite = expectations.of_recency(least=settings.least_recent)
        yield expectations.Subject("recency", pd.DataFrame([{EVENT_TIME: late.share}]), suite, {EVENT_TIME: (late.recent, late.of)})


if __name__ == "__main__":
    run_stage(main)
