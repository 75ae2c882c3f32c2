"""Measures agree with independent computations of the same thing, and say so where there is nothing to measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from feature_repo.errors import DataError
from training import measures

RANDOM = np.random.default_rng(0)
PDS = RANDOM.beta(1, 6, size=8000)
BAD = (RANDOM.random(8000) < PDS).astype(float)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=80))
def test_auc_equals_scikit_learns_with_ties_too(rows):
    bad, pds = np.array([float(b) for b, _ in rows]), np.array([p / 12 for _, p in rows])
    assume(measures.has_both(bad))

    assert measures.auc_with_variance(bad, pds)[0] == pytest.approx(roc_auc_score(bad, pds))


def test_the_delong_interval_is_the_spread_seen_in_bootstrap_samples():
    drawn = [measures.gini_interval(BAD[at], PDS[at])[0] for at in (RANDOM.integers(0, 8000, 8000) for _ in range(300))]
    gini, low, high = measures.gini_interval(BAD, PDS)

    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.006)
    assert low < gini < high


def test_the_paired_interval_is_the_spread_of_the_difference_in_bootstrap_samples():
    other = np.clip(PDS + RANDOM.normal(0, 0.05, len(PDS)), 0.001, 0.999)
    samples = (RANDOM.integers(0, 8000, 8000) for _ in range(200))
    drawn = [roc_auc_score(BAD[at], PDS[at]) - roc_auc_score(BAD[at], other[at]) for at in samples]
    gap, low, high = measures.auc_difference(BAD, other, PDS)

    assert gap == pytest.approx(roc_auc_score(BAD, PDS) - roc_auc_score(BAD, other))
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.003)
    apart = np.hypot(*(measures.auc_with_variance(BAD, each)[1] ** 0.5 for each in (PDS, other)))
    assert high - low < 2 * 1.96 * apart / 1.5  # unpaired, the interval would be far wider


def test_equal_pds_differ_by_nothing_and_outcomes_of_one_kind_are_refused():
    assert measures.auc_difference(BAD, PDS, PDS) == (0, 0, 0)
    with pytest.raises(DataError, match="both good and bad"):
        measures.auc_difference(np.ones(5), PDS[:5], PDS[5:10])


def test_ks_is_the_largest_gap_of_the_two_distributions():
    grid = np.unique(PDS)
    gap = [abs((PDS[BAD == 1] <= cut).mean() - (PDS[BAD == 0] <= cut).mean()) for cut in grid]

    assert measures.ks(BAD, PDS) == pytest.approx(max(gap))


def test_ks_of_a_reversed_ranking_is_as_large():
    assert measures.ks(BAD, -PDS) == pytest.approx(measures.ks(BAD, PDS))
    assert measures.ks(np.array([1, 1, 0, 0]), np.array([0.1, 0.2, 0.8, 0.9])) == 1


def test_the_jeffreys_interval_equals_the_published_one():
    # Brown, Cai and DasGupta (2001), table 5: n = 10, x = 3 and x = 0
    low, high = measures.rate_interval([3, 0, 10], [10, 10, 10])

    assert (low[0], high[0]) == pytest.approx((0.093, 0.606), abs=0.001)
    assert (low[1], high[1]) == pytest.approx((0, 0.217), abs=0.001)
    assert high[2] == 1


def test_the_jeffreys_interval_holds_the_true_rate_95_times_in_100():
    bads = RANDOM.binomial(400, 0.06, size=4000)
    low, high = measures.rate_interval(bads, np.full(4000, 400))

    assert np.mean((low <= 0.06) & (high >= 0.06)) == pytest.approx(0.95, abs=0.02)


def test_the_calibration_table_counts_every_row_once_and_ece_is_its_weighted_gap():
    table = measures.calibration_table(BAD, PDS)

    assert table["rows"].sum() == 8000
    assert table["bads"].sum() == BAD.sum()
    assert len(table) == 10
    assert measures.ece(BAD, PDS) == pytest.approx(sum(table["rows"] * abs(table["bad_rate"] - table["mean_pd"])) / 8000)
    assert measures.ece(BAD, np.clip(PDS + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.01)


def test_equal_pds_share_a_bin():
    assert len(measures.calibration_table(np.tile([0.0, 1.0], 50), np.full(100, 0.5))) == 1


def test_bands_are_all_there_empty_ones_too():
    table = measures.band_table(np.array([0, 0, 2]), ("A", "B", "C"), np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]))

    assert table["band"].tolist() == ["A", "B", "C"]
    assert table["rows"].tolist() == [2, 0, 1]
    assert table["share"].sum() == 1
    assert np.isnan(table.loc[1, "bad_rate"])


def test_a_vintage_of_one_class_has_a_rate_and_no_gini():
    table = measures.vintage_table(pd.Series(["b", "b", "a", "a"]), np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.1, 0.9, 0.2, 0.3]))

    assert table["vintage"].tolist() == ["a", "b"]
    assert np.isnan(table.loc[0, "gini"])
    assert table.loc[0, "bad_rate"] == 0
    assert table.loc[1, "gini"] == 1


def test_no_vintages_are_an_empty_table():
    assert measures.vintage_table(np.zeros(0), np.zeros(0), np.zeros(0)).empty


@pytest.mark.parametrize("bad", [[], [1.0, 1.0], [0.0]])
def test_separation_of_one_class_is_a_message_with_its_counts(bad):
    with pytest.raises(DataError, match=f"{len(bad)} outcomes"):
        measures.summary(np.array(bad), np.full(len(bad), 0.5))


@pytest.mark.parametrize(("months", "rows", "word", "first"), [
    (36, 3_600, "month", "2000-01"), (37, 3_700, "quarter", "2000-Q1"), (36, 1_500, "quarter", "2000-Q1"), (160, 20_000, "year", "2000"),
    (24, 100, "year", "2000"),
])
def test_vintages_are_as_short_as_can_be_read_and_hold_something(months, rows, word, first):
    starts = pd.date_range("2000-01-01", periods=months, freq="MS", tz="UTC")
    times = pd.Series(np.resize(starts, rows))

    found, labels = measures.vintages(times)

    assert (found, min(labels)) == (word, first)
    assert sorted(labels) == [label for _, label in sorted(zip(times, labels, strict=True))]
