"""A run: raise what was found, send what is owed, say what became of it.

Responsible for the order: first everything is owed on disk, then each exit is tried, by itself: one that fails keeps its alerts for the
next run and holds up no other. Sends nothing twice, and nothing that is silenced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
from msgspec import structs

from feature_repo.errors import ServiceError
from monitoring.alerts import textfile
from monitoring.alerts.alert import Alert, Finding
from monitoring.alerts.exits import Exit
from monitoring.alerts.failures import UnreachableError
from monitoring.alerts.journal import Journal, journal
from monitoring.alerts.params import AlertsParams
from monitoring.alerts.rules import Raised, raised, silence

Breach = tuple[str, ...]


class Sent(msgspec.Struct, frozen=True):
    """What one exit did. failed: why not all was delivered; owed: alerts that wait for the next run."""

    exit: str
    delivered: int
    owed: int
    failed: str = ""


class Delivered(msgspec.Struct, frozen=True):
    """What became of a run. untold: alerts that no exit takes; overdue: those whose deadline is over."""

    raised: tuple[Raised, ...]
    sent: tuple[Sent, ...]
    untold: tuple[Alert, ...]
    overdue: tuple[Alert, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What a person is told of it, a line each."""
        loud = len({_breach(one.alert) for one in self.raised if one.silence is None})
        quiet = len({_breach(one.alert) for one in self.raised}) - loud
        return [f"alerts that stand: {loud}" + (f"; silenced: {quiet}" if quiet else ""),
                *(f"- {one.alert.kind} of {one.alert.subject} until {one.silence.until}, by {one.silence.person}: {one.silence.reason}"
                  for one in self.raised if one.silence is not None),
                *(f"- {one.kind} of {one.subject}: no exit is set for its owner {one.owner}" for one in self.untold),
                *(f"- {one.kind} of {one.subject}: due from {one.owner} by {one.deadline}, which is over" for one in self.overdue),
                *(_said(one) for one in self.sent)]


@dataclass(frozen=True)
class Desk:
    """Where a portfolio's alerts go out. state: its folder of running services, where the journal is; reports: where its reports are."""

    portfolio: str
    params: AlertsParams
    ways: Sequence[Exit]
    state: Path
    reports: Path

    def deliver(self, findings: Iterable[Finding], window: str, today: date, beside: Sequence[Finding] = ()) -> Delivered:
        """Raise what was found, send what is owed, and write what stands in `alerts.prom`. Raises MachineError.

        window: the newest; findings of others are those of an outage that is caught up with. beside: found in no window of the record.
        """
        found = raised([*findings, *beside], self.params, today)
        newest = _newest(one.alert for one in found)
        with journal(self.state) as book:
            firsts = self._owed(book, [one.alert for one in found if one.silence is None], newest)
            found = tuple(Raised(_due(one.alert, book, newest), one.silence) for one in found)
            sent = tuple(_send(way, book, self._heard(book.owed(way.name), today)) for way in self.ways)
            standing = [one for one in found if one.alert.window in {window, *(finding.window for finding in beside)}]
            textfile.write(self.reports, self.portfolio, standing, {one.exit: one.owed for one in sent})
        overdue = tuple(one.alert for one in standing if one.silence is None and one.alert.deadline < today)
        return Delivered(found, sent, tuple(alert for alert in firsts if not self._names(alert)), overdue)

    def _owed(self, book: Journal, loud: Iterable[Alert], newest: Mapping[Breach, str]) -> list[Alert]:
        """Owe every breach once, by the alert that raised it first, whichever window that was of; those alerts."""
        firsts: dict[str, Alert] = {}
        for alert in loud:
            first = book.first(alert, newest[_breach(alert)])
            book.owe([first], self._names)
            firsts[first.id] = first
        return list(firsts.values())

    def _heard(self, owed: Iterable[Alert], today: date) -> list[Alert]:
        """Those that are not silenced; what was owed before it was waits until the silence is over."""
        return [alert for alert in owed if silence(alert, self.params.silences, today) is None]

    def _names(self, alert: Alert) -> list[str]:
        return [way.name for way in self.ways if way.takes(alert)]


def _breach(alert: Alert) -> Breach:
    return alert.release_id, alert.kind, alert.subject, alert.verdict, alert.since or alert.window


def _newest(alerts: Iterable[Alert]) -> dict[Breach, str]:
    """The last window of each breach: late outcomes may flag an earlier one after the breach was told by this one."""
    found: dict[Breach, str] = {}
    for alert in alerts:
        found[_breach(alert)] = max(alert.window, found.get(_breach(alert), ""))
    return found


def _due(alert: Alert, book: Journal, newest: Mapping[Breach, str]) -> Alert:
    """An alert with the deadline of the one that raised its breach first."""
    return structs.replace(alert, deadline=book.first(alert, newest[_breach(alert)]).deadline)


def _send(way: Exit, book: Journal, owed: Sequence[Alert]) -> Sent:
    """Send what an exit owes. One that is refused holds up none after it; a server that does not answer is not asked again."""
    failed, delivered = "", 0
    for alert in owed:
        try:
            way.send(alert)
        except ServiceError as error:
            failed = str(error)
            if isinstance(error, UnreachableError):
                break
        else:
            book.paid(alert, way.name)
            delivered += 1
    return Sent(way.name, delivered, len(owed) - delivered, failed)


def _said(sent: Sent) -> str:
    if sent.failed:
        return f"{sent.exit}: {sent.delivered} delivered, {sent.owed} wait for the next run: {sent.failed}"
    return f"{sent.exit}: {sent.delivered} delivered"
