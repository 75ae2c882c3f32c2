"""Views as the featurize stage leaves them, and applications that ask for what was known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, EVENT_TIME
from feature_repo.portfolio import Portfolio
from training.assembly import applications, save, view

MICROSECOND = pd.Timedelta(1, "us")
NOON = pd.Timestamp("2024-04-10 12:00", tz="UTC")


def known(portfolio: Portfolio, folder: Path, facts: list[tuple[str, pd.Timestamp, float]]) -> Path:
    """The toy's view over (applicant, time, value) facts."""
    (table,) = portfolio.views
    raw = pd.DataFrame(facts, columns=[APPLICANT_ID, EVENT_TIME, table.stored[0].name])
    save(view(portfolio, table, raw), folder / f"{table.name}.parquet")
    return folder


def asked(*moments: tuple[str, pd.Timestamp]) -> pd.DataFrame:
    frame = pd.DataFrame(moments, columns=[APPLICANT_ID, EVENT_TIME])
    return frame.assign(**{APPLICATION_ID: [f"a{i}" for i in range(len(frame))]})


def featurized(portfolio: Portfolio, tables: dict[str, pd.DataFrame], folder: Path) -> Path:
    """The featurize stage's folder of views, over tables as ingest writes them."""
    save(applications(portfolio, tables[portfolio.applications.name]), folder / "applications.parquet")
    for table in portfolio.views:
        save(view(portfolio, table, tables[table.name]), folder / "views" / f"{table.name}.parquet")
    return folder / "views"
