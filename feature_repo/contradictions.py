"""What a portfolio file may not say, each refused with one line when the file is imported.

Responsible for contradictions between declarations that are each well formed. Looks at no data; data that breaks a promise is validate's.
"""

from __future__ import annotations

import builtins
import codecs
import dataclasses
import dis
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import CodeType, ModuleType
from typing import Any

from feature_repo.contract import (
    DECIDE,
    RESERVED,
    Applicant,
    Application,
    Input,
    Outcome,
    Protected,
    Request,
    Rule,
    Table,
)
from feature_repo.refusal import duplicates, refuse
from feature_repo.sources import ROW, Csv, EventTime

UNDECIDED = re.compile(rf"\s*{DECIDE}\b")


def undecided(tables: tuple[Table, ...], outcome: Outcome, title: str, rules: tuple[Rule, ...] = ()) -> list[tuple[str, str]]:
    """(place, text) of everything a draft left to a person: `table.field`, `column.field`, `outcome.field`, `title`."""
    places = [("title", title), ("outcome", outcome), *((rule.code, rule) for rule in rules)]
    for table in tables:
        places += [(table.name, dataclasses.replace(table, columns=()))]
        places += [(getattr(column, "name", f"{table.name}.{column.raw}"), column) for column in table.columns]
    return list(dict.fromkeys(found for place, value in places for found in _undecided(place, value)))


