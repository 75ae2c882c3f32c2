"""From a JSON document to an application, by the contract: what a lending system may say, and what it said.

Responsible for every check of a request's content, the first `MOST_FAULTS` faults in one refusal. Refuses unknown fields, a text for a
number, true for a number, what is out of bounds or not a declared level. Decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

from feature_repo.contract import APPLICANT_ID, OTHER, Input, WhenStale
from feature_repo.portfolio import Portfolio
from serving.problems import Fault, Problem, step
from serving.texts import Invalid, text

APPLICATION = "application"
DECISIONS = "decisions"
NONE_OURS = re.compile("")
MOST_FAULTS = 50
Value = float | str | None
Checked = TypeVar("Checked")


@dataclass(frozen=True)
class Application:
    """A valid request. values: every request column; said: stored columns the applicant may state where the store has no current value."""

    applicant_id: str
    values: dict[str, Value]
    said: dict[str, Value]


class Faults:
    """What is wrong with one request, up to `MOST_FAULTS`: a refusal must not outgrow what it refuses. kind: of the problem it makes."""

    def __init__(self, kind: str = "invalid-application") -> None:
        self.kind = kind
        self.found: list[Fault] = []

    def add(self, at: str, allowed: str) -> None:
        """Note a fault. Raises Problem where there are enough."""
        if len(self.found) == MOST_FAULTS:
            raise refusal(self.kind, f"more than {MOST_FAULTS}", self.found)
        self.found.append(Fault(at, allowed))

    def require_none(self) -> None:
        """Raises Problem with every fault that was found."""
        if self.found:
            raise refusal(self.kind, f"{len(self.found)}", self.found)


class Checks:
    """How a part of a document is checked: what is wrong is noted with its place, and the rest is looked at all the same."""

    def fields(self, document: Any, at: str, known: set[str], faults: Faults) -> Mapping[str, Any]:
        """The fields of an object; one that is not known is a fault."""
        if not isinstance(document, dict):
            faults.add(at, f"must be an object with the fields {sorted(known)}")
            return {}
        for name in (name for name in document if name not in known):
            faults.add(step(at, name), f"is not a field here; there are {sorted(known)}")
        return document

    def checked(self, check: Callable[..., Checked], value: Any, at: str, faults: Faults, *more: Any) -> Checked | None:
        """What a check makes of a value; None where it is not allowed."""
        try:
            return check(value, *more)
        except Invalid as invalid:
            faults.add(at, str(invalid))
            return None


class Form(Checks):
    """What the API of a portfolio accepts. own_ids: applicants' ids that are known to be no card numbers, whatever they look like."""

    def __init__(self, portfolio: Portfolio, own_ids: re.Pattern[str] = NONE_OURS) -> None:
        self._own_ids = own_ids
        self.requests = {column.name: column for column in portfolio.requests}
        self.said = {column.name: column for column in portfolio.stored if column.when_stale is WhenStale.REQUEST}

    def one(self, document: Any) -> Application:
        """A single application. Raises Problem with what is wrong in it."""
        faults = Faults()
        found = self._application(document, "", faults)
        faults.require_none()
        return found

    def many(self, document: Any, most: int) -> list[Application]:
        """A batch of 1 to `most` applications. Raises Problem: one that is not valid refuses them all."""
        faults = Faults()
        given, at = self.fields(document, "", {DECISIONS}, faults).get(DECISIONS), f"/{DECISIONS}"
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            faults.add(at, f"must be a list of 1 to {most} applications")
            given = []
        found = [self._application(item, f"{at}/{place}", faults) for place, item in enumerate(given)]
        faults.require_none()
        return found

    def _application(self, document: Any, at: str, faults: Faults) -> Application:
        whole = self.fields(document, at, {APPLICANT_ID, APPLICATION}, faults)
        applicant = self.checked(identifier, whole.get(APPLICANT_ID), f"{at}/{APPLICANT_ID}", faults, self._own_ids)
        inside = f"{at}/{APPLICATION}"
        given = self.fields(whole.get(APPLICATION), inside, {*self.requests, *self.said}, faults)
        values = {name: self.checked(column_value, given.get(name), f"{inside}/{name}", faults, column)
                  for name, column in self.requests.items()}
        said = {name: self.checked(column_value, given[name], f"{inside}/{name}", faults, column)
                for name, column in self.said.items() if given.get(name) is not None}
        return Application(str(applicant), values, said)


def refusal(kind: str, how_many: str, faults: Sequence[Fault]) -> Problem:
    """A request that is not valid, with its faults or the first of them."""
    return Problem(kind, f"{how_many} of the values sent are not as the contract says; {len(faults)} are named", faults)


def identifier(value: Any, own: re.Pattern[str] = NONE_OURS) -> str:
    """An applicant's id, in Unicode's composed form, so that one person has one id. own: ids that are no card numbers."""
    return text(value, ours=own.fullmatch)


def column_value(value: Any, column: Input) -> Value:
    """A column's value as scoring takes it: a float, a level name, or None where it may be missing."""
    if value is None:
        if column.nullable:
            return None
        raise Invalid("must be given")
    return level(value, column) if column.is_level else number(value, column)


def level(value: Any, column: Input) -> str:
    """The name of a declared level; one not declared is `other` where the contract has it."""
    try:
        normal = text(value)
    except Invalid:
        if column.other:
            raise
        normal = ""
    if normal not in column.level_names and not column.other:
        raise Invalid(f"must be one of {list(column.level_names)}")
    return normal if normal in column.level_names else OTHER


def number(value: Any, column: Input) -> float:
    """A finite number within its bounds, or one of its codes; -0.0 becomes 0.0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (isinstance(value, int) and abs(value) > 2**1000):
        raise Invalid(f"must be a number{bounds(column)}")
    real = float(value) + 0.0
    low, high = column.low, column.high
    if not isfinite(real) or (real not in column.special and ((low is not None and real < low) or (high is not None and real > high))):
        raise Invalid(f"must be a number{bounds(column)}")
    return real


def bounds(column: Input) -> str:
    """The bounds of a column in words."""
    limits = [f"{word} {limit:g}" for word, limit in (("at least", column.low), ("at most", column.high)) if limit is not None]
    return " " + " and ".join(limits) + (f" {column.unit}" if column.unit else "") if limits else ""
