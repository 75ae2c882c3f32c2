"""What is recorded besides decisions: every governance event as a frozen value, and how it becomes an entry of the ledger.

Responsible for the names of the events and what each must say. Refuses an event with an unknown field. Judges nothing: who may say what
is `governance.promotion`, whose key it was is `governance.people`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec

from feature_repo.errors import LedgerError
from governance.actor import Actor, Event
from governance.ledger.entries import Entry, Record, canonical
from governance.observations import OBSERVATIONS
from governance.splits import Split

CHAMPION, CHALLENGER, SHADOW = "champion", "challenger", "shadow"
ALIASES = (CHAMPION, CHALLENGER, SHADOW)
UNKNOWN = "unknown"
__all__ = ["Actor", "Event"]
Interval = tuple[float, float]


class DataValidated(Event, frozen=True, kw_only=True):
    """Great Expectations looked at the data. suite: SHA-256 of all that was expected; data: path -> digest of what was ingested."""

    suite: str
    success: bool
    checks: int
    warnings: int
    data: dict[str, str]


class ReleaseRegistered(Event, frozen=True, kw_only=True):
    """A release is a version of the registry. author: who made it, by their signature's key, or empty: an unsigned release."""

    release_id: str
    model: str
    version: str
    run_id: str
    author: str
    git_author: str
    commit: str
    dirty: bool
    data: dict[str, str]
    experiment: str = ""


class ReleaseCompared(Event, frozen=True, kw_only=True):
    """Challenger and champion on the same out-of-time rows: Gini difference with its paired interval; above 0 the challenger is better."""

    challenger: str
    champion: str
    part: str
    rows: int
    gini_difference: float
    interval: Interval
    confidence: float


class ColumnParity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a stored column was another online than offline; upper: the most that share may be (Clopper and Pearson 1934).

    kinds: in what way, and how often.
    """

    column: str
    compared: int
    mismatched: int
    upper: float
    kinds: dict[str, int] = {}


class ParityChecked(Event, frozen=True, kw_only=True):
    """Vectors that decisions were made on beside those that the join gives at that moment. since: of the oldest decision drawn from.

    first, last: of those compared, and came_at: of the check, all three by business time; empty in what was recorded before they were kept.
    """

    decisions: int
    since: str
    confidence: float
    columns: tuple[ColumnParity, ...]
    first: str = ""
    last: str = ""
    came_at: str = ""


class AliasSeen(Event, frozen=True, kw_only=True):
    """The alias names another version than the record says. put_back: the watch let it name the recorded champion again."""

    alias: str
    version: str
    release_id: str
    instead_of: str
    approved: bool
    put_back: bool = False


class GateFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one gate says: figure against limit in words, and whether it lets the release through. No evidence: not passed."""

    gate: str
    passed: bool
    found: str
    allowed: str
    source: str = ""


