"""The baseline's window is what the ledger would export: everyone who applied, scored by the one scoring."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from monitoring import scored, window
from monitoring.params import BaselineParams
from serving.scoring import decision


@pytest.fixture(scope="module")
def applications(watched, borrow):
    return borrow(watched.portfolio, 300, seed=8)


def written(path, applications, watched, rows_at_once):
    scored.write(path, applications, decision.load(watched.release, watched.portfolio), watched.release, BaselineParams(rows_at_once))
    return pq.read_table(path)


def test_it_has_the_window_schema_and_everyone_in_it(watched, applications, tmp_path):
    table = written(tmp_path / "w.parquet", applications, watched, 300)
    frame = table.to_pandas()
    assert table.schema.equals(window.schema(watched.portfolio))
    assert (frame[window.DECISION_ID] == applications[APPLICATION_ID]).all()
    assert (frame[APPLICANT_ID] == applications[APPLICANT_ID]).all()
    assert (frame[window.DECIDED_AT] == applications[EVENT_TIME]).all()
    assert applications[BAD].isna().any()
    np.testing.assert_array_equal(frame[BAD], applications[BAD])


def test_how_many_are_scored_at_once_changes_nothing(watched, applications, tmp_path):
    assert written(tmp_path / "a.parquet", applications, watched, 300).equals(written(tmp_path / "b.parquet", applications, watched, 7))


def test_each_row_is_what_the_service_would_decide(watched, applications, tmp_path):
    frame = written(tmp_path / "w.parquet", applications, watched, 100).to_pandas()
    scorer = decision.load(watched.release, watched.portfolio)
    names = [column.name for column in watched.portfolio.raw_inputs]
    for (_, applied), (_, row) in zip(applications.head(40).iterrows(), frame.iterrows(), strict=False):
        decided = scorer.decide({name: None if pd.isna(applied[name]) else applied[name] for name in names})
        assert (row["pd"], row["score"], row["band"], row["outcome"]) == (decided.pd, decided.score, decided.band, decided.outcome)
        assert [reason["code"] for reason in json.loads(row["reasons"])] == [reason.code for reason in decided.reasons]
