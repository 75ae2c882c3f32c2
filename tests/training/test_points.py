"""The points table is the scorecard: a person who adds up the rows of an application reaches its score."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml

from feature_repo.errors import ParamsError, ReleaseError
from serving.scoring.batch import arrays
from serving.scoring.parts import Calibrator
from training.candidates import Candidate, load_candidate
from training.monotonicity import prove
from training.params import EvaluateParams
from training.points import START, in_whole_points, log_odds_table, points_table
from training.release_parts import compose


@pytest.fixture(scope="module")
def candidate(mill_model):
    return load_candidate(mill_model.train, "scorecard")[0]


@pytest.fixture(scope="module")
def scorer(mill, mill_model, candidate):
    """The release's scorer, had the scorecard been chosen."""
    encoding = load_candidate(mill_model.train, "scorecard")[1]
    return compose(mill, candidate, encoding, mill_model.frame, read_params(mill_model))


def read_params(model):
    return msgspec.convert(yaml.safe_load((model.evaluate.parent / "params.yaml").read_text())["evaluate"], EvaluateParams)


def added_up(table, portfolio, columns):
    """The sum of what a person reads off the table for each application, by its words alone."""
    total = np.full(len(next(iter(columns.values()))), table.loc[table["input"] == START, "points"].item())
    for column in portfolio.inputs:
        total += looked_up(table[table["input"] == column.name].set_index("value")["points"], column, pd.Series(columns[column.name]))
    return total


def looked_up(points, column, values):
    if column.is_level:
        return values.fillna("missing").map(points).to_numpy(dtype=np.int64)
    found = np.full(len(values), points["missing"])
    for words, each in points.items():
        low, high = bounds(words)
        found[(values >= low) & (values < high)] = each
    for code in column.special:
        found[values == code] = points[f"{code:g}"]
    return found


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


@pytest.mark.parametrize("seed", [1, 2])
def test_the_points_of_every_one_of_20000_applications_add_up_to_its_score(mill, borrow, scorer, seed):
    frame = borrow(mill, 20_000, seed=seed)
    at = scorer.assess(arrays(mill, frame))

    assert np.array_equal(added_up(points_table(scorer, scorer.kernel), mill, at.columns), at.score)


def test_the_pd_follows_from_the_score(mill, borrow, scorer):
    at = scorer.assess(arrays(mill, borrow(mill, 2000, seed=3)))
    policy = scorer.policy
    odds = policy.base_odds * 2 ** ((at.score - policy.base_score) / policy.pdo)

    assert at.pd == pytest.approx(1 / (1 + odds), rel=1e-9)
    assert len(np.unique(at.pd.round(12))) == len(np.unique(at.score))


def test_points_are_whole_and_rounding_moves_scores_by_less_than_a_point_on_average(mill, borrow, scorer, candidate):
    table = points_table(scorer, scorer.kernel)
    frame = borrow(mill, 4000, seed=0)
    at = scorer.assess(arrays(mill, frame))
    exact = -np.log(candidate.calibrator.pd(candidate.kernel.margins(at.rows)) ** -1 - 1)

    assert table["points"].dtype == np.int64
    assert abs((at.margin - exact).mean()) * scorer.policy.pdo / np.log(2) < 0.5
    assert np.abs(at.margin - exact).max() * scorer.policy.pdo / np.log(2) <= 0.5 * (len(mill.inputs) + 1)


def test_the_order_of_bins_survives_rounding(mill, scorer):
    proof = prove(mill, Candidate("scorecard", scorer.kernel, scorer.calibrator, ("", b"")))

    assert proof.holds
    assert proof.comparisons > 0


def test_a_card_that_is_not_in_whole_points_is_not_printed(scorer, candidate):
    with pytest.raises(ReleaseError, match="whole points"):
        points_table(scorer, candidate.kernel)


def test_every_input_has_its_intervals_or_levels_its_codes_and_missing(mill, scorer):
    table = log_odds_table(mill, scorer.encoding, scorer.kernel)
    for column in mill.inputs:
        values = table.loc[table["input"] == column.name, "value"].tolist()

        assert values[-1] == "missing"
        assert {f"{code:g}" for code in column.special} <= set(values)
        assert not column.is_level or set(column.level_names) < set(values)


def test_the_words_of_an_interval_are_its_exact_edges(scorer):
    assert [float(f"{edge:g}") for edge in scorer.kernel.edges] == scorer.kernel.edges.tolist()


def test_isotonic_points_are_refused_for_they_do_not_add_up(scorer, candidate):
    bent = Calibrator("isotonic", margins=[0.0, 1.0], pds=[0.1, 0.2])

    with pytest.raises(ParamsError, match="platt"):
        in_whole_points(candidate.kernel, bent, scorer.policy, np.zeros((1, len(scorer.texts.inputs))))


def test_a_card_without_any_bin_gives_everyone_the_start(mill, scorer, candidate):
    nothing = dataclasses.replace(candidate.kernel, points=0 * candidate.kernel.points, missing=0 * candidate.kernel.missing,
                                  special_points=0 * candidate.kernel.special_points)
    rows = np.full((5, len(mill.inputs)), np.nan)
    whole = in_whole_points(nothing, candidate.calibrator, scorer.policy, rows)
    table = points_table(dataclasses.replace(scorer, kernel=whole), whole)
    pd_ = 1 / (1 + np.exp(-whole.margins(rows)))

    assert set(table.loc[table["input"] != START, "points"]) == {0}
    assert set(scorer.policy.scores(pd_)) == {table.loc[0, "points"]}
