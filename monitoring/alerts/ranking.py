"""In which order findings of a window are told: as its summary has them, by their effect on expected loss.

Findings on groups of people come first, for they are no matter of loss; then what has no effect that could be told, for it is not known to
be cheap. Of a column that drifted and whose data are at fault the larger effect counts, of a report as a whole the largest of its findings.
Where there is no summary no effect is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import msgspec

from governance.limits import ORDER
from monitoring.alerts.alert import Finding, Kind
from monitoring.alerts.beside import Value
from monitoring.alerts.found import WHOLE


class Concern(msgspec.Struct, frozen=True):
    """What is read of a finding of the summary."""

    kind: Kind
    subject: str
    effect: Value | None = None

    @property
    def cost(self) -> float:
        return math.inf if self.effect is None or self.effect.value is None else abs(self.effect.value)


class Summed(msgspec.Struct, frozen=True):
    """What is read of the summary."""

    concerns: tuple[Concern, ...] = ()


def ranked(findings: Iterable[Finding], summary: Path) -> list[Finding]:
    """Findings of one window and release, the dearest first, of equal ones the worst."""
    costs = _costs(summary)
    return sorted(findings, key=lambda one: (one.kind is not Kind.FAIRNESS, -costs.get((one.kind, one.subject), math.inf),
                                             -ORDER.index(one.verdict)))


def _costs(summary: Path) -> dict[tuple[Kind, str], float]:
    try:
        concerns = msgspec.json.decode(summary.read_bytes(), type=Summed).concerns
    except (OSError, msgspec.MsgspecError):  # what is found is told all the same
        return {}
    found: dict[tuple[Kind, str], float] = {}
    for one in concerns:
        for subject in (one.subject, WHOLE):
            found[one.kind, subject] = max(found.get((one.kind, subject), 0.0), one.cost)
    return found
