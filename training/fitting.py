"""Fitting both candidates on development and calibrating them on the calibration part. The test part is never seen here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Encoding
from serving.scoring.kernel import Kernel
from serving.scoring.parts import Calibrator
from training.calibration import fit_calibrator
from training.candidates import Candidate, Measured
from training.encoding import Sample, fit_encoding, sample
from training.measures import summary
from training.models import fit_trees
from training.params import TrainParams
from training.points import log_odds_table
from training.scorecard import fit_scorecard
from training.splits import CALIBRATION, DEVELOPMENT, early_fold, require_outcomes

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fitted:
    """Both candidates, what they share, and how well they do on development and calibration."""

    candidates: list[Candidate]
    encoding: Encoding
    measured: Measured
    notes: tuple[str, ...]


def fit(portfolio: Portfolio, frames: dict[str, pd.DataFrame], params: TrainParams) -> Fitted:
    """Fit, calibrate and measure both candidates.

    frames: the development and calibration parts of the assembled applications. Raises DataError for too few rows, one class,
    or more levels than can be learnt.
    """
    for part, frame in frames.items():
        require_outcomes(part, frame[BAD].to_numpy(), rows=params.fewest_rows, bad_rows=params.fewest_bad)
    development = frames[DEVELOPMENT]
    encoding = fit_encoding(portfolio, development, params.encoding)
    samples = {part: sample(portfolio, encoding, frame) for part, frame in frames.items()}
    early = _early(portfolio, development, params)
    candidates = [_scorecard(portfolio, encoding, samples, params), _trees(portfolio, samples, early, params)]
    measured = {candidate.name: {part: summary(known.bad, candidate.calibrator.pd(candidate.kernel.margins(known.rows)))
                                 for part, known in samples.items()} for candidate in candidates}
    return Fitted(candidates, encoding, measured, unused(portfolio, samples[DEVELOPMENT].rows))


def unused(portfolio: Portfolio, rows: Array) -> tuple[str, ...]:
    """A sentence for every input without variation in development; no model can give it weight."""
    found = []
    for column, values in zip(portfolio.inputs, rows.T, strict=True):
        distinct = np.unique(values)  # NaN counts once
        if len(distinct) < 2:
            how = "missing" if np.isnan(distinct).all() else "the same"
            found.append(f"{column.name} is {how} in every development row: it has no weight")
    return tuple(found)


def _early(portfolio: Portfolio, development: pd.DataFrame, params: TrainParams) -> tuple[Sample, Sample]:
    """The rows that are boosted and those that stop it, levels encoded from the former alone."""
    stops = early_fold(development, params.trees.early_share, params.seed, dated=portfolio.is_dated)
    boosts = development[~stops]
    encoding = fit_encoding(portfolio, boosts, params.encoding)
    return sample(portfolio, encoding, boosts), sample(portfolio, encoding, development[stops])


def _scorecard(portfolio: Portfolio, encoding: Encoding, samples: dict[str, Sample], params: TrainParams) -> Candidate:
    kernel = fit_scorecard(portfolio, samples[DEVELOPMENT], params.scorecard)
    table = log_odds_table(portfolio, encoding, kernel).to_csv(index=False, lineterminator="\n")
    calibrator = _calibrated(kernel, samples, params.calibration.scorecard, params)
    return Candidate("scorecard", kernel, calibrator, ("scorecard.csv", table.encode()))


def _trees(portfolio: Portfolio, samples: dict[str, Sample], early: tuple[Sample, Sample], params: TrainParams) -> Candidate:
    risks = tuple(int(column.risk) for column in portfolio.inputs)
    boosted = fit_trees(samples[DEVELOPMENT], early, risks, params.trees, params.seed)
    calibrator = _calibrated(boosted.kernel, samples, params.calibration.trees, params)
    return Candidate("trees", boosted.kernel, calibrator, ("model.ubj", boosted.native))


def _calibrated(kernel: Kernel, samples: dict[str, Sample], method: str, params: TrainParams) -> Calibrator:
    known = samples[CALIBRATION]
    return fit_calibrator(method, kernel.margins(known.rows), known.bad, params.calibration.knots)
