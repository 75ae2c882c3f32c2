"""Questions over the governance events: what happened, what was in production at a moment, and what stands behind a release.

Responsible for answers that say what the record shows and where it shows nothing. Asks no registry and reads no release; what may serve
is `governance.promotion`'s to say. Moments are those of the record: when a thing was recorded, by its clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feature_repo.errors import LedgerError
from governance import events, overrides, promotion
from governance.events import (
    ALIASES,
    CHALLENGER,
    CHAMPION,
    SHADOW,
    AnswerUnconfirmed,
    DataValidated,
    Event,
    PersonErased,
    ReleaseCompared,
    ReleaseRefused,
    ReleaseRegistered,
    ReleaseSwapped,
)
from governance.ledger.entries import DECISION, Record
from governance.observations import DecisionOverridden
from governance.people import People
from governance.sentences import sentence, who
from governance.splits import Split
from governance.standing import Promotion, Request, Serving, Standing

FOLLOWS_WITHIN = timedelta(minutes=1)
ANSWER = ("release_id", "model_version", "portfolio", "decided_at", "outcome", "pd", "score", "band", "reasons", "degraded")
ARM = ("arm", "experiment")
Records = Sequence[Record]
Known = tuple[Record, Event]


@dataclass(frozen=True)
class Line:
    """One event as history tells it. ignored: why it has no effect, or empty."""

    at: str
    kind: str
    entry: str
    who: str
    what: str
    ignored: str


@dataclass(frozen=True)
class Worker:
    """What a worker said last. refused: why it did not follow a later placement, or empty."""

    name: str
    release_id: str
    since: datetime
    refused: str = ""


@dataclass(frozen=True)
class Background:
    """What the record knows of a release. Each part is None where the record has no such event."""

    release_id: str
    registered: ReleaseRegistered | None
    validated: DataValidated | None
    compared: tuple[ReleaseCompared, ...]
    request: Request | None
    promotion: Promotion | None


@dataclass(frozen=True)
class Beside:
    """A challenger, with the split by which it decided for some, or a shadow, which answered nobody."""

    alias: str
    promotion: Promotion
    split: Split | None


@dataclass(frozen=True)
class Moment:
    """What was in production at a moment. serving: what the record let serve, None before the first promotion; beside: what besides it.

    workers: those that still answered, by what they served; behind it the background of the release that was to serve.
    """

    at: datetime
    alias: str
    serving: Serving | None
    workers: tuple[Worker, ...]
    behind: Background | None
    beside: tuple[Beside, ...] = ()

    @property
    def served(self) -> dict[str, list[Worker]]:
        """Release id -> the workers that answered with it."""
        return {one: [worker for worker in self.workers if worker.release_id == one]
                for one in dict.fromkeys(worker.release_id for worker in self.workers)}


@dataclass(frozen=True)
class Trace:
    """What stands behind a decision. said: what it answered, nothing of the applicant; None where that was erased by `erased`.

    arm, experiment: as what its release decided, and in which split; shadow: what the shadow said, or None.

    overrides: what people decided instead, oldest first; objection: why the record did not let its release serve then, or empty; then: what
    was in production when it was recorded; behind: the background of its release, or of the one that was to serve where the content is
    gone; unconfirmed: the worker that ended before it was shown that the answer left, or empty.
    """

    decision_id: str
    recorded_at: str
    period: str
    number: int
    commitment: str
    said: dict[str, Any] | None
    erased: Line | None
    overrides: tuple[Line, ...]
    objection: str
    then: Moment
    behind: Background | None
    unconfirmed: str
    arm: str = CHAMPION
    experiment: str = ""
    shadow: dict[str, Any] | None = None


def lines(records: Records, people: People) -> Iterator[Line]:
    """Every governance event in recorded order; those the rules ignored say why."""
    ignored = {one.entry: one.why for one in promotion.standing(records, people).ignored}
    for record in records:
        if record.kind in events.KINDS:
            yield line(record, ignored.get(record.id, ""))


def line(record: Record, ignored: str = "") -> Line:
    """One event, told."""
    try:
        event = events.of(record)
    except LedgerError:
        return Line(record.recorded_at, record.kind, record.id, "unknown", "what it says cannot be read", ignored or "it cannot be read")
    return Line(record.recorded_at, record.kind, record.id, who(event.by), sentence(event), ignored)


def in_production(records: Records, people: People, at: datetime, alias: str = CHAMPION) -> Moment:
    """What served at a moment: what the record allowed, and what each worker said it served."""
    until = [record for record in records if datetime.fromisoformat(record.recorded_at) <= at]
    standing = promotion.standing(until, people, at)
    serving = standing.serving(alias, at)
    behind = background(until, people, standing, serving.promotion.release_id) if serving else None
    others = ((each, found.promotion) for each in ALIASES if each not in (alias, CHAMPION) and (found := standing.serving(each, at)))
    beside = tuple(Beside(each, by, standing.requests[by.request_id].split) for each, by in others)
    return Moment(at, alias, serving, tuple(answering(until, standing, at)), behind, beside)


def trace(records: Records, people: People, decision: Record, shadow: Record | None = None) -> Trace:
    """From a decision to all that stands behind it. decision, shadow: their records. Raises LedgerError where that is of something else."""
    if decision.kind != DECISION:
        raise LedgerError(f"{decision.id} is a {decision.kind}, no decision; see: tally history")
    at = datetime.fromisoformat(decision.recorded_at)
    then, gone = in_production(records, people, at), erased(records, decision.id)
    said, objection, behind, arm = None, "", then.behind, {}
    if not decision.erased:
        said = {name: decision.content[name] for name in ANSWER}
        before = [record for record in records if datetime.fromisoformat(record.recorded_at) <= at]
        standing = promotion.standing(before, people, at)
        arm = {name: decision.content[name] for name in ARM if name in decision.content}
        objection = standing.objection(said["release_id"], CHALLENGER if arm.get("arm") == CHALLENGER else CHAMPION, at)
        behind = background(before, people, standing, said["release_id"])
    worker = next((event.worker for _, event in known(records)
                   if isinstance(event, AnswerUnconfirmed) and event.decision_id == decision.id), "")
    return Trace(decision.id, decision.recorded_at, decision.period, decision.seq, decision.commitment.hex(), said,
                 line(gone[0]) if gone else None, overridden(records, people, decision.id), objection, then, behind, worker,
                 shadow=shadow.content if shadow and not shadow.erased else None, **arm)


def answering(records: Records, standing: Standing, at: datetime) -> Iterator[Worker]:
    """The workers that answered at a moment, by what they said last. A worker says when it begins and swaps, not when it ends.

    So one that did not follow a placement within `FOLLOWS_WITHIN`, and gave no reason, is taken to have ended before it.
    """
    told: dict[str, Worker] = {}
    for record, event in known(records):
        moment = datetime.fromisoformat(record.recorded_at)
        if isinstance(event, ReleaseSwapped):
            told[event.worker] = Worker(event.worker, event.release_id, moment)
        elif isinstance(event, ReleaseRefused) and event.who in told and event.alias == CHAMPION:
            before = told[event.who]
            told[event.who] = Worker(before.name, before.release_id, before.since, event.why)
    for worker in told.values():
        later = [placed for (alias, release_id), placed in standing.placed.items()
                 if alias == CHAMPION and worker.since < placed < at - FOLLOWS_WITHIN and release_id != worker.release_id]
        if worker.refused or not later:
            yield worker


def background(records: Records, people: People, standing: Standing, release_id: str) -> Background:
    """What stands behind a release: where it comes from, what its data were found to be, and who let it serve last."""
    found = [event for _, event in known(records, without={one.entry for one in standing.ignored})]
    registered = registrations(records, people).get(release_id)
    validated = next((one for one in reversed(found) if registered and isinstance(one, DataValidated) and same_data(one, registered)), None)
    compared = tuple(one for one in found if isinstance(one, ReleaseCompared) and one.challenger == release_id)
    last = next((one for one in reversed(standing.promotions) if one.release_id == release_id and one.alias != SHADOW), None)
    asked = [one for one in standing.requests.values() if one.release_id == release_id]
    request = standing.requests[last.request_id] if last else asked[-1] if asked else None
    return Background(release_id, registered, validated, compared, request, last)


def registrations(records: Records, people: People) -> dict[str, ReleaseRegistered]:
    """What the record says of each release's origin: its author's word where there is one, then the newest from a clean commit.

    A release that was first made from uncommitted changes, and again byte for byte from a commit, is that commit's.
    """
    found: dict[str, ReleaseRegistered] = {}
    for record, event in known(records):
        if isinstance(event, ReleaseRegistered) and people.checks(event, record.recorded_at) and event.author in ("", event.by.name):
            before = found.get(event.release_id)
            if before is None or (not before.author and event.author) or (before.author == event.author and not event.dirty):
                found[event.release_id] = event
    return found


def concerning(records: Records, release_id: str) -> Iterator[Known]:
    """The events that are about a release: those that name it, and the validation of its data."""
    registered = next((event for _, event in known(records)
                       if isinstance(event, ReleaseRegistered) and event.release_id == release_id), None)
    for record, event in known(records):
        named = [getattr(event, name, "") for name in ("release_id", "challenger", "champion", "replaces", "instead_of")]
        about_data = registered is not None and isinstance(event, DataValidated) and same_data(event, registered)
        if release_id in named or about_data:
            yield record, event


def overridden(records: Records, people: People, decision_id: str) -> tuple[Line, ...]:
    """What people decided instead of a decision; what has no effect says why."""
    ignored = overrides.of(records, people).ignored
    return tuple(line(record, ignored.get(record.id, "")) for record, event in known(records)
                 if isinstance(event, DecisionOverridden) and event.decision_id == decision_id)


def erased(records: Records, entry: str) -> Known | None:
    """The event by which an entry's content was erased."""
    return next((each for each in known(records) if isinstance(each[1], PersonErased) and entry in each[1].entries), None)


def same_data(validated: DataValidated, registered: ReleaseRegistered) -> bool:
    """Whether what was validated is what the release was made from: every digest both name is equal, and there is one."""
    shared = validated.data.keys() & registered.data.keys()
    return bool(shared) and all(validated.data[path] == registered.data[path] for path in shared)


def known(records: Iterable[Record], without: Collection[str] = ()) -> Iterator[Known]:
    """The events that can be read, in order."""
    for record in records:
        if record.kind in events.KINDS and record.id not in without:
            try:
                yield record, events.of(record)
            except LedgerError:
                continue
