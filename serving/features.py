"""What the age of stored features means for a decision: which of them it may use, and what follows where it may not.

Responsible for the policy of each stored column (`fresh_for`, `when_stale`), whichever store was read, and for saying of each what was
found. Never fills in a value of its own. Reads nothing (`serving.online` does) and decides nothing about the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from feature_repo.contract import Stored, WhenStale
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value
from feature_repo.freshness import is_fresh
from feature_repo.portfolio import Portfolio


class State(StrEnum):
    """What the store had of a column. A value of the future is stale, one that is known to be missing is missing."""

    CURRENT = "current"
    MISSING = "missing"
    STALE = "stale"
    UNREACHABLE = "unreachable"


class Judged(NamedTuple):
    """Stored columns as the decision may use them. doubtful: makes it degraded and a referral; refused: forbids a decision.

    states: what the store had of each, whatever the request said.
    """

    values: dict[str, Value]
    doubtful: tuple[str, ...]
    refused: tuple[str, ...]
    states: dict[str, State]


def fresh(portfolio: Portfolio, values: Mapping[str, Value] | None, decided_at: datetime,
          said: Mapping[str, Value] | None = None) -> Judged:
    """Apply `fresh_for` and `when_stale` to what the store returned; what is out of date becomes None, as it is offline.

    values: None where the store could not be read. decided_at: zoned. said: values of the request for columns declared
    `WhenStale.REQUEST`; one is used only where the stored value is missing or out of date.
    Not relied on, and so reported by its policy: a value out of date or from after `decided_at`, an unreachable one, and a missing one
    that is not nullable. A nullable value that was never known is an answer, not a doubt.
    """
    if decided_at.tzinfo is None:
        raise FeatureError("decided_at has no time zone; ages are counted in UTC")
    at, stored, reachable = decided_at.timestamp(), values or {}, values is not None
    judged: dict[str, Value] = {}
    states: dict[str, State] = {}
    missed: list[Stored] = []
    for table, column, limit in portfolio.ageing:
        as_of = stored.get(table.as_of)
        current = isinstance(as_of, float) and is_fresh(as_of, at, limit)
        value = stored.get(column.name) if current else None
        never_known = reachable and (current or as_of is None)
        states[column.name] = _state(value, reachable=reachable, never_known=never_known)
        if value is None and said is not None and column.when_stale is WhenStale.REQUEST:
            value = said.get(column.name)
        judged[column.name] = value
        if value is None and not (column.nullable and never_known):
            missed.append(column)
    return Judged(judged, _names(missed, refused=False), _names(missed, refused=True), states)


def _state(value: Value, *, reachable: bool, never_known: bool) -> State:
    if value is not None:
        return State.CURRENT
    if not reachable:
        return State.UNREACHABLE
    return State.MISSING if never_known else State.STALE


def _names(missed: list[Stored], *, refused: bool) -> tuple[str, ...]:
    return tuple(column.name for column in missed if (column.when_stale is WhenStale.REFUSE) is refused)
