"""What params.yaml may say of the monitoring stages: one frozen type per section, no default in code."""

from __future__ import annotations

import msgspec

from monitoring.alerts import Limits


class BaselineParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """rows_at_once: applications scored and written together; bounds memory, changes no figure."""

    rows_at_once: int


class DriftParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """minimum: decisions below which no verdict is given; psi: population stability index."""

    minimum: int
    psi: Limits


class PerformanceParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Verdicts on matured outcomes.

    minimum: matured outcomes, minimum_bad: of them bad, below which no verdict is given; confidence: of every interval;
    gini_loss: share of the development Gini that is lost; excess_bad: by what share bad outcomes exceed what the PDs say.
    """

    minimum: int
    minimum_bad: int
    confidence: float
    gini_loss: Limits
    excess_bad: Limits


class FairnessParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Verdicts on groups.

    minimum: decisions (or matured good payers) a group needs for a verdict; confidence: of every interval; adverse_impact: ratio of
    approval rates to the reference group's; equal_opportunity: by how much fewer good payers are approved than in the reference group.
    """

    minimum: int
    confidence: float
    adverse_impact: Limits
    equal_opportunity: Limits
