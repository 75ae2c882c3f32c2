"""What people do about promotion: ask, agree, refuse, override, let serve, go back, retire. Checked, signed and appended.

Responsible for telling a person before anything is recorded why the rules do not allow it, and afterwards whether it took effect: of two
people at the same moment the record decides. Refuses with PromotionError. Sets no alias and fetches no release: `tally.promotion` does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import structs

from feature_repo.errors import LedgerError, PromotionError
from governance import events
from governance.cards import SAID, holds_card
from governance.current import Current
from governance.events import CHAMPION, Actor, Event, GateFinding
from governance.ledger.writer import Ledger
from governance.rules import forbidden, unique
from governance.splits import Split
from governance.standing import Promotion, Registered, Request, Standing

PATIENCE = 30.0
Gates = tuple[GateFinding, ...]


@dataclass(frozen=True)
class Wish:
    """What a release is to serve as. split: of a challenger; an experiment without a name is named after the request.

    request_id: one of their own for those who may ask twice for the same thing, such as two watches.
    """

    alias: str = CHAMPION
    split: Split | None = None
    request_id: str = ""


AS_CHAMPION = Wish()


@dataclass(frozen=True)
class Acting:
    """Somebody at work on a portfolio's record. who: as events name them; sign: with their key; what a process says is not signed."""

    current: Current
    ledger: Ledger
    who: Actor
    sign: Callable[[Event], Event]

    def standing(self) -> Standing:
        return self.current.look()

    def say(self, event: Event) -> Standing:
        """Check, sign and append an event; the standing with it. Raises PromotionError where the rules do not allow it."""
        refuse_cards(event)
        before = self.standing()
        if why := forbidden(event, before, self.current.people, datetime.now(UTC)):
            raise PromotionError(why)
        entry = events.entry(self.sign(event), unique(event))
        try:
            (record,) = self.ledger.append([entry]).result(PATIENCE)
        except LedgerError:
            if why := forbidden(event, self.standing(), self.current.people, datetime.now(UTC)):
                raise PromotionError(why) from None
            raise
        after = self.standing()
        for ignored in after.ignored:
            if (ignored.entry, ignored.at) == (record.id, record.recorded_at):
                raise PromotionError(f"somebody was quicker: {ignored.why}")
        return after


    def note(self, event: Event, own: str) -> None:
        """Append what a process saw or did; own: what makes it the only one. Another process that said it first is no error."""
        entry = events.entry(event, own)
        try:
            self.ledger.append([entry]).result(PATIENCE)
        except LedgerError:
            if self.current.book.find("id", entry.id) is None:
                raise


def refuse_cards(event: Event) -> None:
    """Raise PromotionError where the reason somebody gives would put a card number into the record, which keeps it."""
    if holds_card(getattr(event, "reason", "")):
        raise PromotionError(f"a reason {SAID}; give it without")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def request(acting: Acting, release: Registered, reason: str, gates: Gates, wish: Wish = AS_CHAMPION) -> Request:
    """Ask for a release to serve."""
    new = wish.request_id or secrets.token_hex(6)
    split = wish.split and structs.replace(wish.split, experiment=wish.split.experiment or new)
    said = acting.say(events.PromotionRequested(by=acting.who, at=now(), request_id=new, release_id=release.release_id, alias=wish.alias,
                                                version=release.version, reason=reason, gates=gates, split=split))
    return said.requests[new]


def approve(acting: Acting, of: Request, reason: str) -> Request:
    """Agree."""
    said = acting.say(events.PromotionApproved(by=acting.who, at=now(), request_id=of.id, release_id=of.release_id, reason=reason))
    return said.requests[of.id]


def reject(acting: Acting, of: Request, reason: str) -> Request:
    """Do not agree, or think better of one's own request: it is over."""
    said = acting.say(events.PromotionRejected(by=acting.who, at=now(), request_id=of.id, release_id=of.release_id, reason=reason))
    return said.requests[of.id]


def waive(acting: Acting, of: Request, gate: str, until: datetime, reason: str) -> Request:
    """Override a failed gate of one request until a moment."""
    said = acting.say(events.GateWaived(by=acting.who, at=now(), request_id=of.id, release_id=of.release_id, gate=gate, reason=reason,
                                        until=until.astimezone(UTC).isoformat()))
    return said.requests[of.id]


def promotion_of(acting: Acting, of: Request, gates: Gates, reason: str) -> events.ReleasePromoted:
    """What is to be said where an approved request takes effect."""
    serves = acting.standing().serving(of.alias)
    return events.ReleasePromoted(by=acting.who, at=now(), request_id=of.id, release_id=of.release_id, version=of.version, alias=of.alias,
                                  replaces=serves.promotion.release_id if serves else "", gates=gates, reason=reason)


def promote(acting: Acting, of: Request, gates: Gates, reason: str = "") -> Promotion:
    """Let an approved request take effect. gates: as they stand now."""
    made = acting.say(promotion_of(acting, of, gates, reason)).promotions
    return next(one for one in reversed(made) if one.request_id == of.id)


def require(acting: Acting, event: Event) -> None:
    """Raise PromotionError where the rules do not allow an event now, before something is done that cannot be taken back."""
    refuse_cards(event)
    if why := forbidden(event, acting.standing(), acting.current.people, datetime.now(UTC)):
        raise PromotionError(why)


def rollback(acting: Acting, reason: str) -> Promotion:
    """Back to the newest release that served before and still may. Raises PromotionError where there is none."""
    line, serves = acting.standing().line(), acting.standing().serving()
    before = next((one for one in line if serves and one.release_id != serves.promotion.release_id), None)
    if serves is None or before is None:
        raise PromotionError("nothing to go back to: no release served before that still may; promote another: tally request")
    said = acting.say(events.ReleaseRolledBack(by=acting.who, at=now(), release_id=before.release_id, version=before.version,
                                               alias=before.alias, replaces=serves.promotion.release_id, reason=reason))
    return said.promotions[-1]


def withdraw(acting: Acting, alias: str, reason: str) -> Promotion:
    """End a shadow or a split before its time; what it was. Raises PromotionError where there is none."""
    serves = acting.standing().serving(alias)
    if serves is None:
        raise PromotionError(f"no release serves as {alias}, so there is nothing to withdraw; see: tally requests --all")
    was = serves.promotion
    acting.say(events.ReleaseWithdrawn(by=acting.who, at=now(), request_id=was.request_id, release_id=was.release_id, alias=alias,
                                       reason=reason))
    return was


def retire(acting: Acting, release_id: str, reason: str) -> None:
    """Never let a release serve again."""
    acting.say(events.ReleaseRetired(by=acting.who, at=now(), release_id=release_id, reason=reason))


def chosen(standing: Standing, prefix: str | None, state: str | None = None) -> Request:
    """The request whose id begins so; without one, the only one there is in that state. Raises PromotionError, naming what there is."""
    found = standing.named(prefix) if prefix else [one for one in standing.requests.values() if state in (None, one.state(standing.at))]
    if len(found) == 1:
        return found[0]
    there = ", ".join(one.id for one in found or standing.requests.values() if found or one.open) or "none is open"
    asked = f"begin with {prefix}" if prefix else f"are {state}"
    raise PromotionError(f"{len(found)} requests {asked} ({there}); name one, see: tally requests")
