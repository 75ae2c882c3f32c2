"""The whole recipe of both candidates, from rows with outcomes to calibrated models: levels, bins, boosting, calibration.

Calibrated on a part of its own where there is one, else on margins of models that did not see the row. What judges a recipe is handed
none of the rows it is judged on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from feature_repo.contract import APPLICANT_ID, BAD
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Encoding
from serving.scoring.scorecard import Scorecard
from training.calibration import Tried, aligned, calibrate
from training.candidates import Candidate
from training.encoding import Sample, fit_encoding, model_rows, sample
from training.models import Boosted, best_rounds, boost
from training.params import CalibrationParams, Method, TrainParams
from training.points import log_odds_table
from training.prior import shift_of, shifted
from training.scorecard import fit_scorecard
from training.splits import early_fold

Array = np.ndarray[Any, Any]
Fold = tuple[Array, Array]
"""Positions of the rows that fit, and of those kept apart."""


@dataclass(frozen=True)
class Recipe:
    """Both calibrated candidates and the encoding they share. tried: per candidate with a choice of calibrations, how each method did."""

    encoding: Encoding
    candidates: tuple[Candidate, ...]
    tried: dict[str, dict[Method, Tried]] = field(default_factory=dict)

    def pds(self, portfolio: Portfolio, frame: pd.DataFrame) -> dict[str, Array]:
        """The PDs each candidate gives the rows of a frame."""
        rows = model_rows(portfolio, self.encoding, frame)
        return {one.name: one.calibrator.pd(one.kernel.margins(rows)) for one in self.candidates}


@dataclass(frozen=True)
class Kernels:
    """Both families before calibration."""

    encoding: Encoding
    scorecard: Scorecard
    trees: Boosted

    def margins(self, portfolio: Portfolio, frame: pd.DataFrame) -> dict[str, Array]:
        """Log-odds of bad, per family."""
        rows = model_rows(portfolio, self.encoding, frame)
        return {"scorecard": self.scorecard.margins(rows), "trees": self.trees.kernel.margins(rows)}


def learn(portfolio: Portfolio, development: pd.DataFrame, calibration: pd.DataFrame, params: TrainParams) -> Recipe:
    """The recipe as there are rows for it: calibrated on a part of its own, with or without development's shape, or out of fold."""
    if calibration.empty:
        return out_of_fold(portfolio, development, params, params.seed)
    joined = params.calibration.joins(len(development), int(calibration[BAD].sum()))
    return held_out(portfolio, development, calibration, params, joined=joined)


def held_out(portfolio: Portfolio, development: pd.DataFrame, calibration: pd.DataFrame, params: TrainParams, *,
             joined: bool = False) -> Recipe:
    """Fit on development, calibrate on the calibration part.

    joined: development out of fold tells the shape of the calibration too, brought to the calibration part's level.
    """
    stops = early_fold(development, params.trees.early_share, params.seed, dated=portfolio.is_dated)
    rounds = _rounds(portfolio, development, (np.flatnonzero(~stops), np.flatnonzero(stops)), params)
    kernels = fit_kernels(portfolio, development, rounds, params)
    shift = shift_of(portfolio, np.concatenate([development[BAD], calibration[BAD]]))
    margins, outcomes = kernels.margins(portfolio, calibration), calibration[BAD]
    if joined:
        parted = tuple(folds(development, params.calibration.join_folds, params.seed))
        apart = _margins_apart(portfolio, development, parted, rounds, params)
        parts = {name: ((apart[name], development[BAD].to_numpy()), (margins[name], calibration[BAD].to_numpy())) for name in margins}
        margins = {name: np.concatenate([aligned(*each), each[1][0]]) for name, each in parts.items()}
        outcomes = pd.concat([development[BAD], calibration[BAD]])
    return _calibrated(portfolio, kernels, margins, (outcomes, shift), params.calibration)


def out_of_fold(portfolio: Portfolio, development: pd.DataFrame, params: TrainParams, seed: int) -> Recipe:
    """Fit on all of development; find the number of trees and calibrate by folds of it.

    The trees take the median of the folds' best numbers of rounds. Every row's margin comes from a model fitted without it.
    """
    parted = tuple(folds(development, params.cross_validation.folds, seed))
    rounds = int(np.median([_rounds(portfolio, development, fold, params) for fold in parted]))
    apart = _margins_apart(portfolio, development, parted, rounds, params)
    outcomes = (development[BAD], shift_of(portfolio, development[BAD].to_numpy()))
    return _calibrated(portfolio, fit_kernels(portfolio, development, rounds, params), apart, outcomes, params.calibration)


