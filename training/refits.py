"""Fitting a candidate again with a change: without inputs, with a stronger restraint, or as the other family. Judges nothing.

An input that is left out is missing in every row a tree is boosted on, so no split uses it, and has no weight on a card: the model still
takes every input of the contract, and what is served keeps its interface. Everything else is the recipe's: levels, bins, directions,
rounds as train found them, calibration on rows the model has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Encoding
from serving.scoring.kernel import Kernel
from serving.scoring.scorecard import Scorecard
from training.calibration import Tried, aligned, calibrate
from training.candidates import Candidate
from training.encoding import Sample, fit_encoding, model_rows, sample
from training.models import boost
from training.params import Method, TrainParams
from training.points import log_odds_table
from training.prior import shift_of, shifted
from training.recipe import fitted_rows, folds, risks_of
from training.scorecard import Binned, bin_input, pack, weigh

Array = np.ndarray[Any, Any]
Outcomes = tuple[Array, Array]
"""What happened, and margins or PDs of a model that did not see it."""


class Change(msgspec.Struct, frozen=True):
    """What is other than in the model train chose.

    without: inputs left out; lighter: of a card, inputs whose weight is halved; settings: of the family's section of params.yaml.
    """

    family: str
    without: tuple[str, ...] = ()
    lighter: tuple[str, ...] = ()
    settings: dict[str, float] = {}

    @property
    def name(self) -> str:
        """In words."""
        words = {"without ": self.without, "half the weight of ": self.lighter}
        dropped = [f"{word}{', '.join(names)}" for word, names in words.items() if names]
        return "; ".join([self.family, *dropped, *(f"{key} {value:g}" for key, value in self.settings.items())])


@dataclass(frozen=True)
class Ground:
    """What a model is fitted on; a card's bins are learnt once."""

    portfolio: Portfolio
    frame: pd.DataFrame
    params: TrainParams

    @cached_property
    def fitted(self) -> pd.DataFrame:
        """The rows that are fitted to; all rows calibrate."""
        return self.frame[fitted_rows(self.frame, self.params)]

    @cached_property
    def encoding(self) -> Encoding:
        return fit_encoding(self.portfolio, self.fitted, self.params.encoding)

    @cached_property
    def sample(self) -> Sample:
        return sample(self.portfolio, self.encoding, self.fitted)

    @cached_property
    def bins(self) -> list[Binned]:
        return [bin_input(values, self.sample.bad, 1 if column.is_level else int(column.risk), column.special, self.params.scorecard)
                for column, values in zip(self.portfolio.inputs, self.sample.rows.T, strict=True)]

    @cached_property
    def evidence(self) -> Array:
        return pack(self.bins, np.ones(len(self.bins)), 0.0).contributions(self.sample.rows)

    def fit(self, change: Change, rounds: int) -> tuple[Kernel, bytes]:
        """The kernel, and XGBoost's own file where there is one."""
        if change.family == "scorecard":
            return self._card(change), b""
        known = Sample(np.where(self._is_in(change.without), np.nan, self.sample.rows), self.sample.bad)
        settings = msgspec.structs.replace(self.params.trees, **change.settings)
        boosted = boost(known, rounds, risks_of(self.portfolio), settings, self.params.seed)
        return boosted.kernel, boosted.native

    @cached_property
    def weights(self) -> Array:
        """Of a card with all inputs, as params.yaml asks."""
        return weigh(self.evidence, self.sample.bad, self.params.scorecard.ridge)[0]

    def _card(self, change: Change) -> Scorecard:
        """The bins stay, the weights are found anew: none for what is left out, at most half of its own for what is made lighter."""
        ridge = msgspec.structs.replace(self.params.scorecard, **change.settings).ridge
        most = np.where(self._is_in(change.lighter), self.weights / 2, np.inf) if change.lighter else np.full(len(self.bins), np.inf)
        found = weigh(self.evidence, self.sample.bad, ridge, np.where(self._is_in(change.without), 0.0, most))
        return pack(self.bins, *found)

    def _is_in(self, names: tuple[str, ...]) -> Array:
        return np.array([column.name in names for column in self.portfolio.inputs])

    def rows(self, frame: pd.DataFrame) -> Array:
        return model_rows(self.portfolio, self.encoding, frame)


