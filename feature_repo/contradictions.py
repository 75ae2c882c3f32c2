"""What a portfolio file may not say, each refused with one line when the file is imported.

Responsible for contradictions between declarations that are each well formed. Looks at no data; data that breaks a promise is validate's.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

from feature_repo.contract import RESERVED, Applicant, Input, Outcome, Protected, Request, Table, duplicates, refuse
from feature_repo.sources import EventTime


def refuse_names(portfolio: str, names: list[str]) -> None:
    """Each name once, an identifier, and none of the platform's."""
    refuse(duplicates(names), f"{portfolio}: columns declared twice: {duplicates(names)}")
    reserved = sorted(RESERVED.intersection(names))
    refuse(reserved, f"{portfolio}: these names are the platform's own: {reserved}; choose others, such as bureau_score for score")
    wrong = [name for name in names if not name.isidentifier()]
    refuse(wrong, f"{portfolio}: column names must be Python identifiers, these are not: {wrong}")


def refuse_tables(portfolio: str, tables: tuple[Table, ...]) -> None:
    """Tables that can be told apart, each with its key, its columns sound."""
    twice = duplicates([table.name for table in tables])
    refuse(twice, f"{portfolio}: tables declared twice: {twice}")
    refuse(not tables[0].select(Request), f"{portfolio}: at least one Request column is needed, an application says something")
    for table in tables:
        at = f"{portfolio}.{table.name}"
        refuse(len(table.select(Applicant)) != 1, f"{at}: exactly one Applicant column is needed")
        refuse(table is not tables[0] and table.select(Request, Protected), f"{at}: only the first table may hold Request and Protected")
        for column in table.select(Input):
            _refuse_input(f"{portfolio}.{column.name}", column)
        for column in table.select(Protected):
            refuse(column.reference not in column.group_names,
                   f"{portfolio}.{column.name}: the reference {column.reference!r} is none of its groups {list(column.group_names)}")


def _refuse_input(at: str, column: Input) -> None:
    refuse_empty_reason(at, column.reason)
    low, high = (-float("inf") if column.low is None else column.low), (float("inf") if column.high is None else column.high)
    refuse(low > high, f"{at}: low {low:g} is above high {high:g}")
    if column.usual:
        least, most = column.usual
        refuse(not low <= least <= most <= high, f"{at}: usual ({least:g}, {most:g}) must rise, within low {low:g} and high {high:g}")


def refuse_empty_reason(at: str, reason: str) -> None:
    """Without its reason a decline could have none to give."""
    refuse(not reason.strip(), f"{at}: reason is empty; say in words what about it speaks against an applicant")


def refuse_times(portfolio: str, tables: tuple[Table, ...], outcome: Outcome) -> None:
    """A dated portfolio is dated throughout and says when it was observed and where it is cut; each raw column means one thing."""
    applications, *others = tables
    for table in tables:
        _refuse_raw_twice(portfolio, table, [outcome.raw] if table is applications else [])
    for table in others:
        cut = isinstance(table.time, EventTime) and (table.time.develop_until or table.time.out_of_time_from)
        refuse(cut, f"{portfolio}.{table.name}: develop_until and out_of_time_from belong to the first table, {applications.name}")
    if not isinstance(applications.time, EventTime):
        return
    undated = [table.name for table in others if table.stored and not isinstance(table.time, EventTime)]
    refuse(undated, f"{portfolio}: stored tables without a time in a dated portfolio: {undated}; their values would count as known "
                    "before every application. Declare their EventTime")
    refuse(outcome.observed_until is None, f"{portfolio}: a dated portfolio needs Outcome(observed_until=…), when outcomes were last seen")
    develop, test = applications.time.develop_until, applications.time.out_of_time_from
    refuse(develop is None or test is None or develop >= test,
           f"{portfolio}.{applications.name}: EventTime needs develop_until and, after it, out_of_time_from; they are {develop} and {test}")


def _refuse_raw_twice(portfolio: str, table: Table, more: list[str]) -> None:
    times = [table.time.raw] if isinstance(table.time, EventTime) else []
    twice = duplicates([*(column.raw for column in table.columns), *times, *more])
    refuse(twice, f"{portfolio}.{table.name}: raw columns declared for more than one thing (column, time, outcome): {twice}; keep one")


def refuse_outcome(portfolio: str, outcome: Outcome) -> None:
    """Both classes have a text, and no text means two things."""
    refuse(not outcome.bad or not outcome.good, f"{portfolio}: the outcome needs at least one text for bad and one for good")
    twice = duplicates([*dict.fromkeys(outcome.bad), *dict.fromkeys(outcome.good), *dict.fromkeys(outcome.neither)])
    refuse(twice, f"{portfolio}: texts of the outcome under more than one of bad, good and neither: {twice}")


def refuse_outside_names(at: str, function: Callable[..., Any]) -> None:
    """All that a rule or derived feature computes is its own source, so that the interface hash covers it: no constant, no helper."""
    code = function.__code__
    outside = sorted({*code.co_freevars, *(name for inner in _codes(code) for name in _names_from_elsewhere(inner, function.__globals__))})
    refuse(outside, f"{at}: uses {outside} from outside its own lines; write the value there, with operators, builtins and np alone")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _names_from_elsewhere(code: CodeType, known: dict[str, Any]) -> Iterator[str]:
    for step in dis.get_instructions(code):
        name = str(step.argval)
        if step.opname == "LOAD_GLOBAL" and not (_is_numpy(known[name]) if name in known else hasattr(builtins, name)):
            yield name
        if step.opname in {"IMPORT_NAME", "STORE_GLOBAL"}:
            yield name


def _is_numpy(value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__ == "numpy"
