"""A thousand simulated windows a portfolio and development: planted shifts of PSI 0.2 that are found, and alarms where there is no drift.

Half of the windows have no drift; in the others one to three columns have it, and outliers, missing values and rows in another unit soil
every other one of those. TALLY_SOAK_WINDOWS is how many windows, 1,000 where it is not set.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from drifting import Simulation
from results import Result, judged

from feature_repo.params import read
from feature_repo.portfolios import load
from monitoring.params import DriftParams

WINDOWS, PSI, ROWS = 1_000, 0.2, (500, 700, 1_000, 3_000)
POWER, FALSE_ALARMS = 0.95, 0.05
DEVELOPMENTS = {"consumer_loans": (2_000, 30_000), "sba_504": (2_000, 30_000), "german_credit": (700,)}
PARAMS = Path(__file__).parents[2] / "params.yaml"


def run(tell: Callable[[str], None]) -> list[Result]:
    windows, found = int(os.environ.get("TALLY_SOAK_WINDOWS", WINDOWS)), []
    for name, developments in DEVELOPMENTS.items():
        for development in developments:
            told = Simulation(load(name), read("drift", DriftParams, PARAMS), development).run(windows, ROWS, PSI)
            where = f"{name}, {windows} windows, development of {development}"
            tell(f"{where}: {told.found} of {told.planted} planted shifts found, {told.false} of {told.quiet} quiet windows alarmed, "
                 f"{told.strays} columns drifted that are soiled alone")
            found += [judged("drift", f"{where}: shifts of PSI {PSI} found", round(told.power, 4), f"at least {POWER}",
                             met=told.power >= POWER),
                      judged("drift", f"{where}: quiet windows alarmed", round(told.false_alarms, 4), f"at most {FALSE_ALARMS}",
                             met=told.false_alarms <= FALSE_ALARMS)]
    return found