@dataclass(frozen=True)
class Bench:
    """Where candidates are fitted again. apart: per fold what fits and the rows it is judged on; one where there is a calibration part.

    earlier: folds of development that join a calibration part of few bads, as in the recipe.
    """

    whole: Ground
    apart: tuple[tuple[Ground, pd.DataFrame], ...]
    rounds: int
    earlier: tuple[tuple[Ground, pd.DataFrame], ...] = ()

    def fit(self, change: Change) -> Refit:
        """Fit with a change, on all of development, and calibrate on margins of rows that were not seen."""
        kernel, native = self.whole.fit(change, self.rounds)
        found, earlier = (tuple(self._judged(change, kernel, *fold) for fold in parted) for parted in (self.apart, self.earlier))
        calibrating = _with(_joined(earlier, self.earlier) if earlier else None, _joined(found, self.apart))
        candidate, tried = self._candidate(change, kernel, native, calibrating)
        return Refit(change, candidate, self.whole.encoding, found, tried)

    def _judged(self, change: Change, kernel: Kernel, ground: Ground, kept: pd.DataFrame) -> Outcomes:
        judge = kernel if ground is self.whole else ground.fit(change, self.rounds)[0]
        return kept[BAD].to_numpy(dtype=np.float64), judge.margins(ground.rows(kept))

    @property
    def shift(self) -> float:
        """What the portfolio's bad rate adds to the log-odds of these outcomes."""
        apart = [kept[BAD] for ground, kept in self.apart if ground is self.whole]
        return shift_of(self.whole.portfolio, np.concatenate([self.whole.frame[BAD], *apart]))

    def _candidate(self, change: Change, kernel: Kernel, native: bytes, found: Outcomes) -> tuple[Candidate, dict[Method, Tried]]:
        ground, rule = self.whole, self.whole.params.calibration
        bad, margins = found
        fitted, tried = calibrate(getattr(rule, change.family), margins, bad, rule)
        calibrator = shifted(fitted, self.shift)
        if isinstance(kernel, Scorecard):
            table = log_odds_table(ground.portfolio, ground.encoding, kernel).to_csv(index=False, lineterminator="\n")
            native, file = table.encode(), "scorecard.csv"
        else:
            file = "model.ubj"
        return Candidate(change.family, kernel, calibrator, (file, native)), tried


@dataclass(frozen=True)
class Refit:
    """A candidate fitted with a change; per fold what happened and its margins, of rows not seen; how each calibration did, if tried."""

    change: Change
    candidate: Candidate
    encoding: Encoding
    apart: tuple[Outcomes, ...]
    tried: dict[Method, Tried]

    @property
    def judged(self) -> Outcomes:
        """All folds, as PDs."""
        bad, margins = map(np.concatenate, zip(*self.apart, strict=True))
        return bad, self.candidate.calibrator.pd(margins)


def bench(portfolio: Portfolio, development: pd.DataFrame, calibration: pd.DataFrame, params: TrainParams, rounds: int) -> Bench:
    """calibration: empty where development is too small for one; then it is judged by folds of itself, by applicant."""
    whole, rule = Ground(portfolio, development, params), params.calibration

    def parted(count: int) -> tuple[tuple[Ground, pd.DataFrame], ...]:
        return tuple((Ground(portfolio, development.iloc[fits], params), development.iloc[kept])
                     for fits, kept in folds(development, count, params.seed))

    if calibration.empty:
        return Bench(whole, parted(params.cross_validation.folds), rounds)
    joins = rule.joins(len(development), int(calibration[BAD].sum()))
    return Bench(whole, ((whole, calibration),), rounds, parted(rule.join_folds) if joins else ())


def _with(earlier: Outcomes | None, found: Outcomes) -> Outcomes:
    """What calibrates: the judged rows, and earlier ones brought to their level."""
    if earlier is None:
        return found
    (before, theirs), (bad, margins) = earlier, found
    return np.concatenate([before, bad]), np.concatenate([aligned((theirs, before), (margins, bad)), margins])


def _joined(found: tuple[Outcomes, ...], parted: tuple[tuple[Ground, pd.DataFrame], ...]) -> Outcomes:
    """All folds in the frame's own order, by which a calibrator's folds are drawn."""
    bad, margins = map(np.concatenate, zip(*found, strict=True))
    order = np.argsort(np.concatenate([kept.index for _, kept in parted]), kind="stable")
    return bad[order], margins[order]
