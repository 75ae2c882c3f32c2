"""What is tried, what the rule prefers, and what is said of it: the search over models that are made up here."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from training import alternatives
from training.alternatives import Room, Tried
from training.impact import Impact
from training.refits import Change

RULE = alternatives.AlternativesParams(budget=6, adopt="never", auc_loss=0.01, air_gain=0.02, sample=100, minimum=30, confidence=0.95)
SETTINGS = {"scorecard": {"ridge": 10.0}, "trees": {"depth": 4, "ridge": 5.0}}
BAD = np.repeat([1.0, 0.0], [50, 150])


def impact(ratio):
    return Impact("guild", "country", 100, 50, ratio, ratio - 0.1, ratio + 0.1)


def pds(auc_lost):
    """Ranks perfectly but for a share of bad outcomes below all good ones."""
    found = np.linspace(1, 0, len(BAD))
    found[: round(auc_lost * 50)] = -1
    return found


@pytest.fixture
def attempt():
    """A world where the input `mark` costs the group 0.2 and `toll` 0.1, and does the model little good; seen: what was tried."""
    def attempt(change):
        attempt.seen.append(change.name)
        gone = {"mark": 0.2, "toll": 0.1}
        ratio = 0.6 + sum(gone.get(name, -0.1) for name in change.without) + sum(gone.get(name, 0) / 2 for name in change.lighter)
        at = impact(round(ratio, 6))
        lost = 0.0 if not {*change.without} - {"mark", "toll"} else 0.5
        drivers = tuple(name for name in ("mark", "toll", "work") if name not in change.without)
        return Tried(change, (BAD, pds(lost)), (at,), at, drivers)

    attempt.seen = []
    return attempt


def search(attempt, *, family="scorecard", proxies=(), **changes):
    (other,) = {"scorecard", "trees"} - {family}
    return alternatives.search(attempt, Room(Change(family), other, SETTINGS, proxies), msgspec.structs.replace(RULE, **changes))


def test_it_goes_backwards_from_the_best_so_far(attempt):
    members = search(attempt)

    assert attempt.seen == ["scorecard", "scorecard; without mark", "scorecard; half the weight of mark", "scorecard; ridge 100",
                            "trees; without mark", "scorecard; without mark, toll", "scorecard; without mark, toll, work"]
    assert alternatives.propose(members, RULE).name == "scorecard; without mark, toll"


def test_proxies_that_audit_found_are_left_out_first(attempt):
    search(attempt, proxies=("toll", "work"))

    assert attempt.seen[1] == "scorecard; without toll, work"


def test_trees_are_restrained_by_their_own_settings_and_never_made_lighter(attempt):
    search(attempt, family="trees", budget=9)

    assert {"trees; depth 2", "trees; ridge 50"} <= set(attempt.seen)
    assert not any("half" in name for name in attempt.seen)


@pytest.mark.parametrize("budget", [1, 2, 4, 20])
def test_the_budget_bounds_what_is_fitted_and_nothing_is_fitted_twice(attempt, budget):
    members = search(attempt, budget=budget)

    assert len(attempt.seen) == len(set(attempt.seen)) == len(members) <= budget + 1


def test_a_model_that_costs_too_much_is_not_proposed(attempt):
    members = search(attempt)
    costly = next(each for each in members if each.name.endswith("work"))

    assert costly.auc_loss == pytest.approx(0.5)
    assert alternatives.propose((members[0], costly), RULE) is None


def test_a_model_that_gains_too_little_is_not_proposed(attempt):
    assert alternatives.propose(search(attempt), msgspec.structs.replace(RULE, air_gain=0.5)) is None


def test_the_frontier_is_what_no_other_beats(attempt):
    members = search(attempt)

    assert {each.name for each in members if each.frontier} == {"scorecard; without mark, toll"}
    roles = alternatives.table(members, "scorecard; without mark, toll").set_index("alternative")["role"]
    assert roles[["scorecard", "scorecard; without mark, toll", "scorecard; ridge 100"]].tolist() == ["train's choice", "proposed", "tried"]


def test_losses_come_with_the_interval_of_the_same_rows(attempt):
    costly = search(attempt)[-1]

    assert costly.auc_loss_low < costly.auc_loss < costly.auc_loss_high
    assert costly.auc_low < costly.auc < costly.auc_high


def test_the_reason_names_figures_rule_and_who_decides(attempt):
    members = search(attempt)
    proposed = alternatives.propose(members, RULE)

    words = alternatives.why(members, proposed, RULE)
    assert "adverse impact ratio of 0.600 for country (guild)" in words
    assert "has 0.900 for country (guild)" in words
    assert "proposed and not adopted: a person decides" in words
    assert "not adopted" not in alternatives.why(members, proposed, msgspec.structs.replace(RULE, adopt="within"))
    assert "none of 6 alternatives meets the rule: an AUC loss of at most 0.01" in alternatives.why(members, None, RULE)


def test_a_change_that_leaves_nothing_to_rank_by_is_passed_over(attempt):
    members = search(lambda change: None if "toll" in change.without else attempt(change))

    assert not any("toll" in each.name for each in members)


def test_where_nothing_can_be_compared_it_says_so():
    assert search(lambda _: None) == ()
    assert "fewer than two groups" in alternatives.why((), None, RULE)
    assert list(alternatives.table((), None).columns) == alternatives.COLUMNS
