"""In which order findings of a window are told: by their effect on expected loss, as its summary says.

Findings on groups of people come first, for they are no matter of loss; of a column that drifted and whose data are at fault the larger
effect counts. What has no effect that could be told stands last, in the order of the reports. Where there is no summary nothing is ranked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from monitoring.alerts.alert import Finding, Kind
from monitoring.alerts.beside import Value


class Concern(msgspec.Struct, frozen=True):
    """What is read of a finding of the summary."""

    kind: Kind
    subject: str
    effect: Value | None = None


class Summed(msgspec.Struct, frozen=True):
    """What is read of the summary."""

    concerns: tuple[Concern, ...] = ()


def ranked(findings: Iterable[Finding], summary: Path) -> list[Finding]:
    """Findings of one window and release, the dearest first."""
    costs = _costs(summary)
    return sorted(findings, key=lambda one: (one.kind is not Kind.FAIRNESS, -costs.get((one.kind, one.subject), 0.0)))


def _costs(summary: Path) -> dict[tuple[Kind, str], float]:
    try:
        concerns = msgspec.json.decode(summary.read_bytes(), type=Summed).concerns
    except (OSError, msgspec.MsgspecError):  # what is found is told all the same
        return {}
    found: dict[tuple[Kind, str], float] = {}
    for one in concerns:
        cost = abs(one.effect.value or 0.0) if one.effect else 0.0
        found[one.kind, one.subject] = max(found.get((one.kind, one.subject), 0.0), cost)
    return found
