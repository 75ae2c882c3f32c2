"""The scorecard ranks as well as one that an expert bins freely, though its bins run in the contract's directions and its points are whole.

card_default is held to the same in test_card_default_figures; `make bench ONLY=scorecard` measures every portfolio.
"""

from __future__ import annotations

from expert_scorecard import MOST_BELOW, ginis


def test_the_simulated_loans_lose_next_to_nothing_against_an_experts_free_scorecard(small_project):
    ours, experts = ginis(small_project)

    assert ours > experts - MOST_BELOW
    assert experts > 0.4, "a peer that ranks, or this would say nothing"
