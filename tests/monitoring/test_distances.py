"""Distances are the textbook's, written out here; chance limits and intervals hold what they promise in simulated samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitoring import distances
from serving.scoring.bins import Bins, psi

DECILES = np.append(np.full(10, 0.095), 0.05)
RARE = np.array([0.9, 0.05, 0.03, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0005, 0.001])
ALPHA = 0.002


def frozen(counts):
    return Bins(shares=tuple((counts / counts.sum()).tolist()), rows=int(counts.sum()), edges=tuple(map(float, range(len(counts) - 2))))


def drawn(shares, rows, seed):
    return np.random.default_rng(seed).multinomial(rows, shares)


@given(st.lists(st.integers(1, 5_000), min_size=3, max_size=12), st.integers(0, 2**32 - 1))
def test_psi_and_jensen_shannon_are_the_textbooks(development, seed):
    bins = frozen(np.array(development))
    counts = drawn(bins.shares, 700, seed) + 1
    actual, expected = counts / counts.sum(), np.array(bins.shares)
    assert psi(counts, bins.shares) == pytest.approx(
        np.sum((np.maximum(actual, 1e-4) - np.maximum(expected, 1e-4)) * np.log(np.maximum(actual, 1e-4) / np.maximum(expected, 1e-4))),
        abs=1e-9)
    assert distances.jensen_shannon(counts, bins, ALPHA).value == pytest.approx(jensenshannon(actual, expected, base=2) ** 2, abs=1e-9)


def test_kolmogorov_smirnov_of_values_at_the_edges_is_the_textbooks_and_never_above_the_true_one():
    random = np.random.default_rng(3)
    development, window = random.integers(0, 8, 4_000).astype(float), random.integers(1, 9, 900).astype(float)
    bins = Bins(shares=(), rows=0, edges=tuple(map(float, range(1, 9))))
    bins = Bins(shares=tuple((bins.count(development) / 4_000).tolist()), rows=4_000, edges=bins.edges)
    found = distances.kolmogorov_smirnov(bins.count(window), bins, ALPHA)
    assert found.value == pytest.approx(stats.ks_2samp(development, window).statistic, abs=1e-12)
    assert stats.ks_2samp(development, window, method="asymp").pvalue < ALPHA < found.value
    coarse = Bins(shares=(0.5, 0.5, 0.0), rows=4_000, edges=(4.0,))
    assert distances.kolmogorov_smirnov(coarse.count(window), coarse, ALPHA).value <= found.value + 0.02
    assert distances.kolmogorov_smirnov(np.array([1, 2, 0]), Bins(shares=(0.5, 0.5, 0.0), rows=9, names=("a", "b")), ALPHA) is None
    assert distances.kolmogorov_smirnov(np.array([0, 0, 3]), coarse, ALPHA) is None


def test_the_p_value_is_pearsons_where_no_bin_is_rare():
    development, window = drawn(DECILES, 20_000, 1), drawn(DECILES, 900, 2)
    table = stats.chi2_contingency(np.array([development, window]), correction=False)
    assert distances.p_value(window, frozen(development)) == pytest.approx(table.pvalue, rel=1e-9)
    assert distances.p_value(np.array([5, 0]), Bins(shares=(1.0, 0.0), rows=10)) == 1.0


@pytest.mark.parametrize("shares", [DECILES, RARE])
def test_chance_alone_passes_its_limit_as_rarely_as_it_says_even_where_levels_are_rare(shares):
    alpha = 0.02
    found = [distances.p_value(drawn(shares, 500, 2 * seed), frozen(drawn(shares, 20_000, 2 * seed + 1))) for seed in range(1_500)]
    assert np.mean(np.array(found) < alpha) < 0.032  # 1,500 draws of exactly 0.02 pass that once in two thousand times


def test_the_interval_of_a_psi_holds_the_true_one_as_often_as_it_says():
    shifted = DECILES * np.exp(0.6 * np.linspace(-1, 1, 11))
    shifted /= shifted.sum()
    true = float(np.sum((shifted - DECILES) * np.log(shifted / DECILES)))
    found = [distances.psi_interval(drawn(shifted, 800, 2 * seed), frozen(drawn(DECILES, 20_000, 2 * seed + 1)), 0.95)
             for seed in range(600)]
    assert 0.92 < np.mean([each.low <= true <= each.high for each in found]) < 0.98
    same = distances.psi_interval(drawn(DECILES, 800, 1), frozen(drawn(DECILES, 20_000, 2)), 0.95)
    assert same.low == 0.0


def test_an_interval_stays_finite_on_a_hundred_million_decisions():
    counts = drawn(DECILES[::-1], 100_000_000, 1)
    found = distances.psi_interval(counts, frozen(drawn(DECILES, 100_000_000, 2)), 0.95)
    assert found.low < psi(counts, frozen(drawn(DECILES, 100_000_000, 2)).shares) < found.high
    assert found.high - found.low < 0.001


def test_false_alarms_of_all_columns_together_are_what_was_asked_for():
    each = distances.per_column(0.05, 31)
    assert 1 - (1 - each) ** 31 == pytest.approx(0.05)
