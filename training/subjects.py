"""What is held against the contract: every ingested table, the vault, and the measures that only the tables together show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import pandas as pd
from tqdm import tqdm

from feature_repo import expectations
from feature_repo.contract import EVENT_TIME
from feature_repo.expectations import Subject
from feature_repo.portfolio import Portfolio
from training import evidence, leakage, recency

Auc = Annotated[float, msgspec.Meta(ge=0.5, le=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Validate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `validate` of params.yaml."""

    leakage_auc: Auc
    doubtful_auc: Auc
    least_outcomes: Count
    least_coverage: Share
    least_recent: Share
    recent_days: Count
    sample: Count


def of(portfolio: Portfolio, settings: Validate, ingest: Path, protected: Path) -> Iterator[Subject]:
    """One frame at a time, what cannot be measured left out."""
    for table in tqdm(portfolio.tables, desc="validate", unit="table", disable=None):
        yield Subject(table.name, evidence.of_table(portfolio, table, ingest), expectations.of_table(portfolio, table))
    yield Subject("vault", evidence.of_vault(protected), expectations.of_vault(portfolio))
    seen = leakage.measure(portfolio, ingest, sample=settings.sample, least=settings.least_outcomes)
    counts = {column.name: (seen.labelled, seen.labelled) for column in portfolio.raw_inputs}
    suite = expectations.of_leakage(counts, doubtful=settings.doubtful_auc, leaking=settings.leakage_auc)
    yield Subject("leakage", pd.DataFrame([seen.aucs] if seen.aucs else []), suite, counts)
    if seen.coverage:
        suite = expectations.of_coverage(seen.coverage, least=settings.least_coverage)
        yield Subject("coverage", pd.DataFrame([seen.coverage]), suite, seen.without)
    late = recency.measure(portfolio, ingest, days=settings.recent_days)
    if late:
        suite = expectations.of_recency(least=settings.least_recent)
        yield Subject("recency", pd.DataFrame([{EVENT_TIME: late.share}]), suite, {EVENT_TIME: (late.recent, late.of)})