class PromotionRequested(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody wants a release to serve under an alias; the gates as they stood. split: of the challenger, which decides for a share."""

    request_id: str
    release_id: str
    version: str
    alias: str
    reason: str
    gates: tuple[GateFinding, ...]
    split: Split | None = None


class PromotionApproved(Event, frozen=True, kw_only=True):
    """Somebody else agrees."""

    request_id: str
    release_id: str
    reason: str


class PromotionRejected(Event, frozen=True, kw_only=True):
    """Somebody else does not: the request is over."""

    request_id: str
    release_id: str
    reason: str


class GateWaived(Event, frozen=True, kw_only=True):
    """A failed gate is overridden for one request, until a moment (ISO 8601, UTC) at which the release stops being allowed."""

    request_id: str
    release_id: str
    gate: str
    reason: str
    until: str


class ReleasePromoted(Event, frozen=True, kw_only=True):
    """An approved request took effect. replaces: the release that was allowed to serve before, or empty."""

    request_id: str
    release_id: str
    version: str
    alias: str
    replaces: str
    gates: tuple[GateFinding, ...]
    reason: str = ""


class ReleaseRolledBack(Event, frozen=True, kw_only=True):
    """Back to a release that was promoted before."""

    release_id: str
    version: str
    alias: str
    replaces: str
    reason: str


class ReleaseWithdrawn(Event, frozen=True, kw_only=True):
    """A shadow scores no more, or a split ends before its time: the promotion by this request is over."""

    request_id: str
    release_id: str
    alias: str
    reason: str


class ReleaseRetired(Event, frozen=True, kw_only=True):
    """A release may never serve again."""

    release_id: str
    reason: str


class ReleasePlaced(Event, frozen=True, kw_only=True):
    """The watch fetched, verified and placed a release, and points to it."""

    release_id: str
    version: str
    alias: str
    replaces: str
    cause: str


class ReleaseSwapped(Event, frozen=True, kw_only=True):
    """A worker serves a release from now on: what really answered. replaces: empty where the worker has just started."""

    worker: str
    release_id: str
    version: str
    replaces: str


class ReleaseRefused(Event, frozen=True, kw_only=True):
    """A release was to be placed or served and was not. who: "watch" or a worker."""

    who: str
    release_id: str
    why: str
    alias: str = CHAMPION


class ReportIssued(Event, frozen=True, kw_only=True):
    """A monitoring report was issued: SHA-256 of its JSON, and its headline sentences."""

    report: str
    digest: str
    found: tuple[str, ...]


class AnswerUnconfirmed(Event, frozen=True, kw_only=True):
    """Abort mark: the decision is recorded, and it cannot be shown that its answer left.

    The process ended before, the client had gone, or the wait for the record was given up.
    """

    decision_id: str
    worker: str


class PersonErased(Event, frozen=True, kw_only=True):
    """Payloads were erased by law; their commitments, and so every proof, remain. entries: ids."""

    entries: tuple[str, ...]
    reason: str


KINDS: dict[str, type[Event]] = {
    "data-validated": DataValidated, "release-registered": ReleaseRegistered, "release-compared": ReleaseCompared,
    "parity-checked": ParityChecked, "release-withdrawn": ReleaseWithdrawn, "alias-seen": AliasSeen,
    "promotion-requested": PromotionRequested, "promotion-approved": PromotionApproved,
    "promotion-rejected": PromotionRejected, "gate-waived": GateWaived, "release-promoted": ReleasePromoted,
    "release-rolled-back": ReleaseRolledBack, "release-retired": ReleaseRetired, "release-placed": ReleasePlaced,
    "release-swapped": ReleaseSwapped, "release-refused": ReleaseRefused, "report-issued": ReportIssued,
    "answer-unconfirmed": AnswerUnconfirmed, "person-erased": PersonErased, **OBSERVATIONS,
}
NAMES = {kind: name for name, kind in KINDS.items()}
Anything = TypeVar("Anything", bound=Event)


class Recorded(Protocol):
    """A record of the ledger, as far as an event is concerned."""

    kind: str
    id: str
    recorded_at: str
    body: bytes


def entry(event: Event, unique: str) -> Entry:
    """The entry of an event. unique: what makes it the only one of its kind, such as the request and the person; ids are given once."""
    name = NAMES[type(event)]
    return Entry(name, f"{name}:{unique}", canonical(event))


def of(record: Record) -> Event:
    """The event in a record. Raises LedgerError where it is none, or not as it must be."""
    if record.kind not in KINDS:
        raise LedgerError(f"entry {record.id} is of kind {record.kind}, which is no governance event")
    try:
        return msgspec.json.decode(record.body, type=KINDS[record.kind])
    except msgspec.MsgspecError as error:
        raise LedgerError(f"entry {record.id} is not a {record.kind} event: {error}") from None


def every(records: Iterable[Record]) -> Iterator[tuple[Record, Event]]:
    """The governance events among records, in order."""
    return ((record, of(record)) for record in records if record.kind in KINDS)


def statement(event: Event) -> bytes:
    """What an actor signs: everything the event says but the signature itself, with its kind."""
    unsigned = msgspec.structs.replace(event, by=msgspec.structs.replace(event.by, signature=""))
    return canonical({"kind": NAMES[type(event)], **msgspec.to_builtins(unsigned)})