def _margins_apart(portfolio: Portfolio, development: pd.DataFrame, parted: tuple[Fold, ...], rounds: int,
                   params: TrainParams) -> dict[str, Array]:
    apart = {name: np.empty(len(development)) for name in ("scorecard", "trees")}
    for fits, kept in parted:
        margins = fit_kernels(portfolio, development.iloc[fits], rounds, params).margins(portfolio, development.iloc[kept])
        for name, found in margins.items():
            apart[name][kept] = found
    return apart


def folds(frame: pd.DataFrame, count: int, seed: int) -> Iterator[Fold]:
    """Seeded folds by applicant, stratified by their worst outcome: nobody's applications are in two of them."""
    applicants = frame.groupby(APPLICANT_ID, sort=True)[BAD].max()
    for _, people in StratifiedKFold(count, shuffle=True, random_state=seed).split(applicants, applicants):
        kept = frame[APPLICANT_ID].isin(applicants.index[people]).to_numpy()
        yield np.flatnonzero(~kept), np.flatnonzero(kept)


def fit_kernels(portfolio: Portfolio, development: pd.DataFrame, rounds: int, params: TrainParams) -> Kernels:
    """Learn levels, bin and weigh the scorecard, boost the trees `rounds` times."""
    development = development[fitted_rows(development, params)]
    encoding = fit_encoding(portfolio, development, params.encoding)
    known = sample(portfolio, encoding, development)
    return Kernels(encoding, fit_scorecard(portfolio, known, params.scorecard),
                   boost(known, rounds, risks_of(portfolio), params.trees, params.seed))


def _rounds(portfolio: Portfolio, development: pd.DataFrame, fold: Fold, params: TrainParams) -> int:
    early = early_samples(portfolio, development, fold, params)
    rate = float(development.loc[fitted_rows(development, params), BAD].mean())
    return best_rounds(early, rate, risks_of(portfolio), params.trees, params.seed)


def fitted_rows(development: pd.DataFrame, params: TrainParams) -> Array:
    """Whether a row of development is fitted to: every bad, certain or by a share, and `keep_goods` of the goods, drawn.

    That raises every margin alike (King and Zeng 2001). Calibration takes it back exactly, since no row that calibrates is left out.
    """
    if params.keep_goods == 1:
        return np.ones(len(development), dtype=bool)
    drawn = np.random.default_rng(params.seed).random(len(development)) < params.keep_goods
    return np.asarray(drawn | (development[BAD] > 0))


def early_samples(portfolio: Portfolio, development: pd.DataFrame, fold: Fold, params: TrainParams) -> tuple[Sample, Sample]:
    """The rows that are boosted and those that stop it, levels encoded from the former alone, goods thinned as everywhere."""
    fitted = fitted_rows(development, params)
    boosts, stops = (development.iloc[rows[fitted[rows]]] for rows in fold)
    encoding = fit_encoding(portfolio, boosts, params.encoding)
    return sample(portfolio, encoding, boosts), sample(portfolio, encoding, stops)


def _calibrated(portfolio: Portfolio, kernels: Kernels, margins: dict[str, Array], outcomes: tuple[pd.Series, float],
                rule: CalibrationParams) -> Recipe:
    """outcomes: of the rows the margins are of, and what the portfolio's bad rate adds to their log-odds."""
    bad, shift = outcomes[0].to_numpy(dtype=np.float64), outcomes[1]
    table = log_odds_table(portfolio, kernels.encoding, kernels.scorecard).to_csv(index=False, lineterminator="\n")
    card, of_card = calibrate(rule.scorecard, margins["scorecard"], bad, rule)
    trees, of_trees = calibrate(rule.trees, margins["trees"], bad, rule)
    return Recipe(kernels.encoding, (
        Candidate("scorecard", kernels.scorecard, shifted(card, shift), ("scorecard.csv", table.encode())),
        Candidate("trees", kernels.trees.kernel, shifted(trees, shift), ("model.ubj", kernels.trees.native)),
    ), {name: tried for name, tried in (("scorecard", of_card), ("trees", of_trees)) if tried})


def risks_of(portfolio: Portfolio) -> tuple[int, ...]:
    """Per input the declared direction, as XGBoost's constraint."""
    return tuple(int(column.risk) for column in portfolio.inputs)
