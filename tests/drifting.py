"""Simulated windows of a portfolio, with a shift of a known PSI planted in some columns, or none; clean or soiled with faults of data.

A column's population is drawn once from its contract: skewed numbers within the usual range, codes, missing values, levels of which some
are rare. A shift tilts the shares of its frozen bins until their PSI is the one asked for, so that what is planted is exact. What soils
a window is what hides a shift from a monitor that makes its bins anew: outliers, missing values, a few rows in another unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq

from feature_repo.contract import Input
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict
from monitoring import drift, window
from monitoring.params import DriftParams
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers, psi
from serving.scoring.counter import count

POOL = 60_000
MOST = 40.0  # of a tilt: one bin is left
MISSING, CODED = 0.03, 0.1
SOILED = {"outliers": 3, "missing": 0.01, "another unit": 0.005}
YEAR_FOR_MONTH = 12


@dataclass
class Told:
    """What came of many windows.

    found: planted columns whose verdict on drift is more than ok, of all `planted` (a fault of data that soils one is no find);
    false: windows without drift that had any alarm, of drift or of data, of all `quiet` ones; strays: columns that drifted by their
    verdict in soiled windows though nothing was planted in them.
    """

    planted: int = 0
    found: int = 0
    quiet: int = 0
    false: int = 0
    strays: int = 0
    missed: list[tuple[str, int]] = field(default_factory=list)

    @property
    def power(self) -> float:
        return self.found / max(self.planted, 1)

    @property
    def false_alarms(self) -> float:
        return self.false / max(self.quiet, 1)


class Simulation:
    """A portfolio's raw inputs: their populations, and bins frozen on a development of some rows."""

    def __init__(self, portfolio: Portfolio, params: DriftParams, development: int, seed: int = 1) -> None:
        self.portfolio, self.params, self.random = portfolio, params, np.random.default_rng(seed)
        self.pools = {column.name: _pool(column, self.random) for column in portfolio.raw_inputs}
        self.bins = {column.name: _frozen(column, self.random.choice(self.pools[column.name], development))
                     for column in portfolio.raw_inputs}

    def run(self, windows: int, rows: tuple[int, ...], planted_psi: float) -> Told:
        """Every other window has no drift; the others have it in one to three columns, and every other one of those is soiled."""
        told, names = Told(), [name for name, bins in self.bins.items() if np.count_nonzero(bins.shares) > 1]
        for at in range(windows):
            size = int(self.random.choice(rows))
            planted = self.random.choice(names, self.random.integers(1, 4), replace=False).tolist() if at % 2 else []
            drifted, faulty = self.alarmed(self.window(size, planted, planted_psi, soiled=at % 4 == 1))
            told.planted, told.found = told.planted + len(planted), told.found + len(set(planted) & drifted)
            told.missed += [(name, size) for name in sorted(set(planted) - drifted)]
            told.quiet, told.false = told.quiet + (not planted), told.false + (not planted and bool(drifted | faulty))
            told.strays += len(drifted - set(planted)) if at % 4 == 1 else 0
        return told

    def window(self, rows: int, planted: list[str], planted_psi: float, *, soiled: bool) -> dict[str, np.ndarray]:
        values = {name: self.random.choice(pool, rows) for name, pool in self.pools.items()}
        for name in planted:
            values[name] = self._shifted(name, rows, planted_psi)
        if soiled:
            values = {column.name: _soiled(column, values[column.name], self.random) for column in self.portfolio.raw_inputs}
        return values

    def alarmed(self, values: dict[str, np.ndarray]) -> tuple[set[str], set[str]]:
        """The columns that get more than ok for drift, and those that do for their data."""
        months = {window.ALL: count(values, self.bins, self.portfolio)}
        judged = drift.judge(months, self.portfolio, self.bins, self.params)
        more = {Verdict.WATCH, Verdict.ALERT}
        drifted, faulty = ({column.column for column in judged if getattr(column, what) in more} for what in ("verdict", "quality"))
        return drifted, faulty

    def _shifted(self, name: str, rows: int, planted_psi: float) -> np.ndarray:
        """Values whose population has that PSI against the population that development was drawn from."""
        pool, bins = self.pools[name], self.bins[name]
        place = bins.places(pool)
        shares = np.bincount(place, minlength=len(bins.shares)) / len(pool)
        direction = np.zeros(len(shares))
        used = np.flatnonzero(shares)
        direction[used] = self.random.permutation(np.linspace(-1, 1, len(used)))

        def tilted(strength: float) -> np.ndarray:
            moved = shares * np.exp(strength * direction)
            return moved / moved.sum()

        def beyond(strength: float) -> float:
            return psi(np.round(tilted(strength) * 1e9), tuple(shares)) - planted_psi

        strength = brentq(beyond, 0, MOST if beyond(MOST) > 0 else -MOST)  # that nobody has a rare level is a small shift
        weights = (tilted(strength) / np.where(shares > 0, shares, 1))[place]
        return self.random.choice(pool, rows, p=weights / weights.sum())


def _pool(column: Input, random: np.random.Generator) -> np.ndarray:
    missing = random.random(POOL) < (MISSING if column.nullable else 0)
    if column.is_level:
        shares = 1 / np.arange(1, len(column.level_names) + 1)
        return np.where(missing, None, random.choice(np.array(column.level_names, dtype=object), POOL, p=shares / shares.sum()))
    low, high = column.usual or (column.low or 0.0, column.high or 1.0)
    values = np.clip(max(low, 0) + (high - max(low, 0)) * 0.05 * random.lognormal(0, 0.7, POOL), low, high)
    if high - low <= 100:  # counts and months come in whole numbers
        values = np.floor(values)
    for code in column.special:
        values = np.where(random.random(POOL) < CODED, code, values)
    return np.where(missing, np.nan, values)


def _frozen(column: Input, values: np.ndarray) -> Bins:
    return freeze_levels(values, column.level_names) if column.is_level else freeze_numbers(values, 10, column.special, column.usual)


def _soiled(column: Input, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    gone = random.random(len(values)) < SOILED["missing"]
    if column.is_level:
        return np.where(gone, None, values)
    values = np.where(random.random(len(values)) < SOILED["another unit"], values * YEAR_FOR_MONTH, values)
    values[random.integers(0, len(values), int(SOILED["outliers"]))] = 1e9
    return np.where(gone, np.nan, values)
