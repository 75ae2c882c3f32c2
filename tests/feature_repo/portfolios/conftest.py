"""The simulated portfolio at its default size, made once for all tests here, and read back by its contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import OTHER, Applicant, Input, Table
from feature_repo.derive import derive
from feature_repo.portfolios import load
from feature_repo.portfolios.consumer_loans_simulator import simulate

PORTFOLIO = load("consumer_loans")
ROWS, SEED = 60_000, 7


@dataclass(frozen=True)
class Simulated:
    """raw: table name -> the file as written, text for CSV; truth and planted: what lies beside it."""

    folder: Path
    raw: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    planted: dict[str, Any]

    @property
    def applications(self) -> pd.DataFrame:
        return self.raw[PORTFOLIO.applications.name]

    @cached_property
    def day(self) -> pd.Series:
        return pd.to_datetime(self.applications[PORTFOLIO.applications.time.raw], utc=True).astype("datetime64[us, UTC]")

    @cached_property
    def month(self) -> pd.Series:
        return self.day.dt.strftime("%Y-%m")

    @property
    def applicant(self) -> pd.Series:
        return self.applications[PORTFOLIO.applications.select(Applicant)[0].raw]

    @cached_property
    def outcome(self) -> pd.Series:
        """1 bad, 0 good, NaN blank."""
        declared = PORTFOLIO.outcome
        names = {**dict.fromkeys(declared.bad, 1.0), **dict.fromkeys(declared.good, 0.0), "": np.nan}
        return self.applications[declared.raw].map(names)

    def said(self, column: Input) -> pd.Series:
        return values(column, self.applications[column.raw])

    def newest(self, table: Table) -> pd.DataFrame:
        """Per application, in the order of the file, the newest snapshot of its applicant: stored columns by name, and `age`."""
        stored = self.raw[table.name].rename(columns={table.select(Applicant)[0].raw: "who", table.time.raw: "at"})
        stored = stored.assign(day=stored["at"]).sort_values("day")
        asked = pd.DataFrame({"who": self.applicant, "day": self.day, "row": range(len(self.day))}).sort_values("day")
        found = pd.merge_asof(asked, stored, on="day", by="who").sort_values("row").set_index("row")
        columns = {column.name: values(column, found[column.raw]) for column in table.stored}
        return pd.DataFrame({**columns, "age": (found["day"] - found["at"]).dt.days})


def values(column: Input, raw: pd.Series) -> pd.Series:
    """Values as the contract reads them: level names, numbers, missing codes as NaN."""
    if column.is_level:
        return raw.map(column.level_of).fillna(OTHER if column.other else raw)
    return pd.to_numeric(raw.replace(["", *column.missing], np.nan)).astype(float)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """The default size and seed."""
    folder = tmp_path_factory.mktemp("consumer_loans")
    simulate(folder, ROWS, SEED)
    applications, *views = PORTFOLIO.tables
    raw = {applications.name: pd.read_csv(folder / applications.file, dtype=str, keep_default_na=False)}
    raw |= {table.name: pd.read_parquet(folder / table.file) for table in views}
    planted = json.loads((folder / "truth" / "planted.json").read_text())
    return Simulated(folder, raw, pd.read_parquet(folder / "truth" / "truth.parquet"), planted)


@pytest.fixture(scope="session")
def inputs(simulated: Simulated) -> pd.DataFrame:
    """Every input by name as a model sees it: stale stored values missing, derived columns computed. Order of the file."""
    found = {column.name: simulated.said(column) for column in PORTFOLIO.requests}
    for table in PORTFOLIO.views:
        newest = simulated.newest(table)
        for column in table.stored:
            found[column.name] = newest[column.name].where(newest["age"] <= column.fresh_for.days)
    known = derive(PORTFOLIO, {name: series.to_numpy() for name, series in found.items()})
    return pd.DataFrame({column.name: known[column.name] for column in PORTFOLIO.inputs})
