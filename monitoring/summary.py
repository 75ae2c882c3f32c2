"""What a risk committee is told of a window: every finding of its reports, the dearest first.

Responsible for the order: by the effect on expected loss. Findings on groups of people have a list of their own, for they are no matter of
loss. Measures nothing that a report measured. A report that could not judge is named as such and never left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from feature_repo.errors import DataError
from governance.limits import ORDER, Verdict
from monitoring import concerns, loss, signals
from monitoring.alerts.beside import Apart, Attribution, Signs
from monitoring.alerts.found import Attribute
from monitoring.concerns import Concern, Scope
from monitoring.drift import Column
from monitoring.loss import Lent
from monitoring.overrides import Overrides
from monitoring.performance import Performance

DECISIONS, PARITY = "decisions.json", "parity.json"


class Drifted(msgspec.Struct, frozen=True):
    """What is read of the drift report."""

    verdict: Verdict = Verdict.INSUFFICIENT
    found: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    attribution: tuple[Attribution, ...] = ()


class Performed(msgspec.Struct, frozen=True):
    """What is read of the performance report."""

    verdict: Verdict = Verdict.INSUFFICIENT
    found: tuple[str, ...] = ()
    performance: Performance | None = None
    early: Signs | None = None


class Fared(msgspec.Struct, frozen=True):
    """What is read of the fairness report."""

    verdict: Verdict = Verdict.INSUFFICIENT
    found: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()


class Decided(msgspec.Struct, frozen=True):
    """What is read of the report on decisions, which windows of the record alone have."""

    found: tuple[str, ...] = ()
    overrides: Overrides | None = None


class Compared(msgspec.Struct, frozen=True):
    """What is read of the report on parity, which windows of the record alone have."""

    verdict: Verdict = Verdict.INSUFFICIENT
    found: tuple[str, ...] = ()
    parity: tuple[Apart, ...] = ()


Report = TypeVar("Report", Drifted, Performed, Fared, Decided, Compared)


class Reports(msgspec.Struct, frozen=True):
    """The reports on one window."""

    drift: Drifted
    performance: Performed
    fairness: Fared
    decisions: Decided
    parity: Compared | None = None

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What each comes to, in the order in which they are told."""
        there = {"drift": self.drift, "performance": self.performance, "fairness": self.fairness, "parity": self.parity}
        return {name: one.verdict for name, one in there.items() if one}


class Summary(msgspec.Struct, frozen=True):
    """concerns: the dearest first; groups: of people, the worst first."""

    lent: Lent
    verdicts: dict[str, Verdict]
    concerns: tuple[Concern, ...]
    groups: tuple[Concern, ...]


def read(drift: Path, performance: Path, fairness: Path) -> Reports:
    """The reports; of a window of the record, which has one on decisions beside, that and the one on parity.

    Raises DataError for one that is missing or cannot be read.
    """
    decided, parity = drift.with_name(DECISIONS), drift.with_name(PARITY)
    of_record = decided.is_file()
    return Reports(_read(drift, Drifted), _read(performance, Performed), _read(fairness, Fared),
                   _read(decided, Decided) if of_record else Decided(), _read(parity, Compared) if of_record else None)


def assess(reports: Reports, scope: Scope) -> Summary:
    """Everything that is not ok, with its cost and its owner."""
    measured = reports.performance.performance
    found = [*concerns.drifted(reports.drift.columns, scope), *(concerns.performed(measured, scope) if measured else ()),
             *signals.moved(reports.drift.attribution, scope), *signals.early(reports.performance.early, scope),
             *signals.apart(reports.parity.parity if reports.parity else (), scope)]
    groups = concerns.of_groups(reports.fairness.attributes, reports.fairness.found, scope)
    return Summary(loss.lent(scope.frame, scope.portfolio, scope.params.given_default), reports.verdicts,
                   tuple(sorted(found, key=_dearest)), tuple(sorted(groups, key=lambda one: -ORDER.index(one.verdict))))


def _dearest(concern: Concern) -> tuple[float, int]:
    """What has no effect that could be told comes first: it is not known to be cheap."""
    cost = abs(concern.effect.value) if concern.effect else float("inf")
    return -cost, -ORDER.index(concern.verdict)


def _read(path: Path, kind: type[Report]) -> Report:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path.name} cannot be read as a report ({type(error).__name__}); run the stage {path.stem} again") from None
