"""Amounts and effects in words: three digits, one scale, the contract's unit."""

from __future__ import annotations

import doctest

from monitoring import money
from monitoring.intervals import Estimate


def test_the_examples_hold():
    assert doctest.testmod(money).failed == 0


def test_an_effect_and_its_interval_are_in_one_scale():
    assert money.effect(Estimate(9_000, 2_000, 16_000), "EUR") == "+EUR 9 thousand (2 to 16)"


def test_an_effect_without_an_amount_is_in_loans():
    assert money.effect(Estimate(-3.2, -4.0, -2.4), "loans") == f"{money.MINUS}3.2 loans ({money.MINUS}4.0 to {money.MINUS}2.4)"


def test_zero_has_no_sign_of_its_own():
    assert money.money(-0.01, "EUR") == "EUR 0.0"
