"""From a report to findings: each column, group or portfolio it flags, with the report's own sentence and figure.

Responsible for leaving nothing out: a report that is not ok and names nobody is a finding on the portfolio as a whole. What is found beside
columns and groups is `monitoring.alerts.beside`'s. Judges nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from feature_repo.errors import DataError
from governance.limits import ORDER, Verdict
from monitoring.alerts.alert import REPORTED, Finding, Kind
from monitoring.alerts.beside import Apart, Attribution, Signs, Value

WHOLE = "the portfolio"
FLAGGED = (Verdict.WATCH, Verdict.ALERT)
PIPELINE = "pipeline to "


class Told(NamedTuple):
    """What a report says of a subject."""

    kind: Kind
    subject: str
    verdict: Verdict
    figure: float | None
    sentence: str


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
    """What is read of a report, and no more. gini: of the performance report.

    drift_verdict, outcomes_verdict: without what was found beside columns, and before outcomes are known.
    """

    portfolio: str
    found: tuple[str, ...] = ()
    verdict: Verdict = Verdict.INSUFFICIENT
    drift_verdict: Verdict | None = None
    outcomes_verdict: Verdict | None = None
    gini: float | None = None
    columns: tuple[Column, ...] = ()
    attribution: tuple[Attribution, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    early: Signs | None = None
    parity: tuple[Apart, ...] = ()

    @property
    def own(self) -> Verdict:
        """The verdict on what the report is about first."""
        return self.drift_verdict or self.outcomes_verdict or self.verdict

    def told(self, kind: Kind) -> Iterator[Told]:
        """What is said of every subject that has a name. kind: of columns and groups."""
        named = [*(column.told for column in self.columns), *(group.told for attribute in self.attributes for group in attribute.groups)]
        yield from (Told(kind, *one, sentence(self.found, one[0])) for one in named)
        yield from (Told(Kind.ATTRIBUTION, *one.told) for one in self.attribution if one.months)
        yield from (Told(Kind.EARLY, *one.told) for one in ([self.early] if self.early else ()))
        yield from (Told(Kind.PARITY, *one.told) for one in self.parity)


def findings(path: Path, window: str, release_id: str = "") -> Iterator[Finding]:
    """What a report flags. Raises DataError where it cannot be read."""
    yield from _flagged(_read(path), REPORTED[path.stem][0], window, release_id)


def _flagged(report: Report, kind: Kind, window: str, release_id: str) -> Iterator[Finding]:
    flagged = [one for one in report.told(kind) if one.verdict in FLAGGED]
    if report.own is not Verdict.OK and not any(one.kind is kind for one in flagged):
        flagged.insert(0, Told(kind, WHOLE, report.own, report.gini, headline(report.found, report.own)))
    for one in flagged:
        yield Finding(portfolio=report.portfolio, window=window, release_id=release_id, **one._asdict())


def early(path: Path, release_id: str, digest: str) -> Iterator[Finding]:
    """The early sign in the pipeline's report on performance, which has this digest; of windows of the record none is known.

    Its window ends with the newest vintage and goes on since the first without an outcome. Raises DataError where the report is not there
    or is another: `dvc repro` removes it before it makes it anew, maybe of another release.
    """
    report = _of_pipeline(path, digest)
    young = [span.month for span in report.early.spans if span.bad_rate is None] if report.early else []
    for one in _flagged(report, Kind.PERFORMANCE, f"{PIPELINE}{young[-1]}" if young else PIPELINE, release_id):
        if one.kind is Kind.EARLY:
            yield structs.replace(one, since=f"{PIPELINE}{young[0]}" if young else PIPELINE)


def verdicts(path: Path) -> dict[tuple[Kind, str], Verdict]:
    """What a report says of each subject that has a name, and of the portfolio as a whole. Raises DataError where it cannot be read."""
    report, kind = _read(path), REPORTED[path.stem][0]
    return {(kind, WHOLE): report.own, **{(one.kind, one.subject): one.verdict for one in report.told(kind)}}


def _read(path: Path) -> Report:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path.name} of {path.parent.name} cannot be read as a report ({type(error).__name__}); make it again: "
                        "tally monitor --again") from None


def _of_pipeline(path: Path, digest: str) -> Report:
    try:
        if hashlib.sha256(said := path.read_bytes()).hexdigest() == digest:
            return msgspec.json.decode(said, type=Report)
        why = "it was made again since"
    except (OSError, msgspec.MsgspecError) as error:
        why = type(error).__name__
    raise DataError(f"{path.name} of the pipeline is not the one that verdict.json names ({why}); once dvc repro has ended, bring both "
                    "up to date: tally monitor --as-of yesterday")


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
