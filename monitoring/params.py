"""What params.yaml may say of the monitoring stages: one frozen type per section, no default in code."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from governance.limits import Ceiling

Count = Annotated[int, msgspec.Meta(ge=1)]
Confidence = Annotated[float, msgspec.Meta(ge=0.5, lt=1)]
Alpha = Annotated[float, msgspec.Meta(gt=0, le=0.5)]


class BaselineParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """rows_at_once: applications scored and written together; bounds memory, changes no figure."""

    rows_at_once: Count


class QualityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Faults of data.

    share: by how much the share of missing values, or of a code, is another; new: share of levels that development never had; unusual:
    share outside the contract's usual range.
    """

    share: Ceiling
    new: Ceiling
    unusual: Ceiling


class AttributionParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """shift: by how much the mean contribution of an input to the log-odds of bad is another; sample: decisions of a month, at most."""

    shift: Ceiling
    sample: Count


class DriftParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Verdicts on columns.

    minimum: decisions below which no verdict is given; psi: population stability index; false_alarms: share of windows without any drift
    in which chance alone may give some column more than ok; confidence: of a PSI's interval; quality: faults of data; attribution: inputs
    that moved the log-odds.
    """

    minimum: Count
    psi: Ceiling
    false_alarms: Alpha
    confidence: Confidence
    quality: QualityParams
    attribution: AttributionParams


class EstimateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told from PDs before outcomes are known.

    draws: how often outcomes are drawn for the KS distance, by `seed`; steps: parts of the PDs that are told apart for who gets an outcome.
    """

    draws: Annotated[int, msgspec.Meta(ge=100)]
    seed: int
    steps: Count


class PerformanceParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Verdicts on matured outcomes.

    minimum: matured outcomes, minimum_bad: of them bad, below which no verdict is given; confidence: of every interval;
    gini_loss: share of the development Gini that is lost; excess_bad: by what share bad outcomes exceed what the PDs say; as
    many fewer as its watch are watched too, never more; estimate: of what is told before outcomes are known.
    """

    minimum: Count
    minimum_bad: Count
    confidence: Confidence
    gini_loss: Ceiling
    excess_bad: Ceiling
    estimate: EstimateParams


class FairnessParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who judges groups, and what is shown of them. Limits, minimum samples and confidences of verdicts are the packs'.

    packs: governance/packs; as_of: the day whose versions hold, null for that of the newest decision; least: decisions of a group, or
    outcomes of it, below which nothing of it is shown; confidence: of the intervals of rates, which no pack judges.
    """

    packs: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    as_of: date | None
    least: Annotated[int, msgspec.Meta(ge=10)]
    confidence: Confidence


class SegmentParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """minimum: decisions, or matured outcomes, a segment needs for a figure; confidence: of every interval."""

    minimum: Count
    confidence: Confidence


class OverrideParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """minimum: decisions, or matured outcomes, a share needs; confidence: of every interval."""

    minimum: Count
    confidence: Confidence


class ParityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which decisions are held against the join: `sample` of those of the last `days`, drawn by `seed`; confidence: of every interval."""

    days: Count
    sample: Count
    seed: int
    confidence: Confidence


class SummaryParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """confidence: of an effect on expected loss; most: findings a page of the summary shows, of either list."""

    confidence: Confidence
    most: Count


class LossParams(msgspec.Struct, frozen=True):
    """What expected loss is made with. given_default: the share of a bad loan's amount that is lost."""

    given_default: float
    confidence: Confidence


class BadLoan(msgspec.Struct, frozen=True):
    """What is read of the policy's profit: what a bad loan brings, as a share of its amount; it is below 0."""

    of_bad: Annotated[float, msgspec.Meta(lt=0)]


class Lending(msgspec.Struct, frozen=True):
    """What is read of the policy."""

    profit: BadLoan


class Evaluated(msgspec.Struct, frozen=True):
    """What is read of the section evaluate: what a bad loan costs has one home, `evaluate.policy.profit.of_bad`."""

    policy: Lending
