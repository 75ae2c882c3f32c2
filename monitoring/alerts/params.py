"""What params.yaml may say under `alerts`: who owns which finding, and what is silenced until when, by whom and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from governance.limits import Verdict
from monitoring.alerts.alert import Kind, Severity

Words = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings with a verdict, of one kind or (null) of any, are an owner's, who has so many days."""

    verdict: Verdict
    severity: Severity
    owner: Words
    days: Annotated[int, msgspec.Meta(ge=0)]
    kind: Kind | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, which `feature_repo.params.read` makes a ParamsError, where nothing is wrong that could be told."""
        if self.verdict is Verdict.OK:
            raise ValueError("a rule is for watch, alert or insufficient; ok is told to nobody")


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Alerts of a kind or on a subject are sent to nobody until a day, that day included; they are still shown."""

    until: date
    reason: Words
    person: Words
    portfolio: str | None = None
    kind: Kind | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, as `AlertRule` does, where everything would be silenced."""
        if self.kind is None and self.subject is None:
            raise ValueError("a silence names a kind or a subject; everything is never silenced")


class AlertsParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """windows: the newest ones that are told of; rules: the first that fits a finding holds, and what none fits is told to nobody."""

    windows: Annotated[int, msgspec.Meta(ge=1)]
    rules: tuple[AlertRule, ...]
    silences: tuple[Silence, ...]
