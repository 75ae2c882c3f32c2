"""Decisions that a person decided otherwise: who may, for which reasons, and what every override in the record amounts to.

An override changes no decision and no answer that was given: it is a statement beside it, signed, by a person with the role underwriter. Of
several for one decision the newest counts. Refuses an outcome that is the service's own, a decision whose content is gone, and a reason
that is not one of the list. Free text says more; whoever writes it is asked to name nobody, since it is never erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from feature_repo.errors import LedgerError, PromotionError
from governance import actions, events
from governance.actions import Acting
from governance.ledger.entries import DECISION, Record
from governance.observations import DecisionOverridden, Verdict
from governance.people import People
from governance.rules import FRESH, moment

LONGEST = 500
REASONS = {
    "documents": "income, identity or assets were shown by documents",
    "wrong-data": "a value of the application or of the store was wrong",
    "circumstances": "a circumstance that no input of the model knows",
    "policy-exception": "an exception that the credit policy grants",
    "fraud-suspicion": "a suspicion of fraud that no input of the model shows",
    "other": "none of these: the text says it",
}


@dataclass(frozen=True)
class Overrides:
    """Those that count, the newest of each decision; ignored: entry -> why it does not."""

    newest: dict[str, DecisionOverridden]
    ignored: dict[str, str]


class Said(NamedTuple):
    """What a person wants instead. came_at: the business time of it."""

    outcome: Verdict
    code: str
    reason: str
    came_at: datetime


def override(acting: Acting, decision: Record, said: Said) -> DecisionOverridden:
    """Record that a person decides otherwise. Raises PromotionError where that is not allowed."""
    if decision.kind != DECISION or decision.erased:
        raise PromotionError(f"{decision.id} is no decision whose content is there; nothing is left to override")
    event = DecisionOverridden(by=acting.who, at=actions.now(), decision_id=decision.id, was=decision.content["outcome"],
                               outcome=said.outcome, code=said.code, reason=said.reason, came_at=said.came_at.isoformat())
    actions.refuse_cards(event)
    acting.current.look()  # so that people are those of now
    if why := objection(event, acting.current.people, datetime.now(UTC)):
        raise PromotionError(why)
    acting.note(acting.sign(event), f"{event.decision_id}:{event.by.name}:{event.at}")
    return event


def objection(event: DecisionOverridden, people: People, at: datetime) -> str:
    """Why an override may not be said; empty where it may."""
    if why := people.lacks(event.by, at, "underwriter"):
        return why
    if moment(event.came_at) is None:
        return "when it was said in business time is no time with its zone"
    if event.code not in REASONS:
        return f"{event.code} is no reason of the list: {', '.join(REASONS)}"
    if not event.reason.strip() or len(event.reason) > LONGEST:
        return f"a text of at most {LONGEST} characters is missing; it is kept for good, so name nobody"
    return f"the service itself said {event.was}; an override is another outcome" if event.was == event.outcome else ""


def of(records: Iterable[Record], people: People, until: datetime | None = None) -> Overrides:
    """Every override among records in recorded order, said before a moment."""
    found, said = Overrides({}, {}), set[bytes]()
    for record in records:
        if record.kind == events.NAMES[DecisionOverridden]:
            try:
                event, at = events.of(record), datetime.fromisoformat(record.recorded_at)
            except (LedgerError, ValueError):
                found.ignored[record.id] = "it cannot be read as what it claims to be"
                continue
            if isinstance(event, DecisionOverridden):
                if why := people.fault(event, at) or objection(event, people, at) or _played_again(event, at, said):
                    found.ignored[record.id] = why
                elif until is None or datetime.fromisoformat(event.came_at) < until:
                    found.newest[event.decision_id] = event
    return found


def _played_again(event: DecisionOverridden, at: datetime, said: set[bytes]) -> str:
    """Why a genuine override does not count: else whoever can write the database puts an old one on top. said: statements so far."""
    if (statement := events.statement(event)) in said:
        return "it is a copy of an earlier entry"
    said.add(statement)
    signed_at = moment(event.at)
    return "it was said too long before it was recorded" if signed_at is None or abs(at - signed_at) > FRESH else ""
