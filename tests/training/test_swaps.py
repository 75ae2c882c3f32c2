"""Who changes sides, why, and how they performed: held against counts made by hand on planted decisions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import Protected
from training import swaps
from training.measures import rate_interval
from training.params import ProfitParams
from training.swaps import Pair

NAN = np.nan


def at(pds, severity, *, broken=(), doubtful=None, unusual=None):
    pds = np.array(pds)
    doubt, odd = (np.zeros(len(pds), dtype=bool) if each is None else np.array(each) for each in (doubtful, unusual))
    return SimpleNamespace(pd=pds, severity=np.array(severity), band=(pds > 0.2).astype(int), broken=list(broken), doubtful=doubt,
                           unusual=odd)


@pytest.fixture
def pair():
    """Six applicants: the challenger takes in two, puts out one, and keeps one of each side."""
    champion = at([0.05, 0.10, 0.25, 0.30, 0.40, 0.50], [0, 0, 1, 1, 2, 2])
    challenger = at([0.05, 0.30, 0.10, 0.15, 0.45, 0.50], [0, 2, 0, 0, 1, 2])
    return Pair(champion, challenger, np.array([0.0, 1.0, 0.0, 1.0, NAN, NAN]))


def test_each_side_has_its_people_their_outcomes_and_the_pds_of_both(pair):
    found = {side.name: side for side in swaps.sides(pair)}
    enters = found[swaps.ENTERS]

    assert {name: side.applicants for name, side in found.items()} == {
        swaps.BOTH: 1, swaps.ENTERS: 2, swaps.LEAVES: 1, swaps.NEITHER: 2}
    assert (enters.known, enters.bads, enters.bad_rate) == (2, 1, 0.5)
    assert (enters.low, enters.high) == pytest.approx(tuple(map(float, rate_interval(1, 2))))
    assert (enters.champion_pd, enters.challenger_pd_known) == pytest.approx((0.275, 0.125))
    assert sum(side.share for side in found.values()) == pytest.approx(1)


def test_a_side_without_a_known_outcome_has_no_bad_rate(pair):
    neither = swaps.sides(pair)[-1]

    assert (neither.known, neither.bad_rate, neither.low, neither.champion_pd_known) == (0, None, None, None)
    assert neither.champion_pd == pytest.approx(0.45)


def test_rows_drawn_by_outcome_have_the_portfolios_bad_rate(pair):
    shift = float(np.log(0.1 / 0.9))
    enters = next(side for side in swaps.sides(Pair(pair.champion, pair.challenger, pair.bad, shift)) if side.name == swaps.ENTERS)

    assert enters.bad_rate == pytest.approx(0.1)  # one of two was bad: even odds, moved to one in ten
    assert enters.challenger_pd_known == pytest.approx((0.10 + 0.15 / 9) / (1 + 1 / 9))


def test_expected_profit_is_of_every_loan_of_the_approved_and_known_profit_of_known_outcomes(pair):
    amount = np.array([1.0, 10.0, 100.0, 1_000.0, 1.0, 1.0])
    champion, challenger, known = swaps.profits(pair, amount, ProfitParams(of_good=0.1, of_bad=-1.0))

    assert champion.champion == pytest.approx(0.1 * 0.95 - 0.05 + 10 * (0.1 * 0.9 - 0.1))
    assert challenger.challenger == pytest.approx(0.1 * 0.95 - 0.05 + 100 * (0.1 * 0.9 - 0.1) + 1_000 * (0.1 * 0.85 - 0.15))
    assert (known.champion, known.challenger) == pytest.approx((0.1 - 10, 0.1 + 10 - 1_000))
    assert (known.applicants, known.difference) == (4, pytest.approx(known.challenger - known.champion))


def test_moves_count_every_pair_of_outcomes_and_of_bands_and_add_up(pair):
    outcomes = {(move.champion, move.challenger): move.applicants for move in swaps.outcomes(pair)}
    bands = {(move.champion, move.challenger): move.applicants for move in swaps.bands(pair, ("A", "B"), ("1", "2"))}

    assert len(outcomes) == 9
    assert outcomes["refer", "approve"] == 2
    assert outcomes["approve", "decline"] == 1
    assert sum(outcomes.values()) == 6
    assert bands == {("A", "1"): 1, ("A", "2"): 1, ("B", "1"): 2, ("B", "2"): 2}


def test_a_looser_cut_off_alone_is_the_policys_and_another_ranking_alone_the_models():
    pds, bad = [0.1, 0.2, 0.3, 0.4], np.full(4, NAN)
    looser = swaps.attribution(Pair(at(pds, [0, 0, 2, 2]), at(pds, [0, 0, 0, 2]), bad))
    ranked = swaps.attribution(Pair(at(pds, [0, 0, 2, 2]), at(pds[::-1], [2, 2, 0, 0]), bad))

    assert (looser.changed, looser.model, looser.policy, looser.undone) == (1, 0, 1, 0)
    assert (ranked.changed, ranked.model, ranked.policy, ranked.undone) == (4, 4, 0, 0)


def test_model_and_policy_add_up_to_what_changed_whatever_the_two_decide():
    random = np.random.default_rng(3)
    for _ in range(50):
        first, second = random.random(40), random.random(40)
        cuts = random.random(2)
        found = swaps.attribution(Pair(at(first, (first > cuts[0]) * 2), at(second, (second > cuts[1]) * 2), np.full(40, NAN)))
        assert found.model + found.policy == found.changed


@pytest.mark.parametrize("stopped", [{"broken": [np.array([False, False, True])]}, {"doubtful": [False, False, True]},
                                     {"unusual": [False, False, True]}])
def test_nobody_a_rule_a_doubt_or_a_value_nobody_had_stops_is_approved_at_the_same_share(stopped):
    champion = at([0.1, 0.2, 0.3], [0, 0, 2])
    challenger = at([0.3, 0.2, 0.1], [2, 0, 2], **stopped)
    found = swaps.attribution(Pair(champion, challenger, np.full(3, NAN)))

    assert (found.changed, found.policy, found.model) == (1, 1, 0)  # the third may not take the place of the first


def test_a_group_counts_its_people_and_few_of_them_are_withheld_with_who_would_give_them_away():
    column = Protected("guild", raw="g", groups={"1": "town", "2": "country", "3": "moor"}, reference="town")
    group = pd.Series(["town"] * 60 + ["country"] * 30 + ["moor"] * 4 + [None] * 20)
    before = np.r_[np.zeros(114)]
    after = np.where(np.arange(114) < 20, 2, 0)
    pds = np.full(114, 0.1)
    found = {each.group: each for each in swaps.groups(
        Pair(at(pds, before), at(pds, after), np.full(114, NAN)), (column,), pd.DataFrame({"guild": group}), 10)}

    assert (found["town"].applicants, found["town"].swapped_out, found["town"].swapped_in) == (60, 20, 0)
    assert found["town"].approved_by_challenger == pytest.approx(40 / 60)
    assert [found["moor"].applicants, found["moor"].approved_by_champion, found["moor"].swapped_out] == [None] * 3
    assert found["not stated"].applicants is None  # else the rest would give the moor away
    assert found["country"].applicants == 30


def test_a_small_swap_of_a_large_group_is_withheld_on_both_sides():
    column = Protected("guild", raw="g", groups={"1": "town", "2": "country"}, reference="town")
    group = pd.Series(["town"] * 100 + ["country"] * 100)
    after = np.where(np.isin(np.arange(200), [0, 1, 2]) | (np.arange(200) >= 150), 2, 0)
    pair = Pair(at(np.full(200, 0.1), np.zeros(200)), at(np.full(200, 0.1), after), np.full(200, NAN))
    town, country = swaps.groups(pair, (column,), pd.DataFrame({"guild": group}), 10)

    assert (town.applicants, town.swapped_out, town.swapped_in) == (100, None, None)
    assert (country.swapped_out, country.swapped_in) == (None, None)