def _undecided(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and UNDECIDED.match(value):
        yield place, value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _undecided(f"{place}.{each.name}", getattr(value, each.name))
    elif isinstance(value, Iterable) and not isinstance(value, str):
        within = (*value, *value.values()) if isinstance(value, Mapping) else value
        for each in within:
            yield from _undecided(place, each)


def undecided_of(place: str, value: object) -> list[tuple[str, str]]:
    """The same of one declaration."""
    return list(_undecided(place, value))


def refuse_undecided(portfolio: str, found: list[tuple[str, str]]) -> None:
    """Nothing runs on a guess: what a draft left open is said in one line, all of it."""
    refuse(found, f"{portfolio}: {len(found)} texts still wait for a decision; replace each: "
                  + "; ".join(f"{portfolio}.{place}: {' '.join(text.split())}" for place, text in found))


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
        refuse(table.select(Applicant)[0].raw == ROW and len(tables) > 1,
               f"{at}: an applicant known by ROW alone is in no other table; name the column that holds the key")
        wrong = [getattr(column, "name", type(column).__name__) for column in table.columns
                 if column.raw == ROW and not isinstance(column, Applicant | Application)]
        times = [table.time.raw] if isinstance(table.time, EventTime) else []
        refuse(ROW in times, f"{at}: no column of a file is the row's position, ROW; name the column that holds the time")
        refuse(wrong, f"{at}: only a key may be ROW, the row's position; these are no keys: {wrong}")
        if isinstance(table.reader, Csv):
            _refuse_reader(at, table.reader)
        for column in table.select(Input):
            _refuse_input(f"{portfolio}.{column.name}", column)
        for column in table.select(Protected):
            refuse(column.reference not in column.group_names,
                   f"{portfolio}.{column.name}: the reference {column.reference!r} is none of its groups {list(column.group_names)}")


def _refuse_reader(at: str, reader: Csv) -> None:
    refuse(not reader.separator, f"{at}: the separator is empty; give one character, or BLANKS for runs of blanks")
    refuse(len(reader.separator) > 1 and not _is_pattern(reader.separator),
           f"{at}: the separator {reader.separator!r} is longer than one character and no regular expression that matches something")
    refuse(not _is_encoding(reader.encoding),
           f"{at}: the encoding {reader.encoding!r} is none that Python knows; such as utf-8, latin-1, cp1252 or utf-16")
    marks = [mark for mark in (reader.thousands, reader.decimal) if mark is not None]
    wrong = [mark for mark in marks if len(mark) != 1 or mark.isalnum() or mark in "+-"]
    refuse(wrong, f"{at}: thousands and decimal are one character each, no letter, digit or sign; they are {wrong}")
    refuse(len(set(marks)) < len(marks), f"{at}: thousands and decimal are both {reader.decimal!r}")
    refuse(reader.skip < 0, f"{at}: skip is {reader.skip}; it counts the lines above the header or the first row")


def _is_pattern(text: str) -> bool:
    try:
        return re.compile(text).match("") is None
    except re.error:
        return False


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - "hex" and "zip" are codecs of bytes, which only this tells
    except LookupError:
        return False


def _refuse_input(at: str, column: Input) -> None:
    refuse_empty_reason(at, column.reason)
    low, high = (-float("inf") if column.low is None else column.low), (float("inf") if column.high is None else column.high)
    refuse(low > high, f"{at}: low {low:g} is above high {high:g}")
    refuse(column.suffix and column.is_level, f"{at}: suffix {column.suffix!r} is of numbers; of levels it belongs to each text")
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
        _refuse_raw_twice(portfolio, table, [*outcome.raws] if table is applications else [])
    for table in others:
        refuse(_is_cut(table.time), f"{portfolio}.{table.name}: develop_until, out_of_time_from and out_of_time_until belong to the first "
                                    f"table, {applications.name}")
    if not isinstance(applications.time, EventTime):
        return
    undated = [table.name for table in others if table.stored and not isinstance(table.time, EventTime)]
    refuse(undated, f"{portfolio}: stored tables without a time in a dated portfolio: {undated}; their values would count as known "
                    "before every application. Declare their EventTime")
    refuse(outcome.observed_until is None, f"{portfolio}: a dated portfolio needs Outcome(observed_until=…), when outcomes were last seen")
    develop, test = applications.time.develop_until, applications.time.out_of_time_from
    refuse(develop is None or test is None or develop >= test,
           f"{portfolio}.{applications.name}: EventTime needs develop_until and, after it, out_of_time_from; they are {develop} and {test}")
    last = applications.time.out_of_time_until
    refuse(last is not None and test is not None and last < test,
           f"{portfolio}.{applications.name}: out_of_time_until {last} is before out_of_time_from {test}")


def _is_cut(time: object) -> bool:
    return isinstance(time, EventTime) and any((time.develop_until, time.out_of_time_from, time.out_of_time_until))


def refuse_window(portfolio: str, applications: Table, outcome: Outcome) -> None:
    """An outcome window says both how long and by which day, and is over when an outcome counts."""
    if outcome.within is None and outcome.bad_on is None:
        return
    within, bad_on = outcome.within, outcome.bad_on
    refuse(within is None or bad_on is None,
           f"{portfolio}: an outcome window needs both within, how long it is, and bad_on, the day a row went bad; declare both or neither")
    refuse(not isinstance(applications.time, EventTime),
           f"{portfolio}: an outcome window counts from the application, and {applications.name} has no time; declare its EventTime")
    refuse(_is_cut(bad_on), f"{portfolio}: bad_on takes no cuts; they belong to the time of the first table, {applications.name}")
    shortest = min(within or timedelta(), outcome.matures_after)
    refuse(shortest <= timedelta() or shortest != within,
           f"{portfolio}: within {within} must be more than nothing and at most matures_after, {outcome.matures_after}: before, an outcome "
           "would count that can still turn bad")


def refuse_early(portfolio: str, applications: Table, outcome: Outcome) -> None:
    """An early sign is told apart by its texts, says what it is, and is known before the outcome."""
    if (early := outcome.early) is None:
        return
    refuse(not isinstance(applications.time, EventTime),
           f"{portfolio}: an early sign ages from the application, and {applications.name} has no time; declare its EventTime")
    refuse(not early.yes or not early.no or set(early.yes) & set(early.no),
           f"{portfolio}: Early needs a text for yes and one for no, none for both; they are {early.yes} and {early.no}")
    refuse(not timedelta() < early.matures_after < outcome.matures_after,
           f"{portfolio}: the early sign matures after {early.matures_after}; that must be more than nothing and less than the outcome's "
           f"{outcome.matures_after}")
    refuse(not early.meaning.strip(), f"{portfolio}: the meaning of the early sign is empty; say in a clause what it is")


def _refuse_raw_twice(portfolio: str, table: Table, more: list[str]) -> None:
    times = [table.time.raw] if isinstance(table.time, EventTime) else []
    twice = duplicates([*(column.raw for column in table.columns), *times, *more])
    refuse(twice, f"{portfolio}.{table.name}: raw columns declared for more than one thing (column, time, outcome): {twice}; keep one")


def refuse_outcome(portfolio: str, outcome: Outcome) -> None:
    """Both classes have a text, and no text means two things."""
    refuse(ROW in outcome.raws, f"{portfolio}: no column of a file is the row's position, ROW; name the column that holds the outcome")
    refuse(not outcome.bad or not outcome.good, f"{portfolio}: the outcome needs at least one text for bad and one for good")
    kinds = (outcome.bad, outcome.good, outcome.neither, outcome.rejected)
    twice = duplicates([text for kind in kinds for text in dict.fromkeys(kind)])
    refuse(twice, f"{portfolio}: texts of the outcome under more than one of bad, good, neither and rejected: {twice}")
    if outcome.sampled:
        rate, source = outcome.sampled.portfolio_bad_rate, outcome.sampled.source.strip()
        refuse(rate is not None and not 0 < rate < 1,
               f"{portfolio}: the portfolio's bad rate is {rate}; it is a share of all outcomes, more than 0 and less than 1")
        refuse((rate is None) != (not source),
               f"{portfolio}: Sampled needs both portfolio_bad_rate and the source that says it, or neither; nobody can check a rate alone")


def refuse_amount(portfolio: str, amount: str | None, requests: tuple[Input, ...]) -> None:
    """Raise ContractError unless the amount is a requested number that is always there."""
    fit = [column.name for column in requests if not column.is_level and not column.nullable and not column.special]
    refuse(amount is not None and amount not in fit, f"{portfolio}.amount: {amount} is no requested number without missing values and "
                                                     f"special codes; there are {fit}")


def refuse_segments(portfolio: str, segments: tuple[str, ...], inputs: tuple[Input, ...]) -> None:
    """Raise ContractError unless each segment is an input with levels, named once."""
    fit = [column.name for column in inputs if column.is_level]
    wrong = sorted({name for name in segments if name not in fit or segments.count(name) > 1})
    refuse(wrong, f"{portfolio}.segments: {wrong} are no columns with levels, each once; there are {fit}")


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
