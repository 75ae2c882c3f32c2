"""A portfolio guessed from its files: keys, time, outcome, and a line for every column of every table.

Responsible for the order in which things are told apart, since each guess narrows the next. Writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from feature_repo.contract import DECIDE
from feature_repo.sources import Csv, Parquet
from tally.drafting import keys, names, outcome, profiles, roles, sniffing, timing
from tally.drafting.lines import Code, Line
from tally.drafting.outcome import Verdicts
from tally.drafting.profiles import Profile
from tally.drafting.seen import Outlook
from tally.drafting.timing import Axis, Cuts
from training.subjects import Validate

Array = np.ndarray[Any, Any]
DAY = 86_400.0
AGES = (7, 14, 45, 100, 200, 400)  # days a stored value may be old, of which the first that forgives one late delivery is taken
FRESH = 1.4
OLDEST = 400


@dataclass(frozen=True)
class Asked:
    """What the person said already: outcome column, its bad texts, time and key columns."""

    target: str | None = None
    bad: tuple[str, ...] = ()
    time: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class TableDraft:
    """One file: how it is written, its time and its lines."""

    name: str
    path: Path
    reader: Csv | Parquet
    rows: int
    lines: tuple[Line, ...]
    time: Line | None


@dataclass(frozen=True)
class Draft:
    """All that a contract says, as guessed."""

    name: str
    tables: tuple[TableDraft, ...]
    verdicts: Verdicts
    cuts: Cuts | None
    unknown: float  # share of the rows that are neither bad nor good


@dataclass(frozen=True, eq=False)
class File:
    """A file as read: its columns counted."""

    path: Path
    reader: Csv | Parquet
    columns: list[Profile]


def make(name: str, paths: list[Path], asked: Asked, limits: Validate) -> Draft:
    """Guess a whole portfolio. Raises DataError where there is nothing to guess from: no table, no outcome."""
    files = [_read(path) for path in paths]
    applications = files[0]
    target = outcome.find(applications.columns, asked.target)
    meant = outcome.verdicts(target, asked.bad)
    others = [column for column in applications.columns if column is not target]
    axis = timing.find(others, asked.time)
    bad = outcome.labels(target, meant)
    unknown = float(np.isnan(bad).mean())
    dated = [column for column in others if column.dates]
    cuts = timing.cuts(axis, dated, ~np.isnan(bad), timing.latest([file.columns for file in files[1:]])) if axis else None
    bad = np.where(cuts.matured, bad, np.nan) if cuts else bad
    key_lines = keys.find([column for column in others if axis is None or column is not axis.column], asked.key)
    tables = _tables(files, (target, axis, key_lines), (bad, cuts), limits)
    return Draft(name, tables, meant, cuts, unknown)


def _read(path: Path) -> File:
    reader, table = sniffing.read(path)
    bar = tqdm(table.column_names, desc=f"count {path.name}", unit="column", disable=None, leave=False)
    columns = [profiles.profile(header, table[header]) for header in bar]
    return File(path, profiles.notation(reader, columns) if isinstance(reader, Csv) else reader, columns)


def _tables(files: list[File], found: tuple[Profile, Axis | None, tuple[Line, ...]], outcomes: tuple[Array, Cuts | None],
            limits: Validate) -> tuple[TableDraft, ...]:
    (target, axis, key_lines), (bad, cuts) = found, outcomes
    applications, *further = files
    names_of = _names(files)
    kept = {target.raw, *(str(line.get("raw")) for line in key_lines), *([axis.column.raw] if axis else [])}
    outlook = Outlook(bad, names.assign([column.raw for column in applications.columns]), applications.reader, limits,
                      axis.seconds if axis else None)
    lines = _lines([column for column in applications.columns if column.raw not in kept], outlook, applications.path)
    first = TableDraft(names_of[0], applications.path, applications.reader, target.rows, (*key_lines, *lines), _event_time(axis, cuts))
    drafts, taken = [first], {*outlook.names.values(), *(f"{name}_as_of" for name in names_of)}
    keyed = _applicants(applications.columns, key_lines)
    for name, file in zip(names_of[1:], further, strict=True):
        named = names.assign([column.raw for column in file.columns], taken)
        drafts.append(_further(name, file, (keyed, axis, bad), replace(outlook, names=named)))
        taken |= {line.name for line in drafts[-1].lines}
    return tuple(drafts)


def _names(files: list[File]) -> list[str]:
    found = list[str]()
    for file in files:
        found.append(names.free(names.identifier(file.path.name.split(".")[0]), found))
    return found


def _lines(columns: list[Profile], outlook: Outlook, path: Path) -> tuple[Line, ...]:
    bar = tqdm(columns, desc=f"guess {path.name}", unit="column", disable=None, leave=False)
    return tuple(roles.draft(column, outlook) for column in bar)


def _applicants(columns: list[Profile], key_lines: tuple[Line, ...]) -> Profile | None:
    line = next(line for line in key_lines if line.word == "Applicant")
    return keys.of_rows(line, columns)


def _event_time(axis: Axis | None, cuts: Cuts | None) -> Line | None:
    """The EventTime of the first table; None without a time axis."""
    if axis is None or axis.column.dates is None:
        return None
    dates = axis.column.dates
    others = f"; the other dates that may be it: {', '.join(axis.others)}" if axis.others else ""
    guesses = [f"guess: the application's date, of {axis.column.distinct:,} distinct{others}."]
    if axis.column.empty:
        guesses.append(f"{axis.column.empty:,} rows have no date: validation stops on them, take them out of the file.")
    cut: tuple[tuple[str, Any], ...] = (("develop_until", f"{DECIDE}: fewer than two days have outcomes"),)
    if cuts:
        cut = (("develop_until", _date(cuts.develop_until)), ("out_of_time_from", _date(cuts.out_of_time_from)))
    if cuts:
        share = np.mean(axis.seconds[cuts.matured] < _seconds(cuts.out_of_time_from))
        guesses.append(f"guess: {share:.0%} of matured outcomes develop, the later ones are the out-of-time test.")
    return Line("EventTime", axis.column.raw, (("format", _format(dates.format, dates.other)), *cut), tuple(guesses))


def _further(name: str, file: File, known: tuple[Profile | None, Axis | None, Array], outlook: Outlook) -> TableDraft:
    """A further table: stored columns, known by the applicant's key, with their own time."""
    keyed, axis, bad = known
    key = keys.join(file.columns, keyed, keyed.raw if keyed else "")
    rest = [column for column in file.columns if column.raw != key.get("raw")]
    own = timing.find(rest, None)
    at = keys.of_rows(key, file.columns)
    shared, why = _fresh(own if axis else None, at)
    view = replace(outlook, bad=_outcomes_of(keyed, at, bad), word="Stored", shared=shared, reader=file.reader,
                   seconds=own.seconds if own else None)
    lines = _lines([column for column in rest if own is None or column is not own.column], view, file.path)
    return TableDraft(name, file.path, file.reader, len(file.columns[0].places), (key, *_undated(own if axis is None else None), *lines),
                      _stored_time(own, why) if axis else None)


