"""What people may do at the desk: each action of `governance.actions`, in the name of whoever the token belongs to.

The desk signs with its own key that this person came with their token; the rules of promotion judge the person. Refuses a body that is not
exactly as declared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from governance import actions, overrides
from governance.actions import Acting, Wish
from governance.overrides import Said
from governance.splits import Split
from governance.standing import Request
from tally import placing, promotion, watching
from tally.arriving import business_now
from tally.checkout import Checkout
from tally.desk import reading
from tally.questions import Questions

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom a challenger decides, and until when; an experiment without a name has the request's."""

    share: float
    until: Moment
    experiment: str = ""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request. version: of the registry; none: the newest candidate; split: of a challenger."""

    reason: Reason
    version: str | None = None
    alias: Literal["champion", "challenger", "shadow"] = "champion"
    split: Share | None = None


class Less(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shadow or a split that is to end."""

    alias: Literal["challenger", "shadow"]
    reason: Reason


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What needs a reason and nothing else."""

    reason: Reason


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A waiver of one gate until a moment with its zone."""

    gate: Annotated[str, msgspec.Meta(max_length=100)]
    until: Moment
    reason: Reason


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A promotion; the request has a reason of its own."""

    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release that may never serve again."""

    release_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    reason: Reason


class Otherwise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another outcome than the service's. code: one of the declared reasons; reason: in words, which are never erased: name nobody."""

    outcome: Literal["approve", "decline"]
    code: Annotated[str, msgspec.Meta(max_length=100)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=overrides.LONGEST)]


@dataclass(frozen=True)
class Act:
    """Somebody about to act. request_id: of the path, a request's or a decision's, or empty."""

    checkout: Checkout
    who: Acting
    request_id: str = ""

    @property
    def of(self) -> Request:
        return actions.chosen(self.who.standing(), self.request_id)

    def told(self, one: Request) -> Any:
        return reading.wish(one, one.state(self.who.standing().at))


def request(act: Act, body: Wanted) -> Any:
    release = promotion.registered(act.checkout, act.who.standing(), body.version)
    found = placing.fetched(act.checkout, release, act.who.current.people)
    said = body.split
    wish = Wish(body.alias, Split(said.experiment, said.share, said.until.astimezone(UTC).isoformat()) if said else None)
    return act.told(actions.request(act.who, release, body.reason, placing.judged(found, act.who.standing(), act.who.current.book), wish))


def approve(act: Act, body: Why) -> Any:
    return act.told(actions.approve(act.who, act.of, body.reason))


def reject(act: Act, body: Why) -> Any:
    return act.told(actions.reject(act.who, act.of, body.reason))


def waive(act: Act, body: Override) -> Any:
    return act.told(actions.waive(act.who, act.of, body.gate, body.until, body.reason))


def promote(act: Act, body: Effect) -> Any:
    """The alias first, then the record, then the service."""
    made = promotion.take_effect(act.checkout, act.who, act.of, body.reason)
    watching.once(act.checkout)
    return made


def rollback(act: Act, body: Why) -> Any:
    made = actions.rollback(act.who, body.reason)
    watching.once(act.checkout)
    return made


def override(act: Act, body: Otherwise) -> Any:
    decision = Questions(act.checkout.home, act.checkout.portfolio.name).decision(act.request_id)
    return overrides.override(act.who, decision, Said(body.outcome, body.code, body.reason, business_now()))


def withdraw(act: Act, body: Less) -> Any:
    was = actions.withdraw(act.who, body.alias, body.reason)
    watching.once(act.checkout)
    return was


def retire(act: Act, body: End) -> Any:
    actions.retire(act.who, body.release_id, body.reason)
    return {"release_id": body.release_id, "retired": True}


Do = Callable[[Act, Any], Any]
