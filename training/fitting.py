"""Fitting both candidates on development, calibrated and measured on rows they have not seen. The test part is never seen here.

Those rows are the calibration part; where development is too small for one, folds of development itself (`training.cross_validation`).
Refuses fewer outcomes than anything can be learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Encoding
from training.calibration import Tried
from training.candidates import CROSS_VALIDATION, Candidate, Measured
from training.cross_validation import cross_validate
from training.encoding import model_rows
from training.measures import summary
from training.params import Method, TrainParams
from training.recipe import Recipe, learn
from training.splits import CALIBRATION, DEVELOPMENT, require_outcomes

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fitted:
    """Both candidates, what they share, and how well they do on development and on what was kept from fitting."""

    candidates: tuple[Candidate, ...]
    encoding: Encoding
    measured: Measured
    notes: tuple[str, ...]
    tried: dict[str, dict[Method, Tried]]


def fit(portfolio: Portfolio, frames: dict[str, pd.DataFrame], params: TrainParams) -> Fitted:
    """Fit, calibrate and measure both candidates.

    frames: the development and calibration parts of the assembled applications, the latter empty or absent where there is none.
    Raises DataError for too few rows, one class, or more levels than can be learnt.
    """
    development = frames[DEVELOPMENT]
    require_outcomes(DEVELOPMENT, development[BAD].to_numpy(), rows=params.fewest_rows, bad_rows=params.fewest_bad)
    calibration = frames.get(CALIBRATION, development.iloc[:0])
    if len(calibration):
        require_outcomes(CALIBRATION, calibration[BAD].to_numpy(), rows=2, bad_rows=1)
    recipe = learn(portfolio, development, calibration, params)
    if calibration.empty:
        apart = cross_validate(portfolio, development, params)
        measured = {name: {**known, CROSS_VALIDATION: apart[name]}
                    for name, known in _measured(portfolio, recipe, {DEVELOPMENT: development}).items()}
    else:
        measured = _measured(portfolio, recipe, {DEVELOPMENT: development, CALIBRATION: calibration})
    sampled = portfolio.outcome.sampled
    notes = (*unused(portfolio, model_rows(portfolio, recipe.encoding, development)), *([sampled.says] if sampled else []))
    return Fitted(recipe.candidates, recipe.encoding, measured, notes, recipe.tried)


def _measured(portfolio: Portfolio, recipe: Recipe, frames: dict[str, pd.DataFrame]) -> Measured:
    pds = {part: recipe.pds(portfolio, frame) for part, frame in frames.items()}
    return {one.name: {part: summary(frame[BAD].to_numpy(), pds[part][one.name], one.calibrator.shift) for part, frame in frames.items()}
            for one in recipe.candidates}


def unused(portfolio: Portfolio, rows: Array) -> tuple[str, ...]:
    """A sentence for every input without variation in development; no model can give it weight."""
    found = []
    for column, values in zip(portfolio.inputs, rows.T, strict=True):
        distinct = np.unique(values)  # NaN counts once
        if len(distinct) < 2:
            how = "missing" if np.isnan(distinct).all() else "the same"
            found.append(f"{column.name} is {how} in every development row: it has no weight")
    return tuple(found)
