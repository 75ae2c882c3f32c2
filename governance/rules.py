"""The rules of promotion: who may say what, and when.

Responsible for every one of them, once: `forbidden` is asked before an event is appended, for a clear error to the person, and again by
the fold, which decides. Refuses by saying why; raises nothing. Evaluates no gate; when a thing was said is when it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from feature_repo.errors import LedgerError
from governance.events import (
    ALIASES,
    CHALLENGER,
    CHAMPION,
    NAMES,
    UNKNOWN,
    Event,
    GateFinding,
    GateWaived,
    PromotionApproved,
    PromotionRejected,
    PromotionRequested,
    ReleasePromoted,
    ReleaseRegistered,
    ReleaseRetired,
    ReleaseRolledBack,
    ReleaseWithdrawn,
)
from governance.people import People, Role
from governance.splits import LEAST_SHARE, LONGEST_EXPERIMENT, MOST_SHARE
from governance.standing import Request, Standing

LONGEST_WAIVER = LONGEST_SPLIT = timedelta(days=366)
FRESH = timedelta(minutes=10)
OWNER: Role = "owner"
APPROVER: Role = "approver"
NAMED = ("key", "token")
Objections = Iterator[tuple[bool, str]]


def forbidden(event: Event, known: Standing, people: People, at: datetime) -> str:
    """Why an event may not be said now, for the person who wants to say it; empty where it may."""
    rule = RULES.get(type(event))
    return next((why for applies, why in rule(event, known, people, at) if applies), "") if rule else ""


def unique(event: Event) -> str:
    """What makes an event the only one of its kind: with it the ledger itself refuses a second one."""
    match event:
        case ReleaseRegistered() | ReleaseRetired():
            return event.release_id
        case PromotionRequested() | ReleasePromoted() | PromotionRejected() | ReleaseWithdrawn():
            return event.request_id
        case PromotionApproved():
            return f"{event.request_id}:{event.by.name}"
        case GateWaived():
            return f"{event.request_id}:{event.gate}:{event.until}"
        case ReleaseRolledBack():
            return f"{event.alias}:{event.release_id}:{event.at}"
        case _:
            raise LedgerError(f"{NAMES[type(event)]} has no rule of its own; give its entry an id")


def moment(text: str) -> datetime | None:
    """A time with its zone, from a text; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _role(event: Event, people: People, at: datetime, *roles: Role) -> tuple[bool, str]:
    why = people.lacks(event.by, at, *roles)
    return bool(why), why


def _reason(event: Any) -> tuple[bool, str]:
    return not event.reason.strip(), "a reason is missing"


def _about(event: Any, request: Request) -> tuple[bool, str]:
    asked, said = request.release_id, event.release_id
    return asked != said, f"request {request.id} is for release {asked[:12]}, not {said[:12]}"


def _registered(event: ReleaseRegistered, known: Standing, people: People, at: datetime) -> Objections:  # noqa: ARG001
    before = known.releases.get(event.release_id)
    cleaned = before is not None and before.author == event.author and not event.dirty  # made again from a commit, by the same author
    again = before is not None and bool(before.author or not event.author) and not cleaned
    yield again, f"release {event.release_id[:12]} is registered already"
    yield event.author not in ("", event.by.name), f"{event.author} made it and {event.by.name} says so; an author signs for themselves"
    yield bool(event.author) and event.by.how not in NAMED, f"{event.author} made it and did not sign that"


def _requested(event: PromotionRequested, known: Standing, people: People, at: datetime) -> Objections:
    release = known.releases.get(event.release_id)
    yield event.request_id in known.requests, f"there is a request {event.request_id} already"
    if release is None:
        yield True, f"release {event.release_id[:12]} is not in the record; the stage register puts it there: dvc repro"
        return
    yield not release.author, f"nobody signed release {event.release_id[:12]}; register it with a key: dvc repro"
    yield event.release_id in known.retired, f"release {event.release_id[:12]} is retired"
    yield not event.gates, "no gate was evaluated"
    yield _reason(event)
    yield event.alias not in ALIASES, f"there is no alias {event.alias}; there are {', '.join(ALIASES)}"
    yield from _splitting(event, at)
    yield any(one.by.name == event.by.name for one in known.waiting(event.release_id, event.alias)), \
        f"{event.by.name} has an open request for release {event.release_id[:12]} already"
    if not (event.by.name == UNKNOWN and event.by.how not in NAMED):
        yield _role(event, people, at, OWNER)
        yield event.by.name == release.author, f"{event.by.name} made this release; somebody else must ask for it"


