"""Alerts as metrics in a file, for the node exporter's textfile collector: what stands now, silenced or not, and what is owed.

Written as a whole after each run, so that its age says when monitoring last ran. Labels are portfolios, columns and groups of contracts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from feature_repo.errors import MachineError
from monitoring.alerts.rules import Raised

FILE = "alerts.prom"
LABELS = ("portfolio", "window", "kind", "subject", "verdict", "severity", "owner", "silenced")


def write(folder: Path, portfolio: str, standing: Sequence[Raised], owed: Mapping[str, int]) -> Path:
    """Write `alerts.prom` into a folder. owed: alerts that each exit has not delivered. Raises MachineError."""
    registry = CollectorRegistry()
    alerts = Gauge("tally_monitoring_alert", "A finding that somebody owns (1), by whom", LABELS, registry=registry)
    deadline = Gauge("tally_monitoring_alert_deadline_seconds", "When an owner's nearest deadline is over, seconds since 1970",
                     ["portfolio", "owner"], registry=registry)
    undelivered = Gauge("tally_monitoring_alerts_undelivered", "Alerts an exit has not delivered yet", ["portfolio", "exit"],
                        registry=registry)
    Gauge("tally_monitoring_last_run_seconds", "When alerts were last judged, seconds since 1970", ["portfolio"],
          registry=registry).labels(portfolio).set_to_current_time()
    for one in standing:
        alert = one.alert
        alerts.labels(alert.portfolio, alert.window, alert.kind, alert.subject, alert.verdict, alert.severity, alert.owner,
                      str(one.silence is not None).lower()).set(1)
    for owner, over in _deadlines(standing).items():
        deadline.labels(portfolio, owner).set(over)
    for name, count in owed.items():
        undelivered.labels(portfolio, name).set(count)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_to_textfile(str(folder / FILE), registry)
    except OSError as error:
        raise MachineError(f"{FILE} cannot be written ({type(error).__name__}); see disk and rights") from None
    return folder / FILE


def _deadlines(standing: Sequence[Raised]) -> dict[str, float]:
    """The moment, by owner, at which the first day is over by which something is to be done."""
    found: dict[str, float] = {}
    for one in standing:
        if one.silence is None:
            over = one.alert.over.timestamp()
            found[one.alert.owner] = min(over, found.get(one.alert.owner, over))
    return found
