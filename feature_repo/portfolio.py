"""One lending product: its tables, outcome, rules and derived features, checked for contradictions when declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from feature_repo.contract import (
    RESERVED,
    Applicant,
    Application,
    Derived,
    EventTime,
    Input,
    Outcome,
    Protected,
    Request,
    Risk,
    Rule,
    Stored,
    Table,
    duplicates,
    refuse,
    walk,
)

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """All that a lending product means. `inputs` is the model's order: request, stored, derived, as declared."""

    name: str
    title: str
    tables: tuple[Table, ...]
    outcome: Outcome
    rules: tuple[Rule, ...] = ()
    simulator: str | None = None
    _derived: list[Derived] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        names = [column.name for column in self.raw_inputs] + [column.name for column in self.protected]
        names += [table.as_of for table in self.views]
        refuse(duplicates(names), f"{self.name}: columns declared twice: {duplicates(names)}")
        reserved = sorted(RESERVED.intersection(names))
        refuse(reserved, f"{self.name}: these names are the platform's own, choose others: {reserved}")
        refuse(not all(name.isidentifier() for name in names), f"{self.name}: column names must be Python identifiers")
        refuse(not self.requests, f"{self.name}: at least one Request column is needed, an application says something")
        for table in self.tables:
            refuse(len(table.select(Applicant)) != 1, f"{self.name}.{table.name}: exactly one Applicant column is needed")
        for table in self.tables[1:]:
            refuse(table.select(Request, Protected), f"{self.name}.{table.name}: only the first table may hold Request and Protected")
        for rule in self.rules:
            self._refuse_unknown(rule.code, rule.arguments)

    def derived(self, *, unit: str = "", risk: Risk = Risk.NONE, reason: str = "") -> Callable[[Function], Function]:
        """Declare the decorated function as a derived feature; its arguments name number columns declared before it."""

        def declare(function: Function) -> Function:
            column = Derived(function=function, unit=unit, risk=risk, reason=reason)
            refuse(column.name in {known.name for known in self.inputs}, f"{self.name}: {column.name} is declared twice")
            self._refuse_unknown(column.name, column.arguments)
            self._derived.append(column)
            return function

        return declare

    def _refuse_unknown(self, name: str, arguments: tuple[str, ...]) -> None:
        numbers = {column.name for column in self.inputs if not column.is_level}
        unknown = sorted(set(arguments) - numbers)
        refuse(unknown, f"{self.name}.{name}: not number columns of this portfolio: {unknown}; there are {sorted(numbers)}")

    @property
    def applications(self) -> Table:
        return self.tables[0]

    @property
    def is_dated(self) -> bool:
        return isinstance(self.applications.time, EventTime)

    @property
    def requests(self) -> tuple[Request, ...]:
        return self.applications.select(Request)

    @property
    def stored(self) -> tuple[Stored, ...]:
        return tuple(column for column in walk(self.tables) if isinstance(column, Stored))

    @property
    def views(self) -> tuple[Table, ...]:
        """The tables that hold stored columns: one Feast view each."""
        return tuple(table for table in self.tables if table.stored)

    @property
    def raw_inputs(self) -> tuple[Input, ...]:
        return (*self.requests, *self.stored)

    @property
    def derived_columns(self) -> tuple[Derived, ...]:
        return tuple(self._derived)

    @property
    def inputs(self) -> tuple[Input | Derived, ...]:
        return (*self.raw_inputs, *self._derived)

    @property
    def protected(self) -> tuple[Protected, ...]:
        return self.applications.select(Protected)

    @property
    def application_key(self) -> Application | Applicant:
        """What identifies one application: its own key, else the applicant's."""
        keys: tuple[Application | Applicant, ...] = (*self.applications.select(Application), *self.applications.select(Applicant))
        return keys[0]
