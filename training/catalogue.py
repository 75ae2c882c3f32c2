"""The catalogue of a portfolio: every column of its contract once, with what is declared of it and what its data show.

Figures are of development: distributions of everyone who applied, evidence of the outcomes that make the model. Holds no value of a
person and no example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import msgspec
import pandas as pd

from feature_repo import wording
from feature_repo.contract import (
    APPLICANT_ID,
    APPLICATION_ID,
    BAD,
    EVENT_TIME,
    Applicant,
    Application,
    Derived,
    Ignored,
    Input,
    Protected,
    Table,
)
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from feature_repo.verdict import Broken
from training import declarations, information, population
from training.declarations import Facts
from training.information import AGAINST, Figures
from training.over_time import Span, Spans
from training.params import Count, Share, Strict
from training.population import Group, Part
from training.splits import DEVELOPMENT, PART, PERIOD

MOST_NAMED = 3
USED = ("request", "stored", "derived", "protected", "ignored")
UNUSED = {Applicant: (APPLICANT_ID, "applicant's key"), Application: (APPLICATION_ID, "application's key"), Ignored: ("", "ignored")}


class Catalogue(Strict, frozen=True):
    """Section `catalogue` of params.yaml."""

    bins: Annotated[int, msgspec.Meta(ge=2)]
    least: Count
    direction: Share


@dataclass(frozen=True)
class Entry:
    """A column: what it is called here (`name`) and in the file (`raw`), what is declared of it, what its data show.

    in_file: share of its table's rows without a value; direction: what the data say of the declared one; over_time: of a stored one.
    """

    id: str
    table: str
    name: str
    raw: str
    kind: str
    meaning: str = ""
    unit: str = ""
    facts: Facts = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    in_file: float | None = None
    figures: Figures | None = None
    direction: str = ""
    groups: tuple[Group, ...] = ()
    over_time: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A table of the contract, or the derived features, with its columns in declared order."""

    name: str
    facts: Facts
    columns: tuple[Entry, ...]


