"""Who applies for a simulated consumer loan: people, what they say, and what is known of them month by month.

Responsible for the joint distribution of every column (a Gaussian copula over three factors: quality, means, age) and for nothing
that depends on the calendar. Protected attributes touch one column only, the planted proxy; knows no outcome and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Marginal = Callable[[Array], Array]

PROXY_COLUMN, PROXY_LEVEL = "home_region", "harbour"
PROXY_GROUP = "minority B"
REGIONS = ("capital", "north", "east", "south", "west", PROXY_LEVEL)
ETHNICITIES = {"majority": 0.53, "minority A": 0.22, PROXY_GROUP: 0.16, "minority C": 0.09}
ELSEWHERE = (0.22, 0.20, 0.18, 0.18, 0.16, 0.06)
IN_GROUP = (0.06, 0.05, 0.04, 0.04, 0.04, 0.77)

MONTHLY_MEMORY = 0.95
BETWEEN_APPLICATIONS = 0.90
FOR_LIFE = frozenset({"age", "thin_file", "no_account", "no_savings", "no_revolving", PROXY_COLUMN})

# How each column's normal score leans on quality, means and age; the rest is its own.
LOADINGS: dict[str, tuple[float, float, float]] = {
    "age": (0.0, 0.0, 1.0), "thin_file": (0.0, 0.0, 0.1), "no_account": (0.0, 0.0, 0.0),
    "no_savings": (0.3, 0.2, 0.0), "no_revolving": (0.0, 0.1, 0.0), "no_housing_cost": (0.35, 0.0, 0.0),
    "loan_amount": (0.0, 0.45, 0.0), "term_months": (-0.1, 0.2, 0.0), "monthly_income": (0.25, 0.80, 0.1),
    "housing_cost": (0.0, 0.55, 0.0), "months_employed": (0.3, 0.1, 0.2), "months_at_address": (0.2, 0.0, 0.2),
    "employment_status": (0.35, 0.3, 0.0), "housing_status": (0.2, 0.3, 0.15), "loan_purpose": (0.15, 0.0, 0.0),
    "sales_channel": (-0.2, 0.0, 0.0), "home_region": (0.0, 0.0, 0.0), "delinquencies_24m": (-0.65, 0.0, 0.0), "inquiries_6m": (-0.45, 0.0, 0.0),
    "open_accounts": (0.0, 0.35, 0.2), "total_debt": (-0.25, 0.4, 0.0), "debt_service": (-0.25, 0.4, 0.0),
    "revolving_utilisation": (-0.55, -0.1, 0.0), "oldest_account_months": (0.3, 0.0, 0.25),
    "average_balance": (0.4, 0.45, 0.0), "salary_months": (0.4, 0.15, 0.0), "overdrawn_days": (-0.55, -0.2, 0.0),
    "returned_debits_6m": (-0.6, -0.1, 0.0), "savings_balance": (0.3, 0.5, 0.0),
}
LATENT = {name: j for j, name in enumerate(LOADINGS)}
WEIGHTS = np.array(list(LOADINGS.values()))
OWN = np.sqrt(np.maximum(0.0, 1.0 - (WEIGHTS**2).sum(axis=1)))


@dataclass(frozen=True)
class LogNormal:
    """Rounded to `step`, clipped to [low, high]; zero where the normal score is below `zero_below`."""

    median: float
    sigma: float
    low: float
    high: float
    step: float = 1.0
    zero_below: float = -np.inf

    def __call__(self, z: Array) -> Array:
        value = np.clip(np.round(self.median * np.exp(self.sigma * z) / self.step) * self.step, self.low, self.high)
        return np.where(z < self.zero_below, 0.0, value)


@dataclass(frozen=True)
class Shares:
    """Values with their shares, lowest normal score first: counts and levels."""

    of: Mapping[Any, float]

    def __call__(self, z: Array) -> Array:
        return np.array(list(self.of))[np.searchsorted(thresholds(tuple(self.of.values())), z)]


def counts(*shares: float) -> Shares:
    """0, 1, 2, … with the given shares."""
    return Shares({float(i): share for i, share in enumerate(shares)})


def thresholds(shares: tuple[float, ...]) -> Array:
    """The normal scores that cut a population into `shares`."""
    cuts = np.cumsum(shares)[:-1] / np.sum(shares)
    return np.array([NormalDist().inv_cdf(cut) for cut in cuts])


# Bounds here lie inside the contract's `usual` ranges: what is outside them was planted.
MARGINALS: dict[str, Marginal] = {
    "loan_amount": LogNormal(9_000, 0.70, 500, 100_000, step=100),
    "term_months": Shares({12.0: 0.08, 24.0: 0.16, 36.0: 0.20, 48.0: 0.20, 60.0: 0.20, 72.0: 0.10, 84.0: 0.06}),
    "monthly_income": LogNormal(2_600, 0.45, 500, 15_000, step=10),
    "housing_cost": LogNormal(620, 0.45, 0, 6_000, step=5),
    "months_employed": LogNormal(48, 1.0, 0, 540),
    "months_at_address": LogNormal(50, 1.1, 0, 700),
    "employment_status": Shares({"unemployed": 0.03, "fixed_term": 0.12, "self_employed": 0.11, "permanent": 0.54,
                                 "public_sector": 0.12, "retired": 0.08}),
    "housing_status": Shares({"shared": 0.05, "with_family": 0.10, "tenant": 0.43, "mortgage": 0.28, "owner": 0.14}),
    # BOAT and CEREMONY are codes the contract does not list: they arrive as its "other" level.
    "loan_purpose": Shares({"debt_consolidation": 0.22, "travel": 0.08, "medical": 0.06, "CEREMONY": 0.02, "furniture": 0.15, "car": 0.26,
                       "BOAT": 0.02, "home_improvement": 0.19}),
    "sales_channel": Shares({"branch": 0.32, "online": 0.36, "mobile_app": 0.20, "broker": 0.12}),
    "delinquencies_24m": counts(0.74, 0.12, 0.06, 0.035, 0.02, 0.012, 0.007, 0.006),
    "inquiries_6m": counts(0.38, 0.26, 0.16, 0.09, 0.05, 0.03, 0.015, 0.01, 0.005),
    "open_accounts": LogNormal(4, 0.6, 1, 40),
    "total_debt": LogNormal(7_000, 1.1, 50, 700_000, step=0.01, zero_below=-1.0),
    "debt_service": LogNormal(190, 0.75, 5, 6_000, step=0.01, zero_below=-1.0),
    "revolving_utilisation": lambda z: np.round(1.15 / (1.0 + np.exp(0.5 - 1.3 * z)), 3),
    "oldest_account_months": LogNormal(90, 0.7, 1, 600),
    "average_balance": lambda z: np.round(700 + 1_800 * np.sinh(0.9 * z), 2).clip(-30_000, 150_000),
    "salary_months": counts(0.06, 0.03, 0.03, 0.04, 0.06, 0.12, 0.66),
    "overdrawn_days": lambda z: np.where(z < 0.4, 0.0, np.ceil(8 * np.exp(1.1 * (z - 0.4))).clip(1, 90)),
    "returned_debits_6m": counts(0.82, 0.09, 0.045, 0.02, 0.012, 0.008, 0.005),
    "savings_balance": LogNormal(1_900, 1.3, 1, 600_000, step=0.01),
}
BUREAU = ("delinquencies_24m", "inquiries_6m", "open_accounts", "total_debt", "debt_service", "revolving_utilisation",
          "oldest_account_months")
ACCOUNTS = ("average_balance", "salary_months", "overdrawn_days", "returned_debits_6m", "savings_balance")
ABSENT = {"thin_file": 0.035, "no_account": 0.025, "no_savings": 0.22, "no_revolving": 0.12, "no_housing_cost": 0.07}
NO_REVOLVING = -1.0


@dataclass(frozen=True)
class People:
    """n people as they are when they apply: customer number, normal scores of shape (n, latents), protected attributes."""

    number: Array
    z: Array
    age: Array
    sex: Array
    ethnicity: Array

    def take(self, rows: Array) -> People:
        return People(self.number[rows], self.z[rows], self.age[rows], self.sex[rows], self.ethnicity[rows])

    def score(self, name: str) -> Array:
        """The normal score of one latent column, shape (n,)."""
        return self.z[:, LATENT[name]]

    def lacks(self, name: str) -> Array:
        """Whether a person is among those who lack what `ABSENT` names."""
        return self.score(name) < NormalDist().inv_cdf(ABSENT[name])


def draw(rng: np.random.Generator, first_number: int, n: int) -> People:
    """`n` new people with consecutive numbers."""
    z = scores(rng, n)
    age = np.floor(18 + 60 * 1 / (1 + np.exp(0.75 - 1.05 * z[:, LATENT["age"]])))
    sex = np.where(rng.random(n) < 0.5, "male", "female")
    ethnicity = rng.choice(list(ETHNICITIES), size=n, p=list(ETHNICITIES.values()))
    return People(first_number + np.arange(n), z, age, sex, ethnicity)


def scores(rng: np.random.Generator, n: int) -> Array:
    """Normal scores with the copula's correlations, shape (n, latents), each column standard normal."""
    return np.asarray(rng.standard_normal((n, WEIGHTS.shape[1])) @ WEIGHTS.T + rng.standard_normal((n, len(LATENT))) * OWN)