def _splitting(event: PromotionRequested, at: datetime) -> Objections:
    """A challenger decides for a share and until a moment, both of which people agree to; nothing else has a share."""
    split = event.split
    if split is None:
        yield event.alias == CHALLENGER, "a challenger decides for a share of applicants until a moment: tally split --share … --until …"
        return
    until = moment(split.until)
    yield event.alias != CHALLENGER, f"only a challenger decides for a share; {event.alias} has none"
    yield not LEAST_SHARE <= split.share <= MOST_SHARE, f"a share is from {LEAST_SHARE:g} to {MOST_SHARE:g}; for more, promote it"
    yield not 1 <= len(split.experiment.strip()) <= LONGEST_EXPERIMENT, f"an experiment has a name of 1 to {LONGEST_EXPERIMENT} characters"
    yield until is None or not at < until <= at + LONGEST_SPLIT, \
        f"a split ends at a time with its zone, after now and within {LONGEST_SPLIT.days} days"


def _approved(event: PromotionApproved, known: Standing, people: People, at: datetime) -> Objections:
    yield from _checking(event, known, people, at)
    request = known.requests[event.request_id]
    yield not request.open, f"request {request.id} is {request.state(at)}"
    yield event.by.name in request.people, f"{event.by.name} approved request {request.id} already"


def _waived(event: GateWaived, known: Standing, people: People, at: datetime) -> Objections:
    yield from _checking(event, known, people, at)
    request, until = known.requests[event.request_id], moment(event.until)
    names = ", ".join(finding.gate for finding in request.gates)
    yield request.rejected is not None, f"request {request.id} is rejected"
    yield event.gate not in {finding.gate for finding in request.gates}, f"there is no gate {event.gate}; request {request.id} has {names}"
    if until is None:
        yield True, "until is not a time with its zone, such as 2026-12-31T00:00:00+00:00"
        return
    yield not at < until <= at + LONGEST_WAIVER, f"a waiver ends after now and within {LONGEST_WAIVER.days} days"
    lapsed = request.promoted and request.blocked(at)
    yield bool(lapsed), f"the waiver that request {request.id} relied on has lapsed; ask again: tally request"


def _checking(event: PromotionApproved | GateWaived, known: Standing, people: People, at: datetime) -> Objections:
    """What is common to everybody who checks what somebody else wants."""
    request = known.requests.get(event.request_id)
    if request is None:
        yield True, f"there is no request {event.request_id}; see: tally requests"
        return
    author = known.releases[request.release_id].author
    yield _about(event, request)
    yield _reason(event)
    yield _role(event, people, at, APPROVER)
    yield event.by.name == request.by.name, f"{event.by.name} asked for it; somebody else must agree"
    yield event.by.name == author, f"{event.by.name} made this release; somebody else must agree"
    yield request.release_id in known.retired, f"release {request.release_id[:12]} is retired"


def _rejected(event: PromotionRejected, known: Standing, people: People, at: datetime) -> Objections:
    request = known.requests.get(event.request_id)
    if request is None:
        yield True, f"there is no request {event.request_id}; see: tally requests"
        return
    yield _about(event, request)
    yield _reason(event)
    if event.by.name != request.by.name or event.by.how not in NAMED:  # who asked may think better of it
        yield _role(event, people, at, APPROVER)
    yield not request.open, f"request {request.id} is {request.state(at)}"


