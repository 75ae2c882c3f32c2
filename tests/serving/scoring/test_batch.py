"""Scoring a frame says what scoring one application says, on the frame's own index."""

from __future__ import annotations

import msgspec
import pytest

from governance.release import verify
from serving.scoring.batch import score
from serving.scoring.decision import load


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    return load(verify(mill_model.release), mill)


def test_a_frame_is_scored_as_each_of_its_rows_alone(mill, mill_model, scorer):
    frame = mill_model.frame.sample(150, random_state=3)

    scored = score(scorer, frame, explain=True)

    assert scored.index.equals(frame.index)
    for at, row in frame.iterrows():
        values = {column.name: None if row[column.name] is None or row[column.name] != row[column.name] else row[column.name]
                  for column in mill.raw_inputs}
        alone = scorer.decide(values)
        for name in ("margin", "pd", "score", "band", "outcome"):
            assert scored.loc[at, name] == getattr(alone, name)
        assert msgspec.json.decode(scored.loc[at, "reasons"], type=list) == list(msgspec.to_builtins(alone.reasons))


def test_derived_columns_are_those_of_the_frame(mill, mill_model, scorer):
    scored = score(scorer, mill_model.frame)

    for column in mill.derived_columns:
        assert scored[column.name].equals(mill_model.frame[column.name])


def test_a_row_with_a_stored_value_missing_is_never_approved_and_says_so(mill, mill_model, scorer):
    frame = mill_model.frame
    thin = frame[[column.name for column in mill.stored if not column.nullable]].isna().any(axis=1)

    scored = score(scorer, frame, explain=True)

    assert thin.mean() > 0.1
    assert not (scored.loc[thin, "outcome"] == "approve").any()
    assert (scored.loc[~thin, "outcome"] == "approve").mean() > 0.5
    passed = thin & (scored["pd"] < scorer.policy.approve_below)
    assert scored.loc[passed, "reasons"].str.contains("not_current").all()
    assert not scored.loc[~thin, "reasons"].str.contains("not_current").any()


def test_reasons_are_only_worked_out_when_asked_for(mill_model, scorer):
    assert "reasons" not in score(scorer, mill_model.frame.head())
