"""Findings of a window beside its columns and outcomes: inputs that moved the log-odds, the early sign, values that were others online.

Each with its owner and how sure it is, and with its effect on expected loss where one can be told. Of an input that is the effect of its
mix; of the early sign, what is lost beyond the expected if loans without outcomes go bad as it tells. Other values online have none: what
would have been decided on the right ones is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from monitoring import loss, window
from monitoring.alerts.alert import Kind
from monitoring.alerts.beside import UNKNOWN_YET, Apart, Attribution, Sign, Signs
from monitoring.alerts.found import FLAGGED
from monitoring.concerns import WHOLE, Concern, Scope, share
from monitoring.intervals import Estimate
from serving.scoring.kernel import Array

MOVED, SIGN, SKEW = "moved the score", "early sign above PDs", "other values online"


def moved(inputs: Iterable[Attribution], scope: Scope) -> Iterator[Concern]:
    """Inputs that moved the mean log-odds of bad."""
    for one in inputs:
        if one.verdict in FLAGGED:
            when, effect, of_loss = scope.of_mix(one.column, one.flagged, [month.month for month in one.months])
            yield scope.owned(Concern(Kind.ATTRIBUTION, one.column, MOVED, one.verdict, when, one.sure, effect, of_loss))


def early(signs: Signs | None, scope: Scope) -> Iterator[Concern]:
    """Loans without outcomes that an early sign tells worse of than their PDs do."""
    for one in signs.flagged if signs else ():
        young = one.month not in scope.months
        lost = scope.losses[_without_outcomes(scope) if young else scope.months == one.month]
        effect = _effect(one, lost)
        of_loss = share(effect, lost) if effect else None
        yield scope.owned(Concern(Kind.EARLY, UNKNOWN_YET, SIGN, one.verdict, WHOLE if young else one.month, one.sure, effect, of_loss))


def apart(columns: Iterable[Apart], scope: Scope) -> Iterator[Concern]:
    """Stored columns that had other values online than training would be told."""
    for one in columns:
        if one.verdict in FLAGGED:
            yield scope.owned(Concern(Kind.PARITY, one.column, SKEW, one.verdict, WHOLE, one.sure))


def _without_outcomes(scope: Scope) -> Array:
    return np.asarray(~window.old_enough(scope.frame, scope.portfolio, scope.portfolio.outcome.matures_after))


def _effect(one: Sign, lost: Array) -> Estimate | None:
    told = one.projected
    if told is None or told.value is None or not one.mean_pd:
        return None
    return loss.of_miss(float(lost.sum()), Estimate(told.value, told.low, told.high), one.mean_pd)
