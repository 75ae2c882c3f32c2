"""What decides in the simulated consumer loans: the true PD, and the cruder policy of the incumbent that chose whom to book.

The true log-odds are a function of the contract's columns and the month alone: no protected attribute is an argument. Every term
rises or falls as the contract says its column does, with the derived columns held and with them recomputed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Columns = Mapping[str, Array]

INTERCEPT = -4.40
MACRO_AMPLITUDE, MACRO_PERIOD, MACRO_NEUTRAL_MONTH = 0.15, 36, 15
THIN_FILE, NO_ACCOUNT, NO_SAVINGS, NO_HOUSING_COST = 1.4, 0.7, 0.30, 0.30

EMPLOYMENT = {"unemployed": 0.80, "fixed_term": 0.40, "self_employed": 0.30, "public_sector": -0.35, "retired": -0.10}
HOUSING = {"shared": 0.25, "with_family": 0.15, "tenant": 0.20, "owner": -0.25}
REGION = {"capital": -0.10, "north": 0.05, "west": -0.05, "harbour": 1.05}
PURPOSE = {"debt_consolidation": 0.30, "travel": 0.20, "medical": 0.10, "car": -0.10, "home_improvement": -0.25}
CHANNEL = {"online": 0.05, "mobile_app": 0.15, "broker": 0.35}

# Of the incumbent's noisy score; rejects about a third.
INCUMBENT_NOISE = 1.1
INCUMBENT_CUT_OFF = 568.0


def true_log_odds(columns: Columns, month: Array) -> Array:
    """Log-odds of default within twelve months.

    columns: every input of the contract by name, derived ones too, NaN for missing; month: 0 is January 2021. Both of shape (n,).
    """
    parts = affordability(columns) + circumstances(columns) + bureau_record(columns) + account_conduct(columns)
    return np.asarray(INTERCEPT + macro(month) + parts, dtype=np.float64)


def macro(month: Array) -> Array:
    """The cycle: moves every intercept, and no column."""
    return MACRO_AMPLITUDE * np.sin(2 * np.pi * (np.asarray(month) - MACRO_NEUTRAL_MONTH) / MACRO_PERIOD)


def affordability(c: Columns) -> Array:
    """What the loan weighs against income, debts and savings."""
    left = np.where(np.isnan(c["housing_cost"]), NO_HOUSING_COST, -0.28 * np.tanh(np.nan_to_num(c["free_income"]) / c["monthly_income"]))
    debts = 0.30 * np.log1p(c["debt_to_income"]) + 1.2 * np.minimum(c["debt_service_to_income"], 1.0)
    saved = np.where(np.isnan(c["savings_balance"]), NO_SAVINGS, -0.30 * np.log1p(4 * c["savings_to_loan"]))
    return (0.40 * np.log(c["instalment_to_income"] / 0.08) + 0.75 * np.log(c["term_months"] / 48)
            - 0.20 * np.log(c["monthly_income"] / 2_600) + left + np.nan_to_num(debts) + np.where(np.isnan(c["average_balance"]), 0.0, saved))


def circumstances(c: Columns) -> Array:
    """Work, home, region, purpose and channel; a short time in self-employment counts double."""
    short = 1.0 / (1.0 + c["months_employed"] / 24)
    return (effect(c["employment_status"], EMPLOYMENT) + effect(c["housing_status"], HOUSING) + effect(c["home_region"], REGION)
            + effect(c["loan_purpose"], PURPOSE) + effect(c["sales_channel"], CHANNEL)
            + short * np.where(c["employment_status"] == "self_employed", 1.4, 0.7) - 0.12 * np.log1p(c["months_at_address"] / 24))


def bureau_record(c: Columns) -> Array:
    """What other lenders report; used limits weigh more the more credit is sought, late payments more in a short history."""
    used = np.where(c["revolving_utilisation"] < 0, -0.05, c["revolving_utilisation"])
    sought, late = np.log1p(c["inquiries_6m"]), np.log1p(c["delinquencies_24m"])
    young = 1.0 / (1.0 + c["oldest_account_months"] / 60)
    known = 0.45 * late * (1 + 0.6 * young) + 0.25 * sought + 0.8 * used + 0.30 * np.maximum(used, 0) * sought + 0.7 * young
    return np.where(np.isnan(c["oldest_account_months"]), THIN_FILE, known)


def account_conduct(c: Columns) -> Array:
    """How the current account is run."""
    known = (-0.30 * np.tanh(c["average_balance"] / 3_000) - 0.06 * (c["salary_months"] - 6) + 0.008 * c["overdrawn_days"]
             + 0.36 * np.log1p(c["returned_debits_6m"]))
    return np.where(np.isnan(c["average_balance"]), NO_ACCOUNT, known)


def effect(levels: Array, of: Mapping[str, float]) -> Array:
    """The effect of each level; 0 for those not named."""
    return np.array([of.get(level, 0.0) for level in levels.tolist()])


def incumbent_score(rng: np.random.Generator, columns: Columns) -> Array:
    """The old score: five columns, straight lines and a good deal of noise; higher is better. A missing value counts as an average one."""
    points = (0.28 * np.minimum(np.nan_to_num(columns["delinquencies_24m"], nan=0.5), 4)
              + 0.15 * np.nan_to_num(columns["inquiries_6m"], nan=1.5)
              + 0.7 * np.maximum(np.nan_to_num(columns["revolving_utilisation"], nan=0.5), 0)
              - 0.6 * np.log(columns["monthly_income"] / 2_600)
              - 0.25 * np.log1p(columns["months_employed"] / 12)
              + INCUMBENT_NOISE * rng.standard_normal(len(columns["monthly_income"])))
    return np.asarray(np.round(600 - 40 * points))
