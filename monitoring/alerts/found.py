"""From a report to findings: each column, group or portfolio it flags, with the report's own sentence and figure.

Responsible for leaving nothing out: a report that is not ok and names nobody is a finding on the portfolio as a whole. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from feature_repo.errors import DataError
from governance.limits import ORDER, Verdict
from monitoring.alerts.alert import Finding, Kind

WHOLE = "the portfolio"
FLAGGED = (Verdict.WATCH, Verdict.ALERT)


class Value(msgspec.Struct, frozen=True):
    """A figure with an interval, as reports write it."""

    value: float | None = None


class Cell(msgspec.Struct, frozen=True):
    """A column in a month."""

    psi: float | None = None


class Column(msgspec.Struct, frozen=True):
    """A column of the drift report. quality: of its data."""

    column: str
    verdict: Verdict = Verdict.OK
    quality: Verdict = Verdict.OK
    months: tuple[Cell, ...] = ()

    @property
    def told(self) -> tuple[str, Verdict, float | None]:
        return self.column, worse(self.verdict, self.quality), max((cell.psi for cell in self.months if cell.psi is not None), default=None)


class Group(msgspec.Struct, frozen=True):
    """A group of the fairness report; what is withheld is null there."""

    attribute: str
    group: str
    adverse_impact: Value | None = None
    impact_verdict: Verdict | None = None
    opportunity_verdict: Verdict | None = None
    score_verdict: Verdict | None = None
    calibration_verdict: Verdict | None = None

    @property
    def told(self) -> tuple[str, Verdict, float | None]:
        found = (self.impact_verdict, self.opportunity_verdict, self.score_verdict, self.calibration_verdict)
        shown = self.adverse_impact if self.impact_verdict in FLAGGED else None
        return f"{self.attribute}: {self.group}", worse(*found), shown.value if shown else None


class Attribute(msgspec.Struct, frozen=True):
    """A protected attribute."""

    groups: tuple[Group, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What is read of a report, and no more. gini: of the performance report."""

    portfolio: str
    found: tuple[str, ...] = ()
    verdict: Verdict = Verdict.INSUFFICIENT
    gini: float | None = None
    columns: tuple[Column, ...] = ()
    attributes: tuple[Attribute, ...] = ()


def findings(path: Path, kind: Kind, window: str, release_id: str = "") -> Iterator[Finding]:
    """What a report flags. Raises DataError where it cannot be read."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path.name} of {window} cannot be read as a report ({type(error).__name__}); make it again: tally monitor --again"
                        ) from None
    told = [*(column.told for column in report.columns), *(group.told for attribute in report.attributes for group in attribute.groups)]
    flagged = [one for one in told if one[1] in FLAGGED]
    if not flagged and report.verdict is not Verdict.OK:
        flagged = [(WHOLE, report.verdict, report.gini)]
    for subject, verdict, figure in flagged:
        told_by = sentence(report.found, subject) if subject != WHOLE else headline(report.found, verdict)
        yield Finding(portfolio=report.portfolio, window=window, release_id=release_id, kind=kind, subject=subject, verdict=verdict,
                      figure=figure, sentence=told_by)


def sentence(found: tuple[str, ...], subject: str) -> str:
    """The line of a report that is about a subject, else its headline, without the marks of a page."""
    said = next((line for line in found if f"**{subject}**" in line), found[0] if found else subject)
    return said.removeprefix("- ").replace("**", "").strip()


def headline(found: tuple[str, ...], verdict: Verdict) -> str:
    """The first line of a report that says the verdict: what stands before it may be about something that is ok."""
    return sentence(tuple(line for line in found if f": {verdict}" in line or f"in {verdict}" in line) or found, WHOLE)


def worse(*verdicts: Verdict | None) -> Verdict:
    """The worst of those that were given."""
    return max((each for each in verdicts if each is not None), key=ORDER.index, default=Verdict.INSUFFICIENT)
