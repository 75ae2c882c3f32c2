"""What the contract declares, in words for people: every field of a declaration that says something, whichever fields there are.

A field the contract gains later shows under its own name without a change here. Looks at no data.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from feature_repo.contract import Derived, Input, Protected, Risk, Stored, Table
from feature_repo.interface import meaning as source
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime, Sampled

Facts = dict[str, str]
SHOWN_APART = {"name", "raw", "columns", "meaning", "function", "unit", "low", "high", "time"}
SPANS = {"usual", "rows"}
ALWAYS = {"risk", "nullable", "fresh_for", "when_stale", "severity"}
LABELS = {
    "special": "special codes", "missing": "texts that mean no value", "risk": "direction declared", "nullable": "may be missing",
    "fresh_for": "usable for", "reason": "reason given to applicants", "known_before": "why it is known before the decision",
    "permitted": "why it may be used, though it tells a protected group",
    "severity": "where the data break this", "bad": "counts as bad", "good": "counts as good", "neither": "counts as unknown",
    "rejected": "never booked",
    "other": "unseen levels", "because": "never used, because", "rows": "rows expected", "sha256": "accepted digests",
    "matures_after": "matures after", "within": "outcome window", "bad_on": "day it went bad", "groups": "raw text to group",
    "sampled": "drawn by outcome", "edges": "limits of groups", "levels": "raw text to level",
}
DIRECTIONS = {Risk.RISES: "PD rises with the value", Risk.FALLS: "PD falls as the value rises", Risk.NONE: "none"}
MOST_DIGEST = 12


def facts(declared: Any) -> Facts:
    """Label -> text for every field that was given, or that matters even where it was not."""
    apart = SHOWN_APART | ({"risk"} if getattr(declared, "is_level", False) else set())
    told = [entry for entry in fields(declared) if entry.name not in apart
            and (entry.name in ALWAYS or getattr(declared, entry.name) != _default(entry))]
    found = {LABELS.get(entry.name, entry.name.replace("_", " ")): (_span if entry.name in SPANS else text)(getattr(declared, entry.name))
             for entry in told}
    return {**_bounds(declared), **{label: words for label, words in found.items() if words}}


def text(value: Any) -> str:  # noqa: C901, PLR0911 - one line per kind of value
    """A declared value in words.

    >>> text(timedelta(days=45)), text((-1.0, 9999)), text({"M": "male"}), text(True)
    ('45 days', '-1, 9,999', 'M: male', 'yes')
    """
    if isinstance(value, Risk):
        return DIRECTIONS[value]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "without limit"}[value]
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 86_400:,.10g} days"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M %Z}".replace(" 00:00", "")
    if isinstance(value, Mapping):
        return ", ".join(f"{raw}: {name}" for raw, name in value.items())
    if isinstance(value, tuple):
        return _sequence(value)
    if isinstance(value, Sampled):
        return value.says
    if is_dataclass(value):
        return "; ".join([*_titles(value), *(f"{label} {words!r}" for label, words in facts(value).items())])
    return str(value)


def meaning(column: Input | Derived | Protected) -> str:
    """What the column says: its own words, else its name in words."""
    return getattr(column, "meaning", "") or column.name.replace("_", " ").capitalize()


def source_of(portfolio: Portfolio, column: Input | Derived) -> Facts:
    """Where a value comes from, and for a stored one as of when."""
    if isinstance(column, Derived):
        return {"computed from": ", ".join(column.arguments), "formula": formula(column.function)}
    if not isinstance(column, Stored):
        return {"source": "said in the application"}
    table = next(table for table in portfolio.views if column in table.stored)
    when = f"the newest row not after the application ({table.as_of})" if portfolio.is_dated else "no time axis, so it does not age"
    return {"source": f"feature store, view {table.name}", "as of": when}


def time_of(table: Table) -> Facts:
    """The time axis of a table and its cuts."""
    if not isinstance(table.time, EventTime):
        return {"time axis": "none"}
    return {"time axis": table.time.raw, **facts(table.time)}


def formula(function: Callable[..., Any]) -> str:
    """What a rule or derived feature computes, from its parsed source.

    >>> formula(lambda income: income > 3)
    'income > 3'
    """
    (statement,) = ast.parse(source(function)).body
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Lambda):
        return ast.unparse(statement.value.body)
    lines = [ast.unparse(line) for line in getattr(statement, "body", [])]
    return "\n".join([*lines[:-1], lines[-1].removeprefix("return ")])


def _bounds(declared: Any) -> Facts:
    low, high = getattr(declared, "low", None), getattr(declared, "high", None)
    return {} if low is None and high is None else {"bounds": _span((low, high))}


def _span(value: tuple[float | None, float | None] | None) -> str:
    return " to ".join(dict.fromkeys("any" if limit is None else text(limit) for limit in value or ()))


def _default(entry: Field[Any]) -> Any:
    return entry.default_factory() if entry.default_factory is not MISSING else entry.default


def _titles(value: Any) -> list[str]:
    return [str(getattr(value, "raw", type(value).__name__))]


def _sequence(value: tuple[Any, ...]) -> str:
    if all(isinstance(each, tuple) for each in value):
        return ", ".join(f"below {text(limit)}: {name}" if limit != float("inf") else str(name) for limit, name in value)
    words = (each[:MOST_DIGEST] + "…" if isinstance(each, str) and len(each) == 64 else text(each) for each in value)
    return ", ".join(each or "an empty text" for each in words)
