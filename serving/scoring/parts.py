"""The parts of a scorer that are plain data: calibration, policy, texts. Each is one JSON file of the release."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from numba import njit

from feature_repo.contract import Action
from serving.scoring.kernel import Array

ACTIONS = tuple(Action)
SUREST = 1e-9
Value = float | str | None


class Calibrator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Margin (log-odds of bad) to PD.

    "platt": PD = 1 / (1 + exp(-(slope x margin + intercept))), Platt (1999). "isotonic": linear between the knots (margins, pds),
    never stepped, so that two different margins inside the knots have different PDs. "beta": as platt, but with `slope` for what the
    margin lies below 0 and `slope_above` for what it lies above, each fading into the other around it: Kull, Silva Filho and Flach
    (2017), who call them a and b. No PD is nearer to 0 or 1 than `SUREST`.

    shift: what the portfolio's own bad rate added to the log-odds of a sample that has another; all other numbers have it in them.
    """

    method: Literal["platt", "isotonic", "beta"]
    slope: float = 1.0
    intercept: float = 0.0
    margins: list[float] = []
    pds: list[float] = []
    slope_above: float = 1.0
    shift: float = 0.0

    def pd(self, margins: Array) -> Array:
        """PD in (0, 1) per margin, shape (n,)."""
        out = np.empty(len(margins), dtype=np.float64)
        if self.method == "platt":
            logistic(margins, self.slope, self.intercept, out)
        elif self.method == "beta":
            two_slopes(margins, self.slope, self.slope_above, self.intercept, out)
        else:
            out[:] = np.interp(margins, self.margins, self.pds)
        return np.asarray(np.minimum(np.maximum(out, SUREST), 1 - SUREST))


@njit(cache=True, nogil=True)
def logistic(margins: Array, slope: float, intercept: float, out: Array) -> None:
    """Element by element, so that one row and many give the same bits."""
    for i in range(len(margins)):
        out[i] = 1.0 / (1.0 + np.exp(-(slope * margins[i] + intercept)))


@njit(cache=True, nogil=True)
def two_slopes(margins: Array, below: float, above: float, intercept: float, out: Array) -> None:
    """The logistic of `above` x softplus(margin) - `below` x softplus(-margin) + intercept, element by element too."""
    for i in range(len(margins)):
        rest = np.log1p(np.exp(-abs(margins[i])))
        high, low = max(margins[i], 0.0) + rest, max(-margins[i], 0.0) + rest
        out[i] = 1.0 / (1.0 + np.exp(-(above * high - below * low + intercept)))


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A score band: PDs below `pd_below` and not in a better band."""

    name: str
    pd_below: float


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From PD to score, band and outcome: approve below one cut-off, decline from the other, refer between.

    bands: best first, the last with pd_below 1. base_score points mean base_odds good to one bad; pdo points double the odds.
    """

    approve_below: float
    decline_from: float
    bands: tuple[Band, ...]
    base_score: float
    base_odds: float
    pdo: float

    def scores(self, pd: Array) -> Array:
        """Scaled points, int64, higher is better."""
        odds = np.log((1 - pd) / pd) - np.log(self.base_odds)
        return np.asarray(np.rint(self.base_score + self.pdo / np.log(2) * odds), dtype=np.int64)

    def score(self, pd: float) -> int:
        """`scores` of one PD."""
        odds = np.log((1 - pd) / pd) - np.log(self.base_odds)
        return int(np.rint(self.base_score + self.pdo / np.log(2) * odds))

    def band_indices(self, pd: Array) -> Array:
        limits = [band.pd_below for band in self.bands[:-1]]
        return np.asarray(np.searchsorted(limits, pd, side="right"))

    def severities(self, pd: Array) -> Array:
        """Index into `ACTIONS` per PD."""
        return np.asarray(np.searchsorted([self.approve_below, self.decline_from], pd, side="right"))


class Texts(msgspec.Struct, frozen=True):
    """What the release says in words, read from its contract.json: reasons per input in model order, and rules."""

    inputs: tuple[dict[str, Any], ...]
    rules: tuple[dict[str, str], ...]


class Reason(msgspec.Struct, frozen=True):
    """Why an application was not approved, in the applicant's words."""

    code: str
    feature: str
    text: str


class Decision(msgspec.Struct, frozen=True):
    """What scoring says of one application; `values` holds every input by name, derived ones too, None for missing.

    outside: the inputs whose value nobody in development had.
    """

    pd: float
    margin: float
    score: int
    band: str
    outcome: str
    reasons: tuple[Reason, ...]
    degraded: bool
    values: dict[str, float | str | None]
    outside: tuple[str, ...] = ()