def _promoted(event: ReleasePromoted, known: Standing, people: People, at: datetime) -> Objections:
    request = known.requests.get(event.request_id)
    if request is None:
        yield True, f"there is no request {event.request_id}; see: tally requests"
        return
    yield _about(event, request)
    yield (event.version, event.alias) != (request.version, request.alias), f"request {request.id} is for another version or alias"
    yield not request.open, f"request {request.id} is {request.state(at)}; one approval is one promotion"
    yield event.release_id in known.retired, f"release {event.release_id[:12]} is retired"
    ended = request.split is not None and not at < datetime.fromisoformat(request.split.until)
    yield ended, f"the split of request {request.id} is at its end; ask again: tally split"
    yield request.lacking > 0, f"request {request.id} needs {request.lacking} more to approve it: tally approve {request.id} --reason …"
    unsaid = {one.gate for one in request.gates} - {one.gate for one in event.gates}
    yield bool(unsaid), f"gates were not evaluated again: {', '.join(sorted(unsaid))}"
    blocked = replace(request, gates=worse(request.gates, event.gates)).blocked(at)
    yield bool(blocked), (f"gates that failed and are not waived: {', '.join(blocked)}; mend the model, or: "
                          f"tally waive {request.id} --gate {blocked[0] if blocked else ''} --until … --reason …")
    if event.by.how in NAMED:
        yield _role(event, people, at, OWNER, APPROVER)


def _rolled_back(event: ReleaseRolledBack, known: Standing, people: People, at: datetime) -> Objections:
    yield event.alias != CHAMPION, f"{event.alias} does not go back; end it: tally withdraw --alias {event.alias} --reason …"
    serves = known.serving(event.alias, at)
    earlier = [one.release_id for one in known.line(event.alias, at) if serves and one.release_id != serves.promotion.release_id]
    yield _role(event, people, at, OWNER)
    yield _reason(event)
    yield event.release_id not in earlier, f"release {event.release_id[:12]} is not one that served before and still may"
    said = moment(event.at)
    yield said is None or abs(at - said) > FRESH, "it was said too long before it was recorded"
    yield _again(event, known), "it was said before"


def _again(event: ReleaseRolledBack, known: Standing) -> bool:
    """Whether it is a copy of a signed event, put in once more: that has the id of the first."""
    return any(one.by.entry == f"{NAMES[type(event)]}:{unique(event)}" for one in known.promotions)


def _retired(event: ReleaseRetired, known: Standing, people: People, at: datetime) -> Objections:
    yield _role(event, people, at, OWNER, APPROVER)
    yield _reason(event)
    yield event.release_id not in known.releases, f"release {event.release_id[:12]} is not in the record"
    yield event.release_id in known.retired, f"release {event.release_id[:12]} is retired already"
    serves = known.serving(CHAMPION, at)
    yield serves is not None and event.release_id == serves.promotion.release_id, \
        f"release {event.release_id[:12]} serves; first: tally rollback, or promote another"


def _withdrawn(event: ReleaseWithdrawn, known: Standing, people: People, at: datetime) -> Objections:
    """Less of something takes one person, as going back does."""
    request, serves = known.requests.get(event.request_id), known.serving(event.alias, at)
    yield _role(event, people, at, OWNER, APPROVER)
    yield _reason(event)
    if request is None:
        yield True, f"there is no request {event.request_id}; see: tally requests --all"
        return
    yield _about(event, request)
    yield event.alias == CHAMPION, "the champion is not withdrawn; back: tally rollback --reason …"
    yield serves is None or serves.promotion.request_id != request.id, f"request {request.id} lets nothing serve as {event.alias} now"


def worse(first: tuple[GateFinding, ...], again: tuple[GateFinding, ...]) -> tuple[GateFinding, ...]:
    """Each gate once, as it was found at last, but failed where it failed either time."""
    failed = {one.gate: one for one in first if not one.passed}
    return tuple(failed.get(one.gate, one) for one in again)


RULES: dict[type[Event], Callable[..., Objections]] = {
    ReleaseRegistered: _registered, PromotionRequested: _requested, PromotionApproved: _approved, PromotionRejected: _rejected,
    GateWaived: _waived, ReleasePromoted: _promoted, ReleaseRolledBack: _rolled_back, ReleaseRetired: _retired,
    ReleaseWithdrawn: _withdrawn,
}
