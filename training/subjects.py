"""What is held against the contract: every ingested table, the vault, and the measures that only the tables together show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import pandas as pd
from tqdm import tqdm

from feature_repo import expectations
from feature_repo.contract import EVENT_TIME
from feature_repo.examination import Subject
from feature_repo.portfolio import Portfolio
from training import evidence, leakage, power, recency, recording

Auc = Annotated[float, msgspec.Meta(ge=0.5, le=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Validate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `validate` of params.yaml."""

    leakage_auc: Auc
    doubtful_auc: Auc
    copy_auc: Auc
    seed: int
    least_outcomes: Annotated[int, msgspec.Meta(ge=power.FOLDS)]
    missing_jump: Annotated[float, msgspec.Meta(gt=0, le=1)]
    period_rows: Count
    least_coverage: Share
    least_recent: Share
    recent_days: Count
    sample: Count


def of(portfolio: Portfolio, settings: Validate, ingest: Path, protected: Path) -> Iterator[Subject]:
    """One frame at a time, what cannot be measured left out."""
    for table in tqdm(portfolio.tables, desc="validate", unit="table", disable=None):
        yield Subject(table.name, evidence.of_table(portfolio, table, ingest), expectations.of_table(portfolio, table))
    yield Subject("vault", evidence.of_vault(protected), expectations.of_vault(portfolio))
    yield from _of_joined(portfolio, settings, ingest)
    yield from _of_repeats(portfolio, ingest)
    yield from _of_recording(portfolio, settings, ingest)
    late = recency.measure(portfolio, ingest, days=settings.recent_days)
    if late:
        suite = expectations.of_recency(least=settings.least_recent)
        yield Subject("recency", pd.DataFrame([{EVENT_TIME: late.share}]), suite, {EVENT_TIME: (late.recent, late.of)},
                      {EVENT_TIME: f"{late.share:.0%} of an average {settings.recent_days} days"})


def _of_joined(portfolio: Portfolio, settings: Validate, ingest: Path) -> Iterator[Subject]:
    """What shows only when each application has its stored values and its outcome."""
    seen = leakage.measure(portfolio, ingest, sample=settings.sample, least=settings.least_outcomes, seed=settings.seed)
    counts = dict.fromkeys(["", *(column.name for column in portfolio.raw_inputs)], (seen.labelled, seen.labelled))
    limits = {"doubtful": settings.doubtful_auc, "leaking": settings.leakage_auc, "copying": settings.copy_auc}
    few = f"{seen.labelled} known outcomes, {settings.least_outcomes} bad and as many good are needed"
    yield Subject("leakage", _row(seen.aucs), expectations.of_leakage(portfolio.raw_inputs, **limits), counts,
                  {"": few, **{name: f"AUC {figure:.3f}" for name, figure in seen.aucs.items()}})
    sides = {name: float(bool(words)) for name, words in seen.one_sided.items()}
    yield Subject("sides", _row(sides), expectations.of_sides(portfolio.raw_inputs), counts, seen.one_sided)
    if seen.coverage:
        suite = expectations.of_coverage(seen.coverage, least=settings.least_coverage)
        yield Subject("coverage", _row(seen.coverage), suite, seen.without,
                      {name: f"the worst tenth of them {share:.0%} as often as the best" for name, share in seen.coverage.items()})


def _of_repeats(portfolio: Portfolio, ingest: Path) -> Iterator[Subject]:
    name = portfolio.applications.name
    seen = msgspec.json.decode((ingest / "ingest.json").read_bytes())["tables"][name]
    used, whole = seen["repeats"]["used"], seen["repeats"]["whole"]
    yield Subject("repeats", _row({name: used}), expectations.of_repeats(name), {name: (whole, seen["rows"])},
                  {name: f"{used} if ignored columns are left out" if used > whole else ""})


def _of_recording(portfolio: Portfolio, settings: Validate, ingest: Path) -> Iterator[Subject]:
    seen = recording.measure(portfolio, ingest, jump=settings.missing_jump, least=settings.period_rows)
    for name, found, suite in (("recording", seen.jumps, expectations.of_recording(seen.jumps, jump=settings.missing_jump)),
                               ("levels", seen.levels, expectations.of_levels(seen.levels))):
        if found:
            counts = {column: (each.rows, each.of) for column, each in found.items()}
            words = {column: each.words for column, each in found.items()}
            yield Subject(name, _row({column: each.size for column, each in found.items()}), suite, counts, words)


def _row(measures: Mapping[str, float]) -> pd.DataFrame:
    return pd.DataFrame([measures] if measures else [])
