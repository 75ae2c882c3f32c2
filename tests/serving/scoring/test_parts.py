"""Calibration and policy: PDs in (0, 1) that follow the margin, points that double the odds, cut-offs with a stated side."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.scoring.parts import ACTIONS, Band, Calibrator, Policy

PLATT = Calibrator("platt", slope=1.3, intercept=-0.2)
ISOTONIC = Calibrator("isotonic", margins=[-4.0, -1.0, 0.5, 3.0], pds=[0.01, 0.1, 0.11, 0.8])
BETA = Calibrator("beta", slope=1.1, slope_above=0.4, intercept=-0.3)
POLICY = Policy(0.1, 0.3, (Band("A", 0.02), Band("B", 0.2), Band("C", 1.0)), 600, 50, 20)
MARGINS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@pytest.mark.parametrize("calibrator", [PLATT, ISOTONIC, BETA], ids=lambda one: one.method)
@given(margins=MARGINS)
def test_pds_lie_within_0_and_1_never_fall_with_the_margin_and_one_row_equals_many(calibrator, margins):
    pds = calibrator.pd(np.sort(margins))

    assert ((pds > 0) & (pds < 1)).all()
    assert (np.diff(pds) >= -1e-15).all()
    assert pds.tolist() == [calibrator.pd(np.array([margin]))[0] for margin in np.sort(margins)]


@given(st.lists(st.floats(-4, 3, width=32), min_size=2, max_size=30, unique=True))
def test_isotonic_pds_are_never_stepped_between_the_knots(margins):
    apart = [b for a, b in zip(sorted(margins), sorted(margins)[1:], strict=False) if b - a > 1e-9]

    assert (np.diff(ISOTONIC.pd(np.array(apart))) > 0).all()


def test_beta_calibration_is_the_published_formula_and_platt_where_both_slopes_are_one():
    """Kull, Silva Filho and Flach (2017): 1 / (1 + 1 / (e^c s^a / (1 - s)^b)), s being the PD before calibration."""
    margins = np.linspace(-5, 5, 41)
    s = 1 / (1 + np.exp(-margins))

    assert BETA.pd(margins) == pytest.approx(1 / (1 + 1 / (np.exp(-0.3) * s**1.1 / (1 - s) ** 0.4)), rel=1e-12)
    assert Calibrator("beta", slope=1.3, slope_above=1.3, intercept=-0.2).pd(margins) == pytest.approx(PLATT.pd(margins), rel=1e-12)


def test_a_calibrator_of_an_older_release_reads_as_it_was():
    held = b'{"method":"platt","slope":1.3,"intercept":-0.2,"margins":[],"pds":[]}'

    assert msgspec.json.decode(held, type=Calibrator) == PLATT


def test_an_unknown_method_is_refused_when_read():
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"method": "guess"}', type=Calibrator)


def test_base_odds_have_the_base_score_and_pdo_points_double_the_odds():
    pds = 1 / (1 + np.array([50.0, 100.0, 25.0]))

    assert POLICY.scores(pds).tolist() == [600, 620, 580]


@given(MARGINS)
def test_scores_are_finite_and_never_rise_with_the_pd(margins):
    scores = POLICY.scores(PLATT.pd(np.sort(margins)))

    assert (np.diff(scores) <= 0).all()
    assert (np.abs(scores) < 5000).all()


def test_a_pd_at_a_cut_off_has_the_severer_outcome():
    pds = np.array([np.nextafter(0.1, 0), 0.1, np.nextafter(0.3, 0), 0.3])

    assert [ACTIONS[severity].value for severity in POLICY.severities(pds)] == ["approve", "refer", "refer", "decline"]


def test_a_pd_at_a_bands_limit_is_in_the_next_band():
    pds = np.array([0.0001, 0.02, 0.1999, 0.2, 0.999])

    assert [POLICY.bands[at].name for at in POLICY.band_indices(pds)] == ["A", "B", "B", "C", "C"]
