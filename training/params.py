"""The sections of params.yaml that make and judge a model, as frozen values. No default lives here: params.yaml is the one home."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from serving.scoring.parts import Band
from serving.scoring.reasons import Against

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Method = Literal["platt", "isotonic", "beta"]
Candidate = Literal["scorecard", "trees"]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section, or a part of one: an unknown key is an error."""


class SplitParams(Strict, frozen=True):
    """Section split. A calibration part of fewer outcomes than calibration_rows, or calibration_bad of a kind, is not taken.

    develop_until: the last day of a dated portfolio's development; None: the contract's.
    """

    develop_until: date | None
    seed: int
    calibration_share: Share
    calibration_rows: Count
    calibration_bad: Count
    test_share: Share


class EncodingParams(Strict, frozen=True):
    """Section train, key encoding."""

    smoothing: Annotated[float, msgspec.Meta(gt=0)]
    rare: Count
    most_levels: Count


class ScorecardParams(Strict, frozen=True):
    """Section train, key scorecard."""

    most_bins: Annotated[int, msgspec.Meta(ge=2)]
    smallest_bin: Annotated[float, msgspec.Meta(gt=0, lt=0.5)]
    smoothing: Annotated[float, msgspec.Meta(gt=0)]
    ridge: Annotated[float, msgspec.Meta(ge=0)]


class TreesParams(Strict, frozen=True):
    """Section train, key trees. Depth is at most 6, what exact contributions are kept for (serving.scoring.trees)."""

    rounds: Count
    patience: Count
    early_share: Share
    depth: Annotated[int, msgspec.Meta(ge=1, le=6)]
    rate: Annotated[float, msgspec.Meta(gt=0, le=1)]
    smallest_leaf: Annotated[float, msgspec.Meta(ge=0)]
    rows: Annotated[float, msgspec.Meta(gt=0, le=1)]
    columns: Annotated[float, msgspec.Meta(gt=0, le=1)]
    ridge: Annotated[float, msgspec.Meta(ge=0)]
    threads: Count


class CalibrationParams(Strict, frozen=True):
    """Section train, key calibration: a method per candidate, the fewest outcomes isotonic is fitted to, and its quantile bins.

    choose: the first of `choose_from` whose loss, over folds of the outcomes that calibrate, is within a standard error of the least.
    """

    scorecard: Literal["platt"]  # its slope and intercept become part of the points
    trees: Method | Literal["choose"]
    choose_from: Annotated[tuple[Method, ...], msgspec.Meta(min_length=1)]
    choose_by: Literal["log_loss", "brier"]
    choose_folds: Annotated[int, msgspec.Meta(ge=2)]
    isotonic_from: Count
    knots: Annotated[int, msgspec.Meta(ge=2)]
    alone_from: Count
    join_from: Count
    join_folds: Annotated[int, msgspec.Meta(ge=2)]

    def joins(self, development: int, bads: int) -> bool:
        """Whether so many outcomes of development help the calibration part's `bads`: few there, and folds of many are like the whole."""
        return bads < self.alone_from and development >= self.join_from


class CrossValidationParams(Strict, frozen=True):
    """Section train, key cross_validation: what takes the place of a calibration part where there is none."""

    folds: Annotated[int, msgspec.Meta(ge=3)]
    repeats: Count


class ChoiceParams(Strict, frozen=True):
    """Section train, key choice: the preferred candidate stays unless the other is better by this much.

    Where there is no calibration part, that part is the cross-validation.
    """

    measure: Literal["auc", "gini", "ks", "brier", "log_loss"]
    part: Literal["development", "calibration"]
    prefer: Candidate
    unless_better_by: Annotated[float, msgspec.Meta(ge=0)]


class TrainParams(Strict, frozen=True):
    """Section train. keep_goods: share of development's goods that the models are fitted to; every row that calibrates does."""

    seed: int
    fewest_rows: Count
    fewest_bad: Count
    keep_goods: Annotated[float, msgspec.Meta(gt=0, le=1)]
    encoding: EncodingParams
    scorecard: ScorecardParams
    trees: TreesParams
    calibration: CalibrationParams
    cross_validation: CrossValidationParams
    choice: ChoiceParams


class ProfitParams(Strict, frozen=True):
    """What a good brings and a bad costs: shares of the amount that the contract names, of 1 a loan where it names none."""

    of_good: Annotated[float, msgspec.Meta(gt=0)]
    of_bad: Annotated[float, msgspec.Meta(lt=0)]

    @property
    def break_even(self) -> float:
        """The PD from which a loan is expected to lose, whatever its amount."""
        return self.of_good / (self.of_good - self.of_bad)

    def expected(self, pd: Any) -> Any:
        """Profit of a loan per unit of its amount."""
        return (1 - pd) * self.of_good + pd * self.of_bad


class PolicyParams(Strict, frozen=True):
    """Section evaluate, key policy. approve_by: which of approve_share, approved_bad_rate and profit sets the approve cut-off."""

    approve_by: Literal["share", "bad_rate", "profit"]
    approve_share: Share
    approved_bad_rate: Share
    profit: ProfitParams
    refer_share: Annotated[float, msgspec.Meta(ge=0, lt=1)]
    bands: tuple[Band, ...]
    base_score: float
    base_odds: Annotated[float, msgspec.Meta(gt=0)]
    pdo: Annotated[float, msgspec.Meta(gt=0)]


class EvaluateParams(Strict, frozen=True):
    """Section evaluate."""

    policy: PolicyParams
    baseline_share: Share
    reasons_against: Against
    bins: Annotated[int, msgspec.Meta(ge=2)]
    golden: Annotated[int, msgspec.Meta(ge=3)]
