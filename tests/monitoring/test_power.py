"""Planted shifts are found and quiet windows stay quiet, in few windows here and in thousands in `make soak ONLY=drift`."""

from __future__ import annotations

import pytest
from drifting import Simulation

from feature_repo.portfolios import load
from serving.scoring.bins import psi


@pytest.mark.parametrize(("name", "development"), [("consumer_loans", 2_000), ("sba_504", 30_000)])
def test_shifts_of_psi_0_2_are_found_in_soiled_windows_and_quiet_ones_do_not_alarm(name, development, drift_params):
    told = Simulation(load(name), drift_params, development).run(80, (500, 1_000), 0.2)
    assert told.power >= 0.95
    assert told.false_alarms <= 0.05


def test_what_is_planted_has_the_psi_that_is_asked_for(drift_params):
    simulation = Simulation(load("sba_504"), drift_params, 30_000)
    name = simulation.portfolio.requests[0].name
    found = simulation.window(200_000, [name], 0.2, soiled=False)

    assert psi(simulation.bins[name].count(found[name]), simulation.bins[name].shares) == pytest.approx(0.2, abs=0.03)
