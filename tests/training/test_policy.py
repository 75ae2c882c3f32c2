"""Cut-offs give the wanted shares of all who applied, knocked-out ones counted; contradictory settings are refused."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from feature_repo.errors import ParamsError
from serving.scoring.parts import Band
from training.params import PolicyParams, ProfitParams
from training.policy import provisional, require_bands, set_policy

PARAMS = PolicyParams("share", 0.6, 0.05, ProfitParams(0.06, -0.45), 0.1, (Band("A", 0.1), Band("B", 1.0)), 600, 50, 20)
PDS = np.random.default_rng(0).beta(1, 6, size=10_000)
NOBODY = np.zeros(10_000, dtype=bool)


def shares(policy, pds, knocked_out):
    severity = np.where(knocked_out, 2, policy.severities(pds))
    return [np.mean(severity == each) for each in range(3)]


def test_the_wanted_shares_are_reached():
    assert shares(set_policy(PDS, NOBODY, PARAMS), PDS, NOBODY) == [0.6, 0.1, 0.3]


def test_knocked_out_applications_count_as_not_approved_in_the_shares():
    knocked_out = np.arange(10_000) % 5 == 0

    assert shares(set_policy(PDS, knocked_out, PARAMS), PDS, knocked_out) == [0.6, 0.1, 0.3]


def test_more_knock_outs_than_the_policy_would_decline_leave_all_others_approved_or_referred():
    knocked_out = np.arange(10_000) % 2 == 0
    policy = set_policy(PDS, knocked_out, PARAMS)

    assert shares(policy, PDS, knocked_out) == [0.5, 0, 0.5]
    assert policy.approve_below == policy.decline_from == 1


def test_equal_pds_are_never_divided_and_the_share_is_reached_from_below():
    pds = np.repeat([0.1, 0.2, 0.3, 0.4], 250)
    policy = set_policy(pds, np.zeros(1000, dtype=bool), PARAMS)

    assert (policy.approve_below, policy.decline_from) == (0.3, 0.3)
    assert shares(policy, pds, np.zeros(1000, dtype=bool)) == [0.5, 0, 0.5]


def test_the_provisional_policy_declines_nobody():
    assert shares(provisional(PARAMS), PDS, NOBODY) == [1, 0, 0]


@pytest.mark.parametrize("change", [
    {"bands": ()}, {"bands": (Band("A", 0.5),)}, {"bands": (Band("A", 0.5), Band("B", 0.2), Band("C", 1.0))},
    {"bands": (Band("A", 0.5), Band("A", 1.0))}, {"bands": (Band("A", 0.0), Band("B", 1.0))}, {"approve_share": 0.95},
])
def test_contradictory_settings_are_a_message_with_their_place(change):
    with pytest.raises(ParamsError, match=r"evaluate\.policy"):
        require_bands(msgspec.structs.replace(PARAMS, **change))