def later(rng: np.random.Generator, people: People, years: int) -> People:
    """The same people at a later application: what is for life stays, the rest has moved a little."""
    memory = np.array([1.0 if name in FOR_LIFE else BETWEEN_APPLICATIONS for name in LATENT])
    z = people.z * memory + scores(rng, len(people.z)) * np.sqrt(1 - memory**2)
    return People(people.number, z, people.age + years, people.sex, people.ethnicity)


def join(groups: list[People]) -> People:
    """The people of several groups, in order."""
    return People(*(np.concatenate([getattr(group, part.name) for group in groups]) for part in fields(People)))


def said(people: People, shift: Mapping[str, float]) -> dict[str, Array]:
    """Request columns by contract name; `shift` moves a column's normal score."""
    names = [name for name in MARGINALS if name not in (*BUREAU, *ACCOUNTS)]
    values = {name: MARGINALS[name](people.score(name) + shift.get(name, 0.0)) for name in names}
    values["housing_cost"] = np.where(people.lacks("no_housing_cost"), np.nan, values["housing_cost"])
    return {**values, PROXY_COLUMN: _regions(people)}


def _regions(people: People) -> Array:
    cuts = np.where((people.ethnicity == PROXY_GROUP)[:, None], thresholds(IN_GROUP), thresholds(ELSEWHERE))
    return np.asarray(np.array(REGIONS)[(people.score(PROXY_COLUMN)[:, None] > cuts).sum(axis=1)])


def known(people: People, names: tuple[str, ...], z: Array, shift: Mapping[str, float]) -> dict[str, Array]:
    """Stored columns `names` by contract name, from their normal scores `z` of shape (n, names)."""
    values = {name: MARGINALS[name](z[:, j] + shift.get(name, 0.0)) for j, name in enumerate(names)}
    for name, lack, code in (("revolving_utilisation", "no_revolving", NO_REVOLVING), ("savings_balance", "no_savings", np.nan)):
        if name in values:
            values[name] = np.where(people.lacks(lack), code, values[name])
    return values


def newest(people: People, names: tuple[str, ...]) -> Array:
    """Normal scores of stored columns at the application, shape (n, names)."""
    return np.asarray(people.z[:, [LATENT[name] for name in names]])


def months_back(rng: np.random.Generator, people: People, names: tuple[str, ...], months: int) -> list[Array]:
    """Normal scores of stored columns, newest month first: a stationary AR(1), so no month differs from another by design."""
    z = newest(people, names)
    path = [z]
    for _ in range(months - 1):
        z = MONTHLY_MEMORY * z + np.sqrt(1 - MONTHLY_MEMORY**2) * rng.standard_normal(z.shape)
        path.append(z)
    return path
