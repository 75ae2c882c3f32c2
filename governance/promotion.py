"""The fold: from every governance event, in recorded order, to where promotion stands. Pure.

Responsible for letting each event have its effect, once it can be read, is truly signed and `governance.rules` allow it at its point of
the order. Raises nothing over an event: any other changes nothing and is in `Standing.ignored` with the reason. So neither a forged
entry nor two people at the same moment can break a rule. Asks no registry, reads no clock but the one of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from feature_repo.errors import LedgerError
from governance import events
from governance.events import (
    NAMES,
    AliasSeen,
    Event,
    GateWaived,
    ParityChecked,
    PromotionApproved,
    PromotionRejected,
    PromotionRequested,
    ReleaseCompared,
    ReleasePlaced,
    ReleasePromoted,
    ReleaseRefused,
    ReleaseRegistered,
    ReleaseRetired,
    ReleaseRolledBack,
    ReleaseWithdrawn,
)
from governance.ledger.entries import Record
from governance.people import People
from governance.rules import RULES, forbidden, unique, worse
from governance.standing import Ignored, Promotion, Registered, Request, Seen, Signed, Standing, Waiver


def standing(records: Iterable[Record], people: People, at: datetime | None = None) -> Standing:
    """What the governance events among `records`, in recorded order, amount to at a moment (now, where none is given)."""
    return extended(Standing(at or datetime.now(UTC)), records, people)


def extended(known: Standing, records: Iterable[Record], people: People) -> Standing:
    """The same standing with what was recorded since. Changes and returns `known`."""
    for record in records:
        if record.kind in FOLDED and (why := _fold(known, record, people)):
            known.ignored.append(Ignored(record.id, record.kind, record.recorded_at, why))
    return known


def _fold(known: Standing, record: Record, people: People) -> str:
    """Let one record have its effect; why it has none."""
    try:
        event, at = events.of(record), datetime.fromisoformat(record.recorded_at)
    except (LedgerError, ValueError):
        return "it cannot be read as what it claims to be"
    if type(event) in RULES:
        if type(event) is not ReleaseRegistered and record.id != f"{record.kind}:{unique(event)}":
            return "its id is not that of its content"
        if why := people.fault(event, at) or forbidden(event, known, people, at):
            return why
    EFFECTS[type(event)](known, event, signed(event, record, at))
    return ""


def signed(event: Event, record: Record, at: datetime) -> Signed:
    return Signed(event.by.name, at, getattr(event, "reason", ""), record.id, event.by.demo)


def _register(known: Standing, event: ReleaseRegistered, by: Signed) -> None:
    """The first word of an author counts: when it was signed is what their key is judged by."""
    before = known.releases.get(event.release_id)
    if before is not None and before.author == event.author:
        return
    known.releases[event.release_id] = Registered(event.release_id, event.model, event.version, event.author, by.at)


def _request(known: Standing, event: PromotionRequested, by: Signed) -> None:
    known.requests[event.request_id] = Request(event.request_id, event.release_id, event.version, event.alias, by, event.gates,
                                               split=event.split)


def _approve(known: Standing, event: PromotionApproved, by: Signed) -> None:
    request = known.requests[event.request_id]
    known.requests[request.id] = replace(request, approvals=(*request.approvals, by))


def _waive(known: Standing, event: GateWaived, by: Signed) -> None:
    request = known.requests[event.request_id]
    waiver = Waiver(event.gate, datetime.fromisoformat(event.until), by)
    known.requests[request.id] = replace(request, waivers=(*request.waivers, waiver))


def _reject(known: Standing, event: PromotionRejected, by: Signed) -> None:
    known.requests[event.request_id] = replace(known.requests[event.request_id], rejected=by)


def _promote(known: Standing, event: ReleasePromoted, by: Signed) -> None:
    request = known.requests[event.request_id]
    known.requests[request.id] = replace(request, promoted=by, gates=worse(request.gates, event.gates))
    known.promotions.append(Promotion(event.release_id, event.version, event.alias, event.replaces, by.at, request.id, by))


def _roll_back(known: Standing, event: ReleaseRolledBack, by: Signed) -> None:
    before = next(one for one in known.line(event.alias, by.at) if one.release_id == event.release_id)
    known.promotions.append(replace(before, replaces=event.replaces, since=by.at, by=by, back=True))


def _retire(known: Standing, event: ReleaseRetired, by: Signed) -> None:
    known.retired[event.release_id] = by


def _withdraw(known: Standing, event: ReleaseWithdrawn, by: Signed) -> None:
    known.withdrawn[event.request_id] = by


def _place(known: Standing, event: ReleasePlaced, by: Signed) -> None:
    known.placed[event.alias, event.release_id] = by.at


def _refuse(known: Standing, event: ReleaseRefused, by: Signed) -> None:
    known.refused[event.who, event.release_id] = by.at


def _see(known: Standing, event: AliasSeen, by: Signed) -> None:
    known.seen.setdefault(event.alias, []).append(Seen(event, by.at))


def _compare(known: Standing, event: ReleaseCompared, _: Signed) -> None:
    known.compared[event.challenger, event.champion] = event


def _check(known: Standing, event: ParityChecked, _: Signed) -> None:
    known.checked = event


EFFECTS: dict[type[Event], Callable[..., None]] = {
    ReleaseRegistered: _register, PromotionRequested: _request, PromotionApproved: _approve, PromotionRejected: _reject, GateWaived: _waive,
    ReleasePromoted: _promote, ReleaseRolledBack: _roll_back, ReleaseRetired: _retire, ReleasePlaced: _place, ReleaseRefused: _refuse,
    AliasSeen: _see, ReleaseCompared: _compare, ParityChecked: _check, ReleaseWithdrawn: _withdraw,
}
FOLDED = frozenset(NAMES[kind] for kind in EFFECTS)
