"""What one input alone says of the outcome, against figures computed another way; and that few people never stand alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from training import information
from training.information import AGAINST, AGREES, UNCLEAR, UNDECLARED

SIZE, LEAST = 6_000, 10
RANDOM = np.random.default_rng(11)
VALUES = np.where(RANDOM.random(SIZE) < 0.05, np.nan, np.where(RANDOM.random(SIZE) < 0.1, -1.0, RANDOM.lognormal(3, 1, SIZE)))
RISK = np.nan_to_num(np.where(VALUES == -1, 0, np.log(np.maximum(VALUES, 1))), nan=4)
BAD = np.where(RANDOM.random(SIZE) < 0.2, np.nan, (RANDOM.random(SIZE) < 1 / (1 + np.exp(4 - 0.7 * RISK))).astype(float))
LEVELS = pd.Series(RANDOM.choice(np.array(["oak", "elm", "yew", None], dtype=object), SIZE, p=[0.5, 0.3, 0.1, 0.1]))
KNOWN = ~np.isnan(BAD)


def number(values=VALUES, bad=BAD, special=(-1.0,), most=10, least=LEAST):
    return information.of_number(values, bad, special, most=most, least=least)


def value_of(keys, bad):
    """Information value by pandas, of keys per row."""
    table = pd.crosstab(keys, bad)
    shares = table / table.sum()
    return float(((shares[1.0] - shares[0.0]) * np.log(shares[1.0] / shares[0.0])).sum())


def test_the_information_value_is_that_of_the_bins_it_shows():
    found = number()
    edges = np.quantile(VALUES[VALUES > 0], np.arange(1, 10) / 10, method="inverted_cdf")
    at = pd.Series(np.searchsorted(edges, VALUES[KNOWN], side="right")).mask(VALUES[KNOWN] == -1, 90).mask(np.isnan(VALUES[KNOWN]), 99)

    assert found.information == pytest.approx(value_of(at, BAD[KNOWN]), abs=1e-6)
    assert [each.label for each in found.bins][-2:] == ["special -1", "missing"]
    assert [each.outcomes for each in found.bins] == at.value_counts().sort_index().tolist()
    assert [each.bad_rate for each in found.bins] == pytest.approx(pd.Series(BAD[KNOWN]).groupby(at).mean().tolist(), abs=1e-6)


def test_levels_have_a_bin_each_and_their_auc_ranks_them_by_bad_rate():
    found = information.of_level(LEVELS, BAD, ("oak", "elm", "yew"), least=LEAST)
    keys = LEVELS[KNOWN].fillna("missing")
    rates = pd.Series(BAD[KNOWN]).groupby(keys.to_numpy()).transform("mean")

    assert [each.label for each in found.bins] == ["oak", "elm", "yew", "missing"]
    assert found.information == pytest.approx(value_of(keys.to_numpy(), BAD[KNOWN]), abs=1e-6)
    assert found.auc == pytest.approx(roc_auc_score(BAD[KNOWN], rates), abs=1e-6)
    assert (found.sketch, found.trend, found.quantiles) == (None, None, {})


def test_missing_counts_everyone_and_outcomes_count_the_known():
    found = number()

    assert found.missing == pytest.approx(np.isnan(VALUES).mean(), abs=1e-6)
    assert sum(each.share for each in found.bins) == pytest.approx(1, abs=1e-5)
    assert sum(each.outcomes for each in found.bins) == KNOWN.sum()


def test_an_input_that_says_nothing_stays_below_chance_19_times_in_20():
    random = np.random.default_rng(5)
    noise = [number(random.random(2_000), (random.random(2_000) < 0.2).astype(float), ()) for _ in range(200)]

    assert np.mean([found.information > found.by_chance for found in noise]) == pytest.approx(0.05, abs=0.035)


@pytest.mark.parametrize(("sign", "declared", "said"), [(1, 1, AGREES), (-1, 1, AGAINST), (-1, -1, AGREES), (1, 0, UNDECLARED)])
def test_the_observed_direction_is_held_against_the_declared_one(sign, declared, said):
    assert information.direction(declared, number(sign * RISK, special=()), 0.5) == said


def test_noise_has_no_direction():
    assert information.direction(1, number(np.random.default_rng(3).random(SIZE), special=()), 0.5) == UNCLEAR


def test_the_trend_weighs_intervals_by_their_outcomes():
    good, bad = np.array([900, 800, 700, 9, 5]), np.array([100, 200, 300, 1, 5])
    counts = information.Counts(("a", "b", "c", "d", "missing"), np.full(5, 1_000), good, bad, 4)

    assert information.trend(counts) > 0.9


@pytest.mark.parametrize("bad", [np.zeros(SIZE), np.ones(SIZE), np.full(SIZE, np.nan)])
def test_outcomes_of_one_kind_tell_nothing_and_break_nothing(bad):
    for found in (number(bad=bad), information.of_level(LEVELS, bad, ("oak", "elm", "yew"), least=LEAST)):
        assert (found.information, found.by_chance, found.auc, found.trend) == (None, None, None, None)
        assert found.missing > 0


@pytest.mark.parametrize("values", [np.full(SIZE, np.nan), np.full(SIZE, 4.0)])
def test_a_column_without_values_or_without_variation_says_nothing(values):
    found = number(values)

    assert found.information == 0
    assert found.auc == 0.5
    assert (found.sketch, found.trend) == (None, None)
    assert information.direction(1, found, 0.5) == UNCLEAR


def test_no_level_at_all_says_nothing():
    found = information.of_level(pd.Series(np.full(SIZE, None)), BAD, ("oak",), least=LEAST)

    assert (found.missing, found.information) == (1, 0)


def test_nobody_at_all_breaks_nothing():
    assert number(np.zeros(0), np.zeros(0)).missing == 0


def test_intervals_and_levels_of_few_people_are_joined():
    rare = pd.Series(["oak"] * 500 + ["elm"] * 4 + ["yew"] * 3)
    few = information.of_level(rare, np.resize([0.0, 1.0], 507), ("oak", "elm", "yew", "ash"), least=LEAST)
    tail = number(np.concatenate([np.resize([0.0, 1.0, 2.0], 300), [7.0, 8.0]]), np.resize([0.0, 1.0], 302), ())

    assert [each.label for each in few.bins] == ["oak", "ash", "elm, yew", "missing"]
    assert few.bins[2].bad_rate is None
    assert [each.label for each in tail.bins] == ["below 1", "1 to below 2", "2 and over", "missing"]


@pytest.mark.parametrize(("people", "shown"), [
    (3_000, ["1%", "5%", "50%", "95%", "99%"]), (900, ["5%", "50%", "95%"]), (30, ["50%"]), (15, [])])
def test_a_quantile_needs_enough_people_beyond_it(people, shown):
    assert list(information.shown_quantiles(np.arange(people, dtype=float), LEAST)) == shown


def test_the_smallest_and_largest_value_show_nowhere():
    values = np.append(np.random.default_rng(1).normal(50, 10, 5_000), [-987_654.0, 987_654.0])

    assert "987" not in str(number(values, np.resize([0.0, 1.0], len(values)), ()))


def test_a_bin_of_one_kind_counts_with_half_an_outcome_of_each():
    levels, bad = pd.Series(np.repeat(["oak", "elm"], [100, 300])), np.concatenate([np.ones(100), np.resize([0.0, 1.0], 300)])
    oak, elm = ((100.5 / 250, 0.5 / 150), (150 / 250, 150 / 150))

    expected = sum((at_bad - at_good) * np.log(at_bad / at_good) for at_bad, at_good in (oak, elm))
    assert information.of_level(levels, bad, ("oak", "elm"), least=LEAST).information == pytest.approx(expected, abs=1e-6)


def test_whole_numbers_have_a_bar_each():
    found = number(np.resize([0.0, 1.0, 2.0, 5.0], 4_000), np.resize([0.0, 1.0, 1.0], 4_000), ())

    assert found.sketch == information.Sketch(0, 5, (0.25, 0.25, 0.25, 0, 0, 0.25))
