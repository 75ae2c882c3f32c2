"""Decisions that were never asked for: applications scored by a release as if it had been serving, written as a window."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from feature_repo.contract import APPLICATION_ID, EVENT_TIME
from governance.release import Release
from monitoring import window
from monitoring.params import BaselineParams
from serving.scoring import batch
from serving.scoring.decision import Scorer


def write(path: Path, applications: pd.DataFrame, scorer: Scorer, release: Release, params: BaselineParams) -> None:
    """Score assembled applications, some rows at a time, into the window at `path`; the business time is the application's."""
    schema = window.schema(scorer.portfolio)
    with pq.ParquetWriter(path, schema) as out, tqdm(total=len(applications), desc="score", unit=" applications") as progress:
        for start in range(0, len(applications), params.rows_at_once):
            part = applications.iloc[start : start + params.rows_at_once]
            out.write_table(pa.Table.from_pandas(decisions(part, scorer, release), schema=schema, preserve_index=False))
            progress.update(len(part))


def decisions(applications: pd.DataFrame, scorer: Scorer, release: Release) -> pd.DataFrame:
    """What the release decides of each application, as rows of a window; the decision takes the application's id."""
    scored = batch.score(scorer, applications, explain=True)
    known = applications.drop(columns=scored.columns.intersection(applications.columns))
    return known.join(scored).assign(
        decision_id=applications[APPLICATION_ID], decided_at=applications[EVENT_TIME],
        portfolio=scorer.portfolio.name, release_id=release.id,
    )
