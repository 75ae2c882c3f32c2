"""Margins to PDs, fitted on rows the model has not seen: Platt's logistic, beta calibration, or isotonic regression joined by lines.

The rows are the calibration part, or development out of fold. Isotonic regression follows the noise of few outcomes, so below a declared
number it is not used. Refuses a model that ranks those rows backwards.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from feature_repo.errors import DataError
from serving.scoring.parts import Calibrator
from training.params import CalibrationParams, Method

Array = np.ndarray[Any, Any]
SEED = 0  # of the folds
FLATTEST = 1e-6
FARTHEST = 10.0  # log-odds


class Tried(msgspec.Struct, frozen=True):
    """A method's mean loss out of fold, how far that is behind the best method's, and the standard error of this difference."""

    loss: float
    behind: float
    error: float


def calibrate(method: str, margins: Array, bad: Array, rule: CalibrationParams) -> tuple[Calibrator, dict[Method, Tried]]:
    """The calibrator by a method, or by the one that `choose` finds, and how each did that was tried."""
    tried = compare(margins, bad, rule) if method == "choose" else {}
    return _fit(plainest(tried) if method == "choose" else method, margins, bad, rule), tried


def fit_calibrator(method: str, margins: Array, bad: Array, rule: CalibrationParams) -> Calibrator:
    """A calibrator whose PDs never fall when the margin rises; method: platt, isotonic, beta or choose."""
    return calibrate(method, margins, bad, rule)[0]


def _fit(method: str, margins: Array, bad: Array, rule: CalibrationParams) -> Calibrator:
    platt = fit_platt(margins, bad)
    if method == "beta":
        return fit_beta(margins, bad, platt)
    if method == "platt" or len(bad) < rule.isotonic_from:
        return platt
    return fit_isotonic(margins, bad, platt.slope, rule.knots)


def compare(margins: Array, bad: Array, rule: CalibrationParams) -> dict[Method, Tried]:
    """How each method that may be chosen does on rows of folds it was not fitted to; empty where there are too few to tell.

    The folds are drawn. Dealt in order of the margin, each would repeat the noise of the others, and isotonic regression always win.
    """
    methods = [method for method in rule.choose_from if method != "isotonic" or len(bad) >= rule.isotonic_from]
    if min(np.sum(bad), np.sum(1 - bad)) < rule.choose_folds:
        return {}
    parted = list(StratifiedKFold(rule.choose_folds, shuffle=True, random_state=SEED).split(margins, bad))
    try:
        losses = {method: _losses_apart(method, margins, bad, parted, rule) for method in methods}
    except DataError:  # a fold is ranked backwards: fit_platt says so where all rows are
        return {}
    best = losses[min(methods, key=lambda method: float(losses[method].mean()))]
    return {method: Tried(*map(float, (each.mean(), (each - best).mean(), stats.sem(each - best)))) for method, each in losses.items()}


def plainest(tried: dict[Method, Tried]) -> Method:
    """The first method within one standard error of the best (Breiman et al. 1984, the 1-SE rule); platt where none was tried."""
    return next((method for method, found in tried.items() if found.behind <= found.error), "platt")


def _losses_apart(method: Method, margins: Array, bad: Array, parted: list[tuple[Array, Array]], rule: CalibrationParams) -> Array:
    pds, rule = np.empty(len(bad)), msgspec.structs.replace(rule, isotonic_from=1)
    for fits, kept in parted:
        pds[kept] = _fit(method, margins[fits], bad[fits], rule).pd(margins[kept])
    return (pds - bad) ** 2 if rule.choose_by == "brier" else -np.log(np.where(bad == 1, pds, 1 - pds))


def fit_platt(margins: Array, bad: Array) -> Calibrator:
    """PD = 1 / (1 + exp(-(slope x margin + intercept))), by maximum likelihood (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(margins.reshape(-1, 1), bad)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < FLATTEST:
        raise DataError(f"the model does not rank the {len(bad)} outcomes it is calibrated on (slope {slope:.2g}): its margins carry "
                        "nothing there. Look at the development and calibration parts: they may not be of one population")
    return Calibrator("platt", slope=slope, intercept=intercept)


def aligned(earlier: tuple[Array, Array], calibration: tuple[Array, Array]) -> Array:
    """Margins of earlier rows at the level of the calibration part's: its bad rate is what is to come, their number tells the slope.

    Both are margins and outcomes. One logistic regression finds the slope they share and how far their levels lie apart.
    """
    (margins, bad), (later, later_bad) = earlier, calibration
    columns = np.column_stack([np.concatenate([margins, later]), np.repeat([1.0, 0.0], [len(margins), len(later)])])
    slope, apart = LogisticRegression(C=np.inf).fit(columns, np.concatenate([bad, later_bad])).coef_[0]
    return margins + float(apart / slope) if slope > FLATTEST else margins


def fit_beta(margins: Array, bad: Array, platt: Calibrator) -> Calibrator:
    """A slope for each side of margin 0, neither negative, by maximum likelihood (Kull, Silva Filho and Flach 2017).

    Both are drawn to Platt's slope as by one more observation: where hardly a margin lies above 0, the rows say nothing of that side.
    """
    sides = np.column_stack([np.ones(len(margins)), -np.logaddexp(0, -margins), np.logaddexp(0, margins)])

    def loss(point: Array) -> tuple[float, Array]:
        margin, apart = sides @ point, point - np.array([point[0], platt.slope, platt.slope])
        value = np.sum(np.logaddexp(0, margin) - bad * margin) + np.sum(apart**2) / 2
        return float(value) / len(bad), (sides.T @ (expit(margin) - bad) + apart) / len(bad)

    start = np.array([platt.intercept, platt.slope, platt.slope])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None), (0, None)], tol=1e-12).x
    return Calibrator("beta", slope=float(found[1]), slope_above=float(found[2]), intercept=float(found[0]))


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
