"""Stage assemble: every application once, nothing from its future, the same bytes for the same data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, EVENT_TIME
from feature_repo.portfolios import load
from training.stages import assemble, featurize

PEOPLE = [f"p{i}" for i in range(200)]


@pytest.fixture
def run(tmp_path):
    """Both stages over tables as ingest writes them; the assembled frame and its bytes."""
    def both(portfolio, tables, name="data"):
        folder = tmp_path / name
        (folder / "ingest").mkdir(parents=True)
        for table, frame in tables.items():
            frame.to_parquet(folder / "ingest" / f"{table}.parquet")
        (folder / "verdict.json").write_text(json.dumps({"success": True}))
        featurize.main(portfolio.name, folder / "verdict.json", folder / "ingest", folder / "featurize")
        assemble.main(portfolio.name, folder / "featurize", folder / "assemble")
        path = folder / "assemble" / "applications.parquet"
        return pd.read_parquet(path), path.read_bytes()
    return both


def recent(portfolio, tables):
    """The tables with snapshots moved near the applications, so that some are fresh and some are not."""
    moved = pd.Timedelta(25, "D")
    return {name: frame if name == portfolio.applications.name else frame.assign(**{EVENT_TIME: frame[EVENT_TIME] + moved})
            for name, frame in tables.items()}


def test_every_application_is_there_once_in_order_of_time(brought_harbour, invent, run):
    tables = invent(brought_harbour, PEOPLE)
    frame, _ = run(brought_harbour, tables)
    raw = tables[brought_harbour.applications.name]

    assert frame[APPLICATION_ID].tolist() == raw.sort_values([EVENT_TIME, APPLICATION_ID])[APPLICATION_ID].tolist()


def test_values_from_after_the_application_change_nothing(brought_harbour, invent, run):
    tables = recent(brought_harbour, invent(brought_harbour, PEOPLE))
    asked = tables[brought_harbour.applications.name]
    planted = dict(tables)
    for table in brought_harbour.views:
        future = [asked[EVENT_TIME] + late for late in (pd.Timedelta(1, "us"), pd.Timedelta(5, "h"), pd.Timedelta(31, "D"))]
        absurd = {column.name: column.level_names[-1] if column.is_level else column.low for column in table.stored}
        rows = [pd.DataFrame({APPLICANT_ID: asked[APPLICANT_ID], EVENT_TIME: time, **absurd}) for time in future]
        planted[table.name] = pd.concat([*rows, tables[table.name]])
    frame, before = run(brought_harbour, tables)

    assert frame[[column.name for column in brought_harbour.stored]].notna().any().all()
    assert run(brought_harbour, planted, "planted")[1] == before


def test_a_value_of_the_very_moment_is_used(brought_harbour, invent, run):
    tables = invent(brought_harbour, PEOPLE)
    asked = tables[brought_harbour.applications.name]
    for table in brought_harbour.views:
        exact = {column.name: column.level_names[0] if column.is_level else float(column.high) for column in table.stored}
        tables[table.name] = pd.concat([tables[table.name], asked[[APPLICANT_ID, EVENT_TIME]].assign(**exact)])
    frame, _ = run(brought_harbour, tables)

    for column in brought_harbour.stored:
        assert set(frame[column.name]) == {column.level_names[0] if column.is_level else float(column.high)}


def test_the_order_of_rows_does_not_matter_to_the_bytes(brought_harbour, invent, run):
    tables = recent(brought_harbour, invent(brought_harbour, PEOPLE))
    shuffled = {name: frame.sample(frac=1, random_state=2) for name, frame in tables.items()}

    assert run(brought_harbour, tables)[1] == run(brought_harbour, shuffled, "shuffled")[1]


def test_what_is_older_than_it_may_be_is_missing(brought_harbour, invent, run):
    frame, _ = run(brought_harbour, recent(brought_harbour, invent(brought_harbour, PEOPLE)))
    limited = [column.name for column in brought_harbour.stored if column.fresh_for]
    shares = frame[limited].isna().mean()

    assert ((shares > 0.15) & (shares < 1)).all()


def test_an_undated_portfolio_keeps_every_value(invent, run):
    undated = load("card_default")
    tables = invent(undated, PEOPLE)
    frame, _ = run(undated, tables)
    raw = tables[undated.applications.name].sort_values(APPLICATION_ID)

    for column in undated.raw_inputs:
        np.testing.assert_array_equal(frame[column.name], raw[column.name])
