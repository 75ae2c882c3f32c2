"""Fixtures: the stages of dvc.yaml run in this process, one after the other, on raw files or assembled applications of the mill."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from borrowers import borrowers, brought, write_inputs, write_params

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.errors import run_stage
from training import tracking

ROOT = Path(__file__).parents[2]
NAME = "mill"
ROWS = 4_000  # enough for a calibration part: without one, folds take ten times as long
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = {name: stage["cmd"].replace("${portfolio}", NAME).split() for name, stage in PIPELINE.items()}
LAST = list(STAGES)[-1]
LEFT_OUT = {f"data/{NAME}/ingest/ingest.json", f"reports/{NAME}/catalogue.json"}
QUICK = {"train": {"trees": {"rounds": 60, "patience": 20}}}


@dataclass(frozen=True)
class Outcome:
    """How a run ended. stage: the one that stopped, or None; said: what it wrote to standard error."""

    ran: list[str]
    stage: str | None
    code: int
    said: str


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One embedded MLflow store for all: making one takes longer than all stages."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, store: Path, mill) -> Path:
    """A folder in which every stage has run on good data."""
    folder = tmp_path_factory.mktemp("whole")
    write_params(folder / "params.yaml", QUICK)
    with pytest.MonkeyPatch.context() as patch, brought():
        patch.chdir(folder)
        patch.setenv("TALLY_HOME", str(store))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("TALLY_DATA_DIR", raising=False)
        write_raw(mill, borrowers(mill, ROWS))
        for _, _, module, portfolio, *paths in STAGES.values():
            importlib.import_module(module).main(portfolio, *map(Path, paths))
    return folder


@pytest.fixture
def there(home: Path, whole: Path) -> Path:
    """The working folder, with all that a good run leaves, to spoil."""
    shutil.copytree(whole, home, dirs_exist_ok=True)
    return home / "data" / NAME


@pytest.fixture
def home(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with params.yaml, in which stages run by relative paths as DVC runs them."""
    write_params(tmp_path / "params.yaml", QUICK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_HOME", str(store))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("TALLY_DATA_DIR", raising=False)
    with brought():
        yield tmp_path


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run stages in the order of dvc.yaml, from one on, until one stops."""
    def through(first: str = "ingest", last: str = LAST) -> Outcome:
        names = list(STAGES)
        ran: list[str] = []
        for name in names[names.index(first) : names.index(last) + 1]:
            _, _, module, *arguments = STAGES[name]
            if first == "split" and LEFT_OUT & set(arguments):
                continue  # reads what the stages left out would have written
            monkeypatch.setattr(sys, "argv", [module, *arguments])
            capsys.readouterr()
            try:
                run_stage(importlib.import_module(module).main)
            except SystemExit as stop:
                return Outcome(ran, name, int(stop.code or 0), capsys.readouterr().err)
            ran.append(name)
        return Outcome(ran, None, 0, "")
    return through


def versions() -> int:
    """How many versions the registry holds."""
    with tracking.connected() as client:
        return len(client.search_model_versions(f"name = '{NAME}'"))


@pytest.fixture
def frame(mill) -> pd.DataFrame:
    """Applications of two years as assemble writes them."""
    return borrowers(mill, ROWS)


def write_raw(portfolio, frame: pd.DataFrame, *, orders=lambda rows: rows, rivers=lambda rows: rows) -> None:
    """The raw files those applications would have come from, changed as told."""
    raw = Path("data", "raw", NAME)
    raw.mkdir(parents=True)
    first, view = portfolio.tables
    named = {column.name: column.raw for column in portfolio.raw_inputs}
    frame = frame.assign(**{column.name: frame[column.name].ffill().bfill() for column in portfolio.raw_inputs if not column.nullable})
    keys = {"no": frame[APPLICATION_ID], "miller": frame[APPLICANT_ID]}
    said = frame[[column.name for column in portfolio.requests]].rename(columns=named)
    words = frame[BAD].map({1.0: portfolio.outcome.bad[0], 0.0: portfolio.outcome.good[0]})
    asked = said.assign(**keys, gu="1", asked=frame[EVENT_TIME].dt.strftime("%Y-%m-%d"), paid=words)
    asked.loc[asked.index % 3 == 0, "gu"] = "2"
    orders(asked).to_csv(raw / first.file, index=False)
    known = frame[[column.name for column in view.stored]].rename(columns=named)
    seen = known.assign(miller=frame[APPLICANT_ID], seen=(frame[EVENT_TIME] - pd.Timedelta(days=2)).dt.strftime("%Y-%m-%d"))
    seen = seen.drop_duplicates(["miller", "seen"])
    rivers(seen).to_csv(raw / view.file, index=False)


def write_assembled(portfolio, frame: pd.DataFrame) -> None:
    """What the stages before split leave for them: an outcome where it has matured, and one application of a person at a time."""
    from types import SimpleNamespace

    frame = frame.drop_duplicates([APPLICANT_ID, EVENT_TIME], ignore_index=True)
    frame[BAD] = frame[BAD].where(frame[EVENT_TIME] + portfolio.outcome.matures_after <= portfolio.outcome.observed_until)
    data = Path("data", NAME)
    data.mkdir(parents=True)
    write_inputs(SimpleNamespace(**{name: data / name for name in ("assemble", "validate", "vault")}), portfolio, frame)
    views = data / "featurize" / "views"
    for folder in (views, data / "ingest"):
        folder.mkdir(parents=True)
    standing = frame[BAD].map({1.0: "bad", 0.0: "good"}).fillna("nothing")
    record = frame[[APPLICATION_ID]].assign(standing=standing, bad_on=pd.Series(pd.NaT, frame.index, "datetime64[us, UTC]"))
    record.to_parquet(data / "ingest" / "outcome-record.parquet")
    for table in portfolio.views:
        known = frame[[APPLICANT_ID, EVENT_TIME, *(column.name for column in table.stored)]]
        known.assign(**{EVENT_TIME: known[EVENT_TIME].dt.as_unit("us")}).to_parquet(views / f"{table.name}.parquet")