def _undated(own: Axis | None) -> tuple[Line, ...]:
    if own is None:
        return ()
    because = "the applications have no date, so it cannot be told what was known before them"
    return (Line("Ignored", "", (("raw", own.column.raw), ("because", because)), ("guess: the table's date.",)),)


def _stored_time(own: Axis | None, why: str) -> Line:
    if own is None or own.column.dates is None:
        return Line("EventTime", f"{DECIDE}: which column says from when on a row was known; a dated portfolio needs one in every table")
    return Line("EventTime", own.column.raw, (("format", _format(own.column.dates.format, own.column.dates.other)),),
                (f"guess: from then on a row was known. A file that arrives later than its date needs the day it arrived. {why}",))


def _fresh(own: Axis | None, key: Profile | None) -> tuple[tuple[tuple[str, Any], ...], str]:
    """fresh_for of every stored column of a table, from how often an applicant's row is renewed."""
    if own is None or key is None:
        return (), ""
    order = np.lexsort((own.seconds, key.places))
    again = np.diff(key.places[order]) == 0
    gaps = np.diff(own.seconds[order])[again] / DAY
    gap = float(np.median(gaps)) if len(gaps) else np.nan
    days = next((age for age in AGES if age >= FRESH * gap), OLDEST)
    told = f"A row is renewed after {gap:.0f} days (median)" if len(gaps) else "Each applicant has one row"
    return (("fresh_for", Code(f"days({days})")),), f"{told}: fresh_for is a guess from that, how old a value may be and still be used."


def _outcomes_of(keyed: Profile | None, key: Profile | None, bad: Array) -> Array:
    """The outcome of each row's applicant, in the order of a further table; NaN where there is none."""
    if keyed is None or key is None:
        return np.full(len(key.places) if key else 0, np.nan)
    of_key = dict(zip(keyed.listed, _first(keyed.places, bad, keyed.distinct), strict=True))
    return key.spread(np.array([of_key.get(text, np.nan) for text in key.listed], dtype=np.float64))


def _first(places: Array, values: Array, count: int) -> Array:
    """A value per place: the first known one."""
    found = np.full(count, np.nan)
    there = np.flatnonzero((places >= 0) & ~np.isnan(values))[::-1]
    found[places[there]] = values[there]
    return found


def _format(chosen: str, other: str) -> str:
    return f"{DECIDE}: {chosen} or {other}; every date of the file fits both" if other else chosen


def _date(day: Any) -> Code:
    return Code(f"date({day.year}, {day.month}, {day.day})")


def _seconds(day: Any) -> float:
    return float((day - type(day)(1970, 1, 1)) / timedelta(days=1) * DAY)


