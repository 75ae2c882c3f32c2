"""What watches a model, on odd windows and an odd vault: a report, or one line that says what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_odd_input import assert_one_clear_line, count, put

from feature_repo.contract import APPLICATION_ID, BAD

WATCHING = ("drift", "performance", "fairness", "summary")
REPORT, STOPS = (), WATCHING
WINDOWS = {  # what is odd: how the window changes, the stages that stop
    "no decision": (lambda rows: rows.head(0), STOPS),
    "one decision": (lambda rows: rows.head(1), REPORT),
    "all outcomes good": (put(**{BAD: 0.0}), REPORT),
    "all outcomes bad": (put(**{BAD: 1.0}), REPORT),
    "no outcome known": (put(**{BAD: np.nan}), REPORT),
    "a decision twice": (put(decision_id="d1"), STOPS),
    "a decision without its time": (put(decided_at=pd.NaT), STOPS),
    "an input is always missing": (put(sacks=np.nan), REPORT),
    "an input is constant": (put(sacks=7.0), REPORT),
    "5,000 levels": (put(grain=count("grain ", 5_000)), REPORT),
    "every PD the same": (put(pd=0.2, margin=-1.4), REPORT),
    "all approved": (put(outcome="approve"), REPORT),
    "all declined": (put(outcome="decline"), REPORT),
    "a window without its inputs": (lambda rows: rows.drop(columns="sacks"), ("drift", "summary")),
}
VAULTS = {
    "knows nobody": lambda rows: rows.head(0),
    "knows one": lambda rows: rows.head(1),
    "one group only": put(guild="town"),
    "no group known": put(guild=None),
}


def spoil(path, change):
    """In the types the file has."""
    schema = pq.read_schema(path)
    changed = change(pd.read_parquet(path))
    kept = pa.schema([schema.field(name) for name in changed.columns])
    pq.write_table(pa.Table.from_pandas(changed, kept, preserve_index=False), path)


@pytest.mark.parametrize("odd", WINDOWS)
def test_windows(run, there, odd):
    change, stops = WINDOWS[odd]
    spoil(there / "baseline" / "window.parquet", change)

    for stage in WATCHING:
        found = run(stage, stage)
        assert (found.stage is not None) == (stage in stops), (stage, found.said)
        if found.stage:
            assert_one_clear_line(found)


@pytest.mark.parametrize("odd", VAULTS)
def test_vaults(run, there, odd):
    spoil(there / "vault" / "protected.parquet", VAULTS[odd])

    assert run("fairness", "fairness").stage is None


def test_no_application_after_the_cut(run, there):
    spoil(there / "split" / "parts.parquet", put(period="development"))

    found = run("baseline", "baseline")
    assert_one_clear_line(found)
    assert "after the cut" in found.said


def test_a_torn_window(run, there):
    path = there / "baseline" / "window.parquet"
    path.write_bytes(path.read_bytes()[:-100])

    for stage in WATCHING:
        assert_one_clear_line(run(stage, stage))


def test_applications_that_are_not_the_splits(run, there):
    spoil(there / "assemble" / "applications.parquet", put(**{APPLICATION_ID: count("b", 9_999)}))

    found = run("train", "train")
    assert_one_clear_line(found)
    assert "run the split stage again" in found.said
