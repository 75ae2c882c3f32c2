"""Margins to PDs, fitted on rows the model has not seen: Platt's logistic, or isotonic regression joined by lines.

The rows are the calibration part, or development out of fold. Isotonic regression follows the noise of few outcomes, so below a declared
number Platt takes its place. Refuses a model that ranks those rows backwards.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from feature_repo.errors import DataError
from serving.scoring.parts import Calibrator
from training.params import CalibrationParams

Array = np.ndarray[Any, Any]
FLATTEST = 1e-6
FARTHEST = 10.0  # log-odds


def fit_calibrator(method: str, margins: Array, bad: Array, rule: CalibrationParams) -> Calibrator:
    """A calibrator whose PDs never fall when the margin rises; method: platt or isotonic."""
    platt = fit_platt(margins, bad)
    if method == "platt" or len(bad) < rule.isotonic_from:
        return platt
    return fit_isotonic(margins, bad, platt.slope, rule.knots)


def fit_platt(margins: Array, bad: Array) -> Calibrator:
    """PD = 1 / (1 + exp(-(slope x margin + intercept))), by maximum likelihood (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(margins.reshape(-1, 1), bad)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < FLATTEST:
        raise DataError(f"the model does not rank the {len(bad)} outcomes it is calibrated on (slope {slope:.2g}): its margins carry "
                        "nothing there. Look at the development and calibration parts: they may not be of one population")
    return Calibrator("platt", slope=slope, intercept=intercept)


def fit_isotonic(margins: Array, bad: Array, slope: float, knots: int) -> Calibrator:
    """Isotonic regression over quantile bins of the margin, lines between the bins' means, never stepped.

    Every bin is given one row of the average bad rate, so no PD is 0 or 1. Beyond the outer bins' means the PD goes on with Platt's
    `slope` to the last margin seen, and is flat from there. All knots are then moved alike in log-odds, so that the mean PD is the
    bad rate.
    """
    at = np.searchsorted(np.unique(np.quantile(margins, np.arange(1, knots) / knots)), margins, side="right")
    rows = np.bincount(at)
    filled = rows > 0
    rows, centres = rows[filled], np.bincount(at, margins)[filled] / rows[filled]
    rates = (np.bincount(at, bad)[filled] + bad.mean()) / (rows + 1)
    fitted = IsotonicRegression().fit_transform(centres, rates, sample_weight=rows)
    pds, block = np.unique(np.round(fitted, 12), return_inverse=True)  # blocks a rounding apart are one
    means = np.bincount(block, centres * rows) / np.bincount(block, rows)
    knot_margins, knot_pds = [float(mean) for mean in means], [float(pd) for pd in pds]
    if margins.min() < means[0]:
        knot_margins, knot_pds = [float(margins.min()), *knot_margins], [_onwards(pds[0], slope * (margins.min() - means[0])), *knot_pds]
    if margins.max() > means[-1]:
        knot_margins, knot_pds = [*knot_margins, float(margins.max())], [*knot_pds, _onwards(pds[-1], slope * (margins.max() - means[-1]))]
    return _centred(Calibrator("isotonic", margins=knot_margins, pds=knot_pds), margins, float(bad.mean()))


def _centred(calibrator: Calibrator, margins: Array, rate: float) -> Calibrator:
    """The calibrator with its knots moved alike in log-odds until the mean PD of `margins` is `rate`."""
    def moved(step: float) -> Calibrator:
        return msgspec.structs.replace(calibrator, pds=[_onwards(pd, step) for pd in calibrator.pds])

    return moved(brentq(lambda step: moved(step).pd(margins).mean() - rate, -FARTHEST, FARTHEST))


def _onwards(pd: float, step: float) -> float:
    """The PD `step` further in log-odds."""
    return float(expit(logit(pd) + step))
