"""One lending product: its tables, outcome, rules and derived features, checked for contradictions when declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

from feature_repo import contradictions
from feature_repo.contract import (
    Applicant,
    Application,
    Derived,
    Input,
    Outcome,
    Outside,
    Protected,
    Request,
    Risk,
    Rule,
    Stored,
    Table,
)
from feature_repo.refusal import refuse
from feature_repo.sources import EventTime

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """All that a lending product means. `inputs` is the model's order: request, stored, derived, as declared.

    amount: the requested column that profit and loss are shares of; without one, all loans count alike. segments: columns with levels by
    which monitoring tells parts of the portfolio apart.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    outcome: Outcome
    rules: tuple[Rule, ...] = ()
    simulator: str | None = None
    amount: str | None = None
    segments: tuple[str, ...] = ()
    _derived: list[Derived] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        contradictions.refuse_undecided(self.name, contradictions.undecided(self.tables, self.outcome, self.title, self.rules))
        contradictions.refuse_names(self.name, self._names)
        contradictions.refuse_tables(self.name, self.tables)
        contradictions.refuse_times(self.name, self.tables, self.outcome)
        contradictions.refuse_outcome(self.name, self.outcome)
        contradictions.refuse_window(self.name, self.applications, self.outcome)
        contradictions.refuse_early(self.name, self.applications, self.outcome)
        contradictions.refuse_amount(self.name, self.amount, self.requests)
        contradictions.refuse_segments(self.name, self.segments, self.raw_inputs)
        for rule in self.rules:
            self._refuse_function(rule.code, rule.when, rule.arguments, rule.reason)

    def derived(self, *, meaning: str = "", unit: str = "", risk: Risk = Risk.NONE, reason: str = "",
                outside: Outside = Outside.REFER) -> Callable[[Function], Function]:
        """Declare the decorated function as a derived feature; its arguments name number columns declared before it."""

        def declare(function: Function) -> Function:
            column = Derived(function=function, meaning=meaning, unit=unit, risk=risk, reason=reason, outside=outside)
            contradictions.refuse_undecided(self.name, contradictions.undecided_of(column.name, column))
            contradictions.refuse_names(self.name, [*self._names, column.name])
            self._refuse_function(column.name, function, column.arguments, reason)
            self._derived.append(column)
            return function

        return declare

    def _refuse_function(self, name: str, function: Function, arguments: tuple[str, ...], reason: str) -> None:
        numbers = {column.name for column in self.inputs if not column.is_level}
        unknown = sorted(set(arguments) - numbers)
        refuse(unknown, f"{self.name}.{name}: not number columns of this portfolio: {unknown}; there are {sorted(numbers)}")
        contradictions.refuse_outside_names(f"{self.name}.{name}", function)
        contradictions.refuse_empty_reason(f"{self.name}.{name}", reason)

    @property
    def _names(self) -> list[str]:
        """Every column name that is taken."""
        return [*(column.name for column in (*self.inputs, *self.protected)), *(table.as_of for table in self.views)]

    @property
    def applications(self) -> Table:
        return self.tables[0]

    @property
    def is_dated(self) -> bool:
        return isinstance(self.applications.time, EventTime)

    @cached_property
    def requests(self) -> tuple[Request, ...]:
        return self.applications.select(Request)

    @cached_property
    def stored(self) -> tuple[Stored, ...]:
        return tuple(column for table in self.tables for column in table.stored)

    @cached_property
    def views(self) -> tuple[Table, ...]:
        """The tables that hold stored columns: one Feast view each."""
        return tuple(table for table in self.tables if table.stored)

    @cached_property
    def ageing(self) -> tuple[tuple[Table, Stored, float], ...]:
        """Every stored column with its table and its limit in seconds, infinite where it does not age.

        Nothing ages where there is no time axis, whatever `fresh_for` says.
        """
        return tuple((table, column, column.fresh_for.total_seconds() if self._dates(table) and column.fresh_for is not None else inf)
                     for table in self.views for column in table.stored)

    @cached_property
    def raw_inputs(self) -> tuple[Input, ...]:
        return (*self.requests, *self.stored)

    def _dates(self, table: Table) -> bool:
        return self.is_dated and isinstance(table.time, EventTime)

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
