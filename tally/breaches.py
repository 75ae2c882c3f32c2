"""Breaches of monitoring in the record: an event for every report in alert, said once, and what verdict.json says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from governance import actions, events
from governance.limits import Verdict
from governance.observations import MonitoringBreached
from monitoring.alerts.alert import REPORTED
from monitoring.prepared import releases
from monitoring.retraining import Breach
from tally.alerting import VERDICT, Made, Window, judged
from tally.issuing import SELF
from tally.moment import Run
from training import recorded


def note(run: Run) -> None:
    """Record every report that is in alert and was not before."""
    for window in judged(run.folder.parent / VERDICT).windows:
        for made, breach in _flagged(window):
            if run.book.find("id", breach.entry) is None:
                recorded.once(run.book, events.entry(_event(run, window, made), breach.unique))


def told(verdict: Path, newest: int) -> tuple[Breach, ...]:
    """The breaches in the newest windows of a verdict.json."""
    return tuple(breach for window in judged(verdict).windows[-newest:] for _, breach in _flagged(window))


def _flagged(window: Window) -> Iterator[tuple[Made, Breach]]:
    flagged: Sequence[Made] = [one for one in window.reports if one.report in REPORTED and one.verdict is Verdict.ALERT and one.release_id]
    return ((one, Breach(window.window, one.release_id, one.report)) for one in flagged)


def _event(run: Run, window: Window, made: Made) -> MonitoringBreached:
    deciding = releases(run.windows.path(window.since)) if window.since else []
    whole = next((one for one in deciding if one.startswith(made.release_id)), made.release_id)
    return MonitoringBreached(by=SELF, at=actions.now(), window=window.window, release_id=whole, report=made.report, digest=made.digest)
