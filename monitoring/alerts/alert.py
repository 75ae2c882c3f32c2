"""What somebody is told: a finding of a window, and with its owner and deadline an alert. No figure of a single person is in either."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from governance.limits import Verdict


class Kind(StrEnum):
    """Which part of monitoring found it."""

    DRIFT = "drift"
    ATTRIBUTION = "attribution"
    PERFORMANCE = "performance"
    EARLY = "early sign"
    FAIRNESS = "fairness"
    PARITY = "parity"


REPORTED = {"drift": (Kind.DRIFT, Kind.ATTRIBUTION), "performance": (Kind.PERFORMANCE, Kind.EARLY), "fairness": (Kind.FAIRNESS,),
            "parity": (Kind.PARITY,)}
"""The reports that judge, by their names, and what each of them finds; what finds the report itself wanting comes first."""


class Severity(StrEnum):
    """How soon somebody has to look: at once, within days, when there is time."""

    PAGE = "page"
    TICKET = "ticket"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that is not ok in a window of a release's decisions.

    subject: a column, a group, or the whole portfolio; figure: None where it is words alone; since: the first window of a breach that goes
    on, empty where that is this one.
    """

    portfolio: str
    window: str
    release_id: str = ""
    kind: Kind
    subject: str
    verdict: Verdict
    sentence: str
    figure: float | None = None
    since: str = ""


class Alert(Finding, frozen=True, kw_only=True):
    """A finding that somebody owns. deadline: the day by which it is dealt with."""

    severity: Severity
    owner: str
    deadline: date

    @property
    def over(self) -> datetime:
        """When the day of the deadline ends, UTC."""
        return datetime.combine(self.deadline, time(), UTC) + timedelta(days=1)

    @property
    def id(self) -> str:
        """The same for the same verdict on the same subject of the same window, whenever it is raised: it is delivered once."""
        named = (self.portfolio, self.window, self.release_id, self.kind, self.subject, self.verdict)
        return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:32]
