"""Which column names the applicant, and which the application; and by which column a further table is joined."""

from __future__ import annotations

import numpy as np

from feature_repo.contract import DECIDE
from feature_repo.errors import DataError
from feature_repo.sources import ROW
from tally.drafting import vocabulary
from tally.drafting.lines import Code, Line
from tally.drafting.profiles import Profile

LEAST_FOUND = 0.3  # share of applicants that a further table's key must hold
LEAST_DISTINCT = 0.2
NO_KEY = Line("Applicant", "", (("raw", Code("ROW")),), (
    ("guess: no column names a row, so an applicant is known by the row's position: enough to make and judge a model. Name a key column to "
     "serve people whose stored values come from further tables."),))


def find(columns: list[Profile], named: str | None) -> tuple[Line, ...]:
    """The Applicant line and, where applicants apply more than once, the Application line."""
    if named is not None:
        return (_named(columns, named),)
    unique = [column for column in columns if column.is_unique and vocabulary.KEY.search(column.words) and not column.dates
              and not _is_secret(column)]
    people = [column for column in columns if vocabulary.APPLICANT.search(column.words) and not column.empty and not _is_secret(column)
              and column.distinct >= LEAST_DISTINCT * column.rows]
    person = next((column for column in people if column.is_unique), people[0] if people else None)
    if person is None:
        return (_line("Applicant", unique[0], "different in every row, by its header a key"),) if unique else (NO_KEY,)
    if person.is_unique:
        return (_line("Applicant", person, "different in every row, by its header a person's key"),)
    several = f"{person.distinct:,} applicants in {person.rows:,} rows: some apply again"
    if unique:
        return _line("Application", unique[0], "different in every row"), _line("Applicant", person, several)
    position = "guess: no column is different in every row, so an application is known by its position."
    return Line("Application", "", (("raw", Code("ROW")),), (position,)), _line("Applicant", person, several)


def join(columns: list[Profile], applicants: Profile | None, header: str) -> Line:
    """The column of a further table that holds the applicants' keys: found by the values in it, the same header preferred."""
    known = set(applicants.listed) if applicants else set[str]()
    found = {column: len(known.intersection(column.listed)) / max(1, len(known)) for column in columns}
    best = max(columns, key=lambda column: (found[column] >= LEAST_FOUND, column.raw == header, found[column]))
    if found[best] < LEAST_FOUND:
        return Line("Applicant", "", (("raw", f"{DECIDE}: which column holds the applicant's key of the first table"),),
                    (f"guess: none; no column holds {LEAST_FOUND:.0%} of the first table's keys.",))
    return _line("Applicant", best, f"it holds {found[best]:.1%} of the first table's applicants")


def _named(columns: list[Profile], named: str) -> Line:
    column = next((each for each in columns if each.raw == named), None)
    if column is None:
        raise DataError(f"--key {named!r}: no such column; the first file has {[each.raw for each in columns]}")
    if column.empty:
        raise DataError(f"--key {named!r}: {column.empty} rows have none; a key names every row")
    return Line("Applicant", "", (("raw", named),))


def _is_secret(column: Profile) -> bool:
    """A register's number of a person is no key to hand around."""
    some = column.listed[:50]
    looks = any(np.mean([bool(pattern.fullmatch(text)) for text in some]) > 0.5 for pattern in vocabulary.PERSONAL_TEXT.values())
    return looks or any(pattern.search(column.words) for pattern in (vocabulary.PERSONAL, vocabulary.PERSON))


def _line(word: str, column: Profile, why: str) -> Line:
    return Line(word, "", (("raw", column.raw),), (f"guess: {why}.",))


def of_rows(line: Line, columns: list[Profile]) -> Profile | None:
    """The column a key line names; None for a row's position or one that is left to a person."""
    return next((column for column in columns if column.raw == line.get("raw") and line.get("raw") != ROW), None)
