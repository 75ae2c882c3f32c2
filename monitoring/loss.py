"""What a finding costs: expected loss of a window, and how much of it goes with the changed mix of a column or with PDs that are off.

Expected loss of a loan is PD times amount times loss given default; of what was not approved it is none. The effect of a column: these
decisions' loss, less their loss if this column alone had the shares of development and every bin of it lost per application what it does
now. So it follows a shift through PDs, amounts and approvals at once. Effects of columns that move together overlap and do not add up.
Refuses to say what a shift does to outcomes that the PDs do not know of: that is performance's.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
from scipy import stats

from feature_repo.contract import Action
from feature_repo.portfolio import Portfolio
from monitoring.intervals import Estimate
from serving.scoring.bins import Bins
from serving.scoring.kernel import Array

LOANS = "loans"  # what loss is told in where the contract names no amount


class Lent(msgspec.Struct, frozen=True):
    """What was approved without a person, and its expected loss, both in `unit`: the amount's, or loans where there is no amount."""

    decisions: int
    approved: int
    amount: float
    expected: float
    unit: str


def columns(portfolio: Portfolio) -> tuple[str, ...]:
    """The columns of a window that losses are made of."""
    return ("pd", "band", "outcome", *((portfolio.amount,) if portfolio.amount else ()))


def losses(frame: pd.DataFrame, portfolio: Portfolio, given_default: float) -> Array:
    """The expected loss of each decision; `frame` has `columns`."""
    return np.asarray(frame["pd"].to_numpy() * _approved(frame, portfolio) * given_default)


def lent(frame: pd.DataFrame, portfolio: Portfolio, given_default: float) -> Lent:
    """All of a window."""
    unit = next((column.unit for column in portfolio.requests if column.name == portfolio.amount), LOANS)
    return Lent(len(frame), int((frame["outcome"] == Action.APPROVE).sum()), float(_approved(frame, portfolio).sum()),
                float(losses(frame, portfolio, given_default).sum()), unit)


def of_shift(lost: Array, places: Array, bins: Bins, confidence: float) -> Estimate:
    """What the shift of a column added to the loss of these decisions. lost: of each; places: each one's bin.

    The interval is of three independent things: loss within bins, shares of these decisions and shares of development (delta method). A
    bin nobody is in any more is taken to lose what a decision does on average.
    """
    decisions, counts = len(lost), np.bincount(places, minlength=len(bins.shares))
    some = np.maximum(counts, 1)
    mean = np.where(counts > 0, np.bincount(places, lost, minlength=len(counts)) / some, lost.mean())
    spread = np.bincount(places, (lost - mean[places]) ** 2, minlength=len(counts)) / np.maximum(counts - 1, 1)
    actual, expected = counts / decisions, np.array(bins.shares)
    moved = actual - expected
    variance = float((moved**2 * spread / some).sum()) + _variance(actual, mean) / decisions + _variance(expected, mean) / bins.rows
    value, half = decisions * float(moved @ mean), decisions * float(stats.norm.isf((1 - confidence) / 2)) * variance**0.5
    return Estimate(value, value - half, value + half)


def of_miss(expected: float, observed: Estimate, mean_pd: float) -> Estimate:
    """What is lost beyond the expected loss if all of it misses as matured outcomes missed their PDs."""
    low, high = (None if bound is None else expected * (bound / mean_pd - 1) for bound in (observed.low, observed.high))
    return Estimate(expected * (observed.value / mean_pd - 1), low, high)


def _approved(frame: pd.DataFrame, portfolio: Portfolio) -> Array:
    """The amount of each decision that was approved, 1 without an amount; 0 of the others, and where no amount was said."""
    amount = frame[portfolio.amount].fillna(0.0).to_numpy() if portfolio.amount else np.ones(len(frame))
    return np.where(frame["outcome"] == Action.APPROVE, amount, 0.0)


def _variance(shares: Array, mean: Array) -> float:
    """Of the mean of a bin drawn by these shares."""
    return float(shares @ mean**2 - (shares @ mean) ** 2)
