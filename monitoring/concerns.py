"""Findings of a window's reports, each with how sure it is and what it costs in expected loss.

Responsible for leaving out nothing that a report flags, and for whose it is (`alerts` in params.yaml). Measures the effect on expected loss
(`monitoring.loss`) and nothing else; a ranking that got worse and a group's ratio have none that could be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
import pandas as pd

from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, spans
from monitoring import drift, loss, window
from monitoring.alerts.alert import Kind
from monitoring.alerts.found import FLAGGED, Attribute, sentence
from monitoring.alerts.params import AlertRule
from monitoring.alerts.rules import fitting
from monitoring.drift import Cell, Column
from monitoring.intervals import Estimate
from monitoring.params import LossParams
from monitoring.performance import Band, Performance, Period, Segment, too_high
from monitoring.segments import NOT_STATED
from serving.scoring.bins import Bins
from serving.scoring.kernel import Array

WHOLE, BAND, SEGMENT = "whole window", "band ", "segment "
SHIFT, FAULT, RANKING, LOW, HIGH, GROUP = "shift", "fault of data", "ranking", "PDs too low", "PDs too high", "group"
RARE = 1e-4  # p-values below are told as this


class Concern(msgspec.Struct, frozen=True):
    """A finding that is not ok. subject: a column, a band, a segment or a group; part: what of it is meant.

    effect: on the expected loss of the decisions of `months`, of_loss: as a share of it; null where it has none that could be told.
    days: how long its owner has; no owner where no rule of params.yaml fits.
    """

    kind: Kind
    subject: str
    part: str
    verdict: Verdict
    months: str
    sure: str
    effect: Estimate | None = None
    of_loss: float | None = None
    owner: str = ""
    days: int | None = None


@dataclass(frozen=True)
class Scope:
    """What effects are measured on: the decisions, read with `loss.columns` and every column that has bins."""

    frame: pd.DataFrame
    portfolio: Portfolio
    bins: Mapping[str, Bins]
    params: LossParams
    rules: tuple[AlertRule, ...]

    @cached_property
    def losses(self) -> Array:
        return loss.losses(self.frame, self.portfolio, self.params.given_default)

    @cached_property
    def months(self) -> Array:
        return window.months(self.frame, self.portfolio)

    def of_mix(self, column: str, flagged: Sequence[str], every: Sequence[str]) -> tuple[str, Estimate, float | None]:
        """The effect of a column's mix in the months that are flagged, all where none is: of which, the effect, its share of their loss."""
        here = np.isin(self.months, flagged) if flagged else np.ones(len(self.months), dtype=bool)
        when = spans(flagged, every) if flagged and tuple(flagged) != (window.ALL,) else WHOLE
        lost, bins = self.losses[here], self.bins[column]
        effect = loss.of_shift(lost, bins.places(self.frame.loc[here, column]), bins, self.params.confidence)
        return when, effect, share(effect, lost)

    def owned(self, concern: Concern) -> Concern:
        """With its owner and how long they have."""
        rule = fitting(concern.kind, concern.verdict, self.rules)
        return msgspec.structs.replace(concern, owner=rule.owner, days=rule.days) if rule else concern


def drifted(columns: Iterable[Column], scope: Scope) -> Iterator[Concern]:
    """Columns whose mix changed, and columns whose data are at fault."""
    for column in columns:
        shifted = column.flagged(Verdict.ALERT) or column.flagged(Verdict.WATCH)
        for part, verdict, flagged, sure in ((SHIFT, column.verdict, shifted, _psi(column)),
                                             (FAULT, column.quality, _faulty(column), _fault(column))):
            if verdict in FLAGGED:
                when, effect, of_loss = scope.of_mix(column.column, flagged, [cell.month for cell in column.months])
                yield scope.owned(Concern(Kind.DRIFT, column.column, part, verdict, when, sure, effect, of_loss))


def performed(measured: Performance, scope: Scope) -> Iterator[Concern]:
    """A ranking that got worse, or is worse in a segment than its PDs foresee; PDs that are off: all, of each band, of each segment."""
    total, lost = measured.total, scope.losses
    if total.gini_verdict in FLAGGED and total.gini:
        before = measured.reference.gini
        sure = f"Gini {_between(total.gini)}; {_between(before)} in {measured.reference.of}"
        yield scope.owned(Concern(Kind.PERFORMANCE, "the model", RANKING, total.gini_verdict, WHOLE, sure))
    for each in measured.segments:
        if each.gini_verdict in FLAGGED and each.gini and each.foreseen:
            sure = f"Gini {_between(each.gini)}; its PDs foresee {_between(each.foreseen)}"
            yield scope.owned(Concern(Kind.PERFORMANCE, f"{SEGMENT}{each.name}", RANKING, each.gini_verdict, WHOLE, sure))
    parts: list[tuple[str, Period | Band | Segment, Array]] = [("all bands", total, np.ones(len(lost), dtype=bool))]
    parts += [(f"{BAND}{band.band}", band, (scope.frame["band"] == band.band).to_numpy()) for band in measured.bands]
    parts += [(f"{SEGMENT}{each.name}", each, (scope.frame[each.column].fillna(NOT_STATED) == each.value).to_numpy())
              for each in measured.segments]
    for subject, found, here in parts:
        if found.calibration_verdict in FLAGGED and found.observed and found.mean_pd:
            yield scope.owned(_missed(subject, found, loss.of_miss(float(lost[here].sum()), found.observed, found.mean_pd), lost[here]))


def of_groups(attributes: Iterable[Attribute], found: tuple[str, ...], scope: Scope) -> Iterator[Concern]:
    """Groups of people that fared otherwise than their reference group. found: the sentences of the report."""
    for group in (group for attribute in attributes for group in attribute.groups):
        subject, verdict, _ = group.told
        if verdict in FLAGGED:
            told = sentence(found, subject).removeprefix(f"{subject}, ")
            yield scope.owned(Concern(Kind.FAIRNESS, subject, GROUP, verdict, WHOLE, told))


def _psi(column: Column) -> str:
    cell = drift.peak(column)
    chance = f"below {RARE:.2%}" if cell.p_value < RARE else f"{cell.p_value:.2%}"
    return f"PSI {cell.psi:.2f} ({cell.interval.low:.2f} to {cell.interval.high:.2f}) in {cell.month}; by chance: {chance}"


def _faulty(column: Column) -> tuple[str, ...]:
    return tuple(cell.month for cell in column.months if cell.quality in FLAGGED)


def _fault(column: Column) -> str:
    cells: tuple[Cell, ...] = tuple(cell for cell in column.months if cell.faults) or (column.total,)
    told = {fault.kind.value: f"{fault.kind.value}: {fault.share:.1%}, {fault.development or 0:.1%} in development"
            for cell in cells for fault in sorted(cell.faults, key=lambda fault: fault.share)}
    return "; ".join(told.values())


def _missed(subject: str, found: Period | Band | Segment, effect: Estimate, lost: Array) -> Concern:
    observed = "" if found.observed is None else f"{found.observed.value:.1%} went bad"
    sure = f"{observed}, PDs said {found.mean_pd:.1%}; {found.matured:,} outcomes"
    return Concern(Kind.PERFORMANCE, subject, HIGH if too_high(found) else LOW, found.calibration_verdict, WHOLE, sure, effect,
                   share(effect, lost))


def _between(found: Estimate) -> str:
    bounds = "" if found.low is None or found.high is None else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{bounds}"


def share(effect: Estimate, lost: Array) -> float | None:
    """An effect as a share of a loss."""
    total = float(lost.sum())
    return effect.value / total if total else None
