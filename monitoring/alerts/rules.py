"""Who owns a finding, how severe it is, by when it is dealt with, and whether somebody silenced it: `alerts` in params.yaml.

Responsible for the first rule that fits and the silences of the day. Refuses a silence without reason, person or end by its type. What no
rule fits is nobody's and raises nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from governance.limits import Verdict
from monitoring.alerts.alert import Alert, Finding, Kind
from monitoring.alerts.params import AlertRule, AlertsParams, Silence


class Raised(msgspec.Struct, frozen=True):
    """An alert, and the silence it falls under, if one does."""

    alert: Alert
    silence: Silence | None = None


def raised(findings: Iterable[Finding], params: AlertsParams, today: date) -> tuple[Raised, ...]:
    """The alerts of some findings on a day, in their order, each once."""
    found = [_alert(finding, rule, today) for finding in findings if (rule := fitting(finding.kind, finding.verdict, params.rules))]
    return tuple(Raised(alert, silence(alert, params.silences, today)) for alert in {each.id: each for each in found}.values())


def fitting(kind: Kind, verdict: Verdict, rules: Iterable[AlertRule]) -> AlertRule | None:
    """The rule a finding falls under; None where it is nobody's."""
    return next((rule for rule in rules if rule.verdict == verdict and rule.kind in (None, kind)), None)


def _alert(finding: Finding, rule: AlertRule, today: date) -> Alert:
    return Alert(**msgspec.structs.asdict(finding), severity=rule.severity, owner=rule.owner, deadline=today + timedelta(days=rule.days))


def silence(alert: Alert, silences: Iterable[Silence], today: date) -> Silence | None:
    """The silence that an alert falls under on a day; None where it is to be heard."""
    return next((each for each in silences if each.until >= today and each.kind in (None, alert.kind)
                 and each.subject in (None, alert.subject) and each.portfolio in (None, alert.portfolio)), None)
