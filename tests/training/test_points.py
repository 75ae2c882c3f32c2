"""The points table is the scorecard: a person who adds up the rows of an application reaches its score."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from feature_repo.errors import ParamsError
from governance.release import verify
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.parts import Calibrator
from training.candidates import load_candidate
from training.points import START, log_odds_table, points_table


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    candidate, _ = load_candidate(mill_model.train, "scorecard")
    chosen = decision.load(verify(mill_model.release), mill)
    return dataclasses.replace(chosen, kernel=candidate.kernel, calibrator=candidate.calibrator)


def looked_up(table, column, value):
    """The points a person reads off the table for one value, by its words alone."""
    rows = table[table["input"] == column.name].set_index("value")["points"]
    if pd.isna(value):
        return rows["missing"]
    if column.is_level:
        return rows[value]
    if value in column.special:
        return rows[f"{value:g}"]
    for words, points in rows.items():
        low, high = bounds(words)
        if low <= value < high:
            return points
    raise AssertionError(value)


def bounds(words):
    parts = words.split()
    match parts:
        case ["below", high]:
            return -np.inf, float(high)
        case [low, "to", "below", high]:
            return float(low), float(high)
        case [low, "and", "over"]:
            return float(low), np.inf
        case ["any"]:
            return -np.inf, np.inf
    return np.nan, np.nan


def test_the_rows_of_an_application_add_up_to_its_score(mill, mill_model, scorer):
    table = points_table(scorer, scorer.kernel)
    frame = mill_model.frame.head(300)
    at = scorer.assess(arrays(mill, frame))
    start = table.loc[table["input"] == START, "points"].item()

    sums = [start + sum(looked_up(table, column, at.columns[column.name][i]) for column in mill.inputs) for i in range(300)]

    assert np.abs(np.array(sums) - at.score).max() <= 0.5 + 0.005 * (len(mill.inputs) + 1)


def test_every_input_has_its_intervals_or_levels_its_codes_and_missing(mill, scorer):
    table = log_odds_table(mill, scorer.encoding, scorer.kernel)
    for column in mill.inputs:
        values = table.loc[table["input"] == column.name, "value"].tolist()

        assert values[-1] == "missing"
        assert {f"{code:g}" for code in column.special} <= set(values)
        assert not column.is_level or set(column.level_names) < set(values)


def test_the_words_of_an_interval_are_its_exact_edges(scorer):
    assert [float(f"{edge:g}") for edge in scorer.kernel.edges] == scorer.kernel.edges.tolist()


def test_isotonic_points_are_refused_for_they_do_not_add_up(scorer):
    bent = dataclasses.replace(scorer, calibrator=Calibrator("isotonic", margins=[0.0, 1.0], pds=[0.1, 0.2]))

    with pytest.raises(ParamsError, match="platt"):
        points_table(bent, bent.kernel)
