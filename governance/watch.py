"""The alias against the record: what the watch is to do about what it sees. Pure.

Responsible for never letting an alias decide: setting it is a wish, which becomes a request by nobody in particular unless people have
agreed already. Refuses to mistake an alias that lags behind the record, after a rollback or a lapsed waiver, for somebody's wish.
Does nothing twice: what was said or done is in the record, and two watches come to the same steps with the same ids.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from governance.aliases import Named
from governance.events import CHAMPION, UNKNOWN
from governance.standing import Promotion, Request, Serving, Standing


@dataclass(frozen=True)
class Say:
    """Record that the alias names something: in line with the record, or not. unique: of this move, the same for every watch."""

    named: Named
    instead_of: str
    approved: bool
    unique: str
    put_back: bool = False


@dataclass(frozen=True)
class Ask:
    """Open a request by `unknown`: somebody set the alias."""

    named: Named
    request_id: str


@dataclass(frozen=True)
class Promote:
    """Let an approved request take effect."""

    request: Request


@dataclass(frozen=True)
class Let:
    """Let the alias name the version that the record says serves. why: for the log."""

    version: str
    why: str


@dataclass(frozen=True)
class Place:
    """Fetch, verify and point to what the record says serves. cause: for the record."""

    promotion: Promotion
    cause: str


Step = Say | Ask | Promote | Let | Place


def reconcile(standing: Standing, named: Named | None, *, put_back: bool, alias: str = CHAMPION) -> list[Step]:
    """What to do about an alias, in order. named: what it names now; put_back: whether an unapproved move is undone."""
    serves = standing.serving(alias)
    if named is None or (serves and serves.promotion.release_id == named.release_id):
        return _in_line(standing, named, serves, alias)
    approved = [one for one in standing.waiting(named.release_id, alias) if one.state(standing.at) == "approved"]
    if approved:
        return [Promote(approved[0])]
    said = _said(standing, named, serves, alias)
    if serves and not said and lags(standing, named, serves, alias):
        return [Let(serves.promotion.version, "the alias lagged behind the record")]
    steps: list[Step] = []
    if not said and _may_ask(standing, named, alias):
        steps.append(Ask(named, request_id(standing, named, alias)))
    if not said:
        instead = serves.promotion.release_id if serves else ""
        steps.append(Say(named, instead, approved=False, unique=unique(standing, alias), put_back=put_back and serves is not None))
    if put_back and serves:
        steps.append(Let(serves.promotion.version, "nobody approved what it named"))
    return steps


def to_place(standing: Standing, pointed: str, alias: str = CHAMPION) -> Place | None:
    """What is to be placed, where the pointer names another release or the record does not know that it was placed."""
    serves = standing.serving(alias)
    if serves is None:
        return None
    due = serves.promotion
    placed = standing.placed.get((alias, due.release_id))
    if pointed == due.release_id and placed and placed >= serves.since:
        return None
    cause = "a waiver lapsed" if serves.since > due.since else "rolled back" if due.back else "promoted"
    return Place(due, cause)


def lags(standing: Standing, named: Named, serves: Serving, alias: str = CHAMPION) -> bool:
    """Whether the alias names what served before and was never in line since: nobody moved it, the record moved on."""
    seen = standing.seen.get(alias, ())
    in_line = any(one.at >= serves.since and one.event.release_id == serves.promotion.release_id for one in seen)
    before = {one.release_id for one in standing.promotions if one.alias == alias and one.since < serves.since}
    return not in_line and (named.release_id in before or serves.promotion.replaces == named.release_id)


def unique(standing: Standing, alias: str) -> str:
    """The id of what is said next of an alias: how often something was."""
    return f"{alias}:{len(standing.seen.get(alias, ())) + 1}"


def request_id(standing: Standing, named: Named, alias: str) -> str:
    """The id of a request nobody put their name to: of the release and how often it was asked for so, the same for every watch."""
    before = sum(one.release_id == named.release_id and one.by.name == UNKNOWN for one in standing.requests.values())
    return hashlib.sha256(f"{alias} {named.release_id} {before}".encode()).hexdigest()[:12]


def _in_line(standing: Standing, named: Named | None, serves: Serving | None, alias: str) -> list[Step]:
    """The alias names what serves: say so once after every move. One that names nothing is given what serves."""
    if serves is None:
        return []
    if named is None:
        return [Let(serves.promotion.version, "the alias named nothing")]
    if _said(standing, named, serves, alias):
        return []
    return [Say(named, "", approved=True, unique=unique(standing, alias))]


def _said(standing: Standing, named: Named, serves: Serving | None, alias: str) -> bool:
    """Whether this very move is what was said last of the alias, since what serves began to."""
    seen = standing.seen.get(alias, [])[-1:]
    return any((one.event.version, one.event.release_id) == (named.version, named.release_id)
               and (serves is None or one.at >= serves.since) for one in seen)


def _may_ask(standing: Standing, named: Named, alias: str) -> bool:
    """Whether a request can be opened for it: it carries a release the record knows, and nobody asked yet."""
    known = named.release_id in standing.releases and named.release_id not in standing.retired
    return known and not standing.waiting(named.release_id, alias)
