"""Guarantees of a split: the share that was agreed to, the same applicants everywhere, more of a share keeps who was in it."""

from __future__ import annotations

import subprocess
import sys
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.splits import Split, drawn

APPLICANTS = [f"applicant-{number}" for number in range(10_000)]
ROOT = Path(__file__).parents[2]


def challenged(share: float, experiment: str = "spring") -> set[str]:
    split = Split(experiment, share, "2030-01-01T00:00:00+00:00")
    return {one for one in APPLICANTS if split.arm(one) == "challenger"}


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.25, 0.5])
def test_of_ten_thousand_applicants_the_share_is_within_four_standard_errors(share):
    bound = 4 * sqrt(len(APPLICANTS) * share * (1 - share))
    assert abs(len(challenged(share)) - len(APPLICANTS) * share) <= bound


def test_another_process_draws_the_same_applicants():
    said = "from governance.splits import drawn; print([drawn('spring', f'applicant-{n}') for n in range(100)])"
    other = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str([drawn("spring", one) for one in APPLICANTS[:100]])


def test_what_was_drawn_once_is_drawn_so_in_every_version():
    assert drawn("spring", "applicant-1") == 0.9905483244322275


def test_a_larger_share_of_the_same_experiment_keeps_whom_the_smaller_had():
    assert challenged(0.05) < challenged(0.1) < challenged(0.5)


def test_two_experiments_draw_independently():
    both = len(challenged(0.5) & challenged(0.5, "autumn"))
    assert abs(both - 2_500) <= 4 * sqrt(10_000 * 0.25 * 0.75)


@given(st.text(max_size=64), st.text(max_size=128))
def test_every_applicant_has_one_number_between_0_and_1(experiment, applicant):
    assert 0 <= drawn(experiment, applicant) == drawn(experiment, applicant) <= 1