@dataclass(frozen=True)
class Evidence:
    """What the stages before left: assembled applications, their parts, the vault, ingest.json's tables, warnings of validate.

    over_time: stored columns by span of applications.
    """

    portfolio: Portfolio
    params: Catalogue
    frame: pd.DataFrame
    parts: pd.DataFrame
    vault: pd.DataFrame
    ingested: dict[str, Any]
    warnings: tuple[Broken, ...]
    over_time: Spans = field(default_factory=dict)

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Figures of every input, by name."""
        develops = (self.parts[PERIOD] == DEVELOPMENT).to_numpy()
        makes = (self.parts[PART] == DEVELOPMENT).to_numpy()[develops]
        bad = self.frame.loc[develops, BAD].where(makes).to_numpy(dtype=float)
        return {column.name: _figures(column, self.frame.loc[develops, column.name], bad, self.params) for column in self.portfolio.inputs}

    @cached_property
    def members(self) -> pd.DataFrame:
        """Protected groups of every application."""
        return population.join(self.frame, self.vault)

    def warned(self, column: str, table: str = "") -> tuple[str, ...]:
        """Rules of validate that the column broke, in words; a name that other tables have too needs its table."""
        return tuple(_words(broken) for broken in self.warnings if broken.column == column and table in {"", broken.table})


def sheets(seen: Evidence) -> tuple[Sheet, ...]:
    """Every table of the contract, then the derived features, every column once."""
    tables = tuple(_sheet(seen, table) for table in seen.portfolio.tables)
    derived = tuple(_input(seen, f"derived-{place}", "", column) for place, column in enumerate(seen.portfolio.derived_columns))
    return (*tables, Sheet("derived features", {}, derived)) if derived else tables


def rules(portfolio: Portfolio) -> list[Facts]:
    """The knock-outs, in declared order."""
    return [{"code": rule.code, "when": declarations.formula(rule.when), "action": rule.action.value, "reason": rule.reason}
            for rule in portfolio.rules]


def by_information(found: Iterable[Sheet]) -> list[Entry]:
    """Every input, the one that says most of the outcome first."""
    return sorted((entry for sheet in found for entry in sheet.columns if entry.figures), key=_information, reverse=True)


def elsewhere(found: Iterable[Sheet], warnings: tuple[Broken, ...]) -> list[str]:
    """Warnings of validate that stand beside no column, such as those about a table."""
    entries = [entry for sheet in found for entry in sheet.columns]
    by_name = {entry.name for entry in entries if entry.figures or entry.groups}
    in_table = {(entry.table, entry.name or entry.raw) for entry in entries if entry.warnings}
    left = [broken for broken in warnings if broken.column not in by_name and (broken.table, broken.column) not in in_table]
    return [sentence for sentence, _ in wording.sentences(left)]


def findings(found: tuple[Sheet, ...], parts: tuple[Part, ...], others: list[str]) -> list[str]:
    """The catalogue in a few sentences."""
    columns = [entry for sheet in found for entry in sheet.columns]
    kinds = {kind: sum(entry.kind == kind for entry in columns) for kind in USED}
    ranked = [(entry.name, entry.figures) for entry in by_information(found) if entry.figures]
    told = [f"{name} {figures.information:.2f}" for name, figures in ranked[:MOST_NAMED] if figures.information is not None]
    named = {
        "Strongest alone, by information value": told,
        "The bad rate runs against the declared direction": [entry.name for entry in columns if entry.direction == AGAINST],
        "Without any value in development": [name for name, figures in ranked if figures.missing == 1],
        "Validate warns of": [entry.name or entry.raw for entry in columns if entry.warnings],
    }
    counted = f"{parts[0].applications:,} applications; columns: {', '.join(f'{count} {kind}' for kind, count in kinds.items() if count)}."
    alike = [] if told else ["No information values: all known outcomes of development are alike."]
    return [counted, *alike, *(f"{what}: {', '.join(names)}." for what, names in named.items() if names),
            *(f"Validate warns: {sentence}." for sentence in others)]


def _figures(column: Input | Derived, values: pd.Series, bad: Any, params: Catalogue) -> Figures:
    if isinstance(column, Input) and column.is_level:
        return information.of_level(values, bad, column.level_names, least=params.least)
    return information.of_number(values.to_numpy(dtype=float), bad, column.special, most=params.bins, least=params.least)


def _words(broken: Broken) -> str:
    wrong, _ = wording.RULES.get(f"{broken.rule} {broken.column}") or wording.RULES.get(broken.rule, (broken.rule, ""))
    rows = "" if broken.rule in wording.ROWLESS else f"{broken.count:,} of {broken.of:,} rows"
    facts = "; ".join(filter(None, (rows, broken.seen, broken.allowed)))
    return f"{wrong} ({facts})" if facts else wrong


def _information(entry: Entry) -> float:
    return (entry.figures.information or 0.0) if entry.figures else 0.0


def _sheet(seen: Evidence, table: Table) -> Sheet:
    read = seen.ingested[table.name]
    facts = {**declarations.facts(table), **declarations.time_of(table), "rows read": f"{read['rows']:,}",
             "digest read": declarations.text((read["sha256"],))}
    columns = (_column(seen, table, place) for place in range(len(table.columns)))
    return Sheet(table.name, facts, (*_structure(seen, table), *columns))


def _structure(seen: Evidence, table: Table) -> Iterator[Entry]:
    """The columns a contract names outside its list: time and outcome."""
    if isinstance(table.time, EventTime):
        yield Entry(f"{table.name}-time", table.name, EVENT_TIME, table.time.raw, "time", warnings=seen.warned(EVENT_TIME, table.name))
    if table is seen.portfolio.applications:
        for place, raw in enumerate(seen.portfolio.outcome.raws):
            warnings = () if place else seen.warned(BAD, table.name)
            yield Entry(f"{table.name}-outcome-{place}", table.name, "" if place else BAD, raw, "outcome", warnings=warnings)


def _column(seen: Evidence, table: Table, place: int) -> Entry:
    column, at = table.columns[place], f"{table.name}-{place}"
    if isinstance(column, Input):
        return _input(seen, at, table.name, column)
    if isinstance(column, Protected):
        groups = population.by_group(column, seen.members, seen.params.least)
        return Entry(at, table.name, column.name, column.raw, "protected", declarations.meaning(column), facts=declarations.facts(column),
                     warnings=seen.warned(column.name), groups=groups)
    (name, kind), facts = UNUSED[type(column)], declarations.facts(column)
    return Entry(at, table.name, name, column.raw, kind, facts=facts, warnings=seen.warned(name or column.raw, table.name))


def _input(seen: Evidence, at: str, table: str, column: Input | Derived) -> Entry:
    figures = seen.figures[column.name]
    raw, in_file = (column.raw, seen.ingested[table]["missing"].get(column.name)) if isinstance(column, Input) else ("", None)
    judged = "" if column.is_level else information.direction(int(column.risk), figures, seen.params.direction)
    facts = {**declarations.source_of(seen.portfolio, column), **declarations.facts(column)}
    return Entry(at, table, column.name, raw, type(column).__name__.lower(), declarations.meaning(column), column.unit, facts,
                 seen.warned(column.name), in_file, figures, judged, over_time=seen.over_time.get(column.name, ()))
