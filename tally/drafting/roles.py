"""What a column is for: the first of these questions that has an answer decides, and says why.

Responsible for one column at a time, given the outcome. A guess is a line of the contract with its evidence in a comment; a value that
may be about one person (a free text, a name, a number in a register) never gets into either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tally.drafting import names, protected, timing, values, vocabulary
from tally.drafting.lines import Code, Line
from tally.drafting.profiles import Profile
from tally.drafting.seen import Array, Outlook, Seen

NARROW = 30      # texts up to which all are declared as levels
MOST_LEVELS = 60  # of a wider column, the most frequent
RARE = 50        # rows a level of a wider column needs (train.encoding.rare pools fewer)
COVERED = 0.5    # share of the rows that the levels of a wider column must hold
WORDY = 4        # words a text, from which a column of many texts is free text
SOME = 200       # distinct texts looked at for what only persons have
SAME_TIME = 0.98  # correlation with the time axis
MARKS = r"^[$€£¥]\s?|\s?[%€$£¥]$|,"
SUSPECTED = "guess: alone it ranks the outcome suspiciously well"  # an honest column may; check asks until a person has said
MOSTLY = 0.5     # share of rows in which a date lies after the row's own
FEW = 6          # distinct numbers up to which they may be codes
MOST_STRAY = 3   # distinct texts among numbers that are taken for codes of a missing value


def draft(column: Profile, outlook: Outlook) -> Line:
    """The line of the contract for a column that is no key, time or outcome."""
    seen = Seen(column, outlook)
    return next(line for question in QUESTIONS if (line := question(seen)))


def _constant(seen: Seen) -> Line | None:
    column = seen.column
    if column.distinct > 1:
        return None
    return _ignored(column, "no value in any row" if not column.distinct else "the same in every row that has a value",
                    f"{column.empty / column.rows:.1%} missing")


def _personal(seen: Seen) -> Line | None:
    column = seen.column
    texts = [text for text in column.listed[:SOME] if text.lower() not in vocabulary.MISSING]
    kinds = [] if column.dates else [kind for kind, pattern in vocabulary.PERSONAL_TEXT.items()
                                     if texts and np.mean([bool(pattern.fullmatch(text)) for text in texts]) > 0.5]
    if not kinds and not _names_people(column):
        return None
    return _ignored(column, f"personal data: {kinds[0]}" if kinds else "personal data", f"by its {'values' if kinds else 'header'}")


def _names_people(column: Profile) -> bool:
    """By its header. A person's name is personal however few there are: they would be levels, and so in every file of a release."""
    if vocabulary.DURATION.search(column.words):
        return False
    if vocabulary.PERSON.search(column.words):
        return not {text.lower() for text in column.listed} <= vocabulary.YES | vocabulary.NO | vocabulary.MISSING
    return bool(vocabulary.PERSONAL.search(column.words)) and column.distinct > NARROW and not protected.attribute(column)


def _protected(seen: Seen) -> Line | None:
    kind = protected.attribute(seen.column)
    if not kind:
        return None
    if seen.outlook.word != "Request":
        return _ignored(seen.column, f"{kind}: protected", "by its header; a protected attribute is read from the first table alone")
    return protected.draft(seen.column, seen.name, kind, seen.outlook.reader)


def _afterwards(seen: Seen) -> Line | None:
    words = seen.column.words
    if not vocabulary.AFTERWARDS.search(words) or vocabulary.BEFORE.search(words):
        return None
    return _ignored(seen.column, "known only after the decision",
                    f"its header names what happens to a loan later{seen.strength}. If it is known before the decision, make it an input")


def _dated(seen: Seen) -> Line | None:
    column = seen.column
    if not (column.dates or column.is_time) or column.distinct < 3:
        return None
    seconds = timing.seconds(column) if column.dates else None
    later = 0.0 if seconds is None or seen.outlook.seconds is None else _share_later(seconds, seen.outlook.seconds)
    if later > MOSTLY:
        return _ignored(column, "known only after the decision", f"a date that lies after the row's own in {later:.0%} of rows with both")
    written = f"written as {column.dates.format}" if column.dates else "a time by its type"
    return _ignored(column, "a date: a model takes numbers and levels",
                    f"{written}. Where it matters, export the months up to the application in its place")


def _share_later(seconds: Array, times: Array) -> float:
    both = ~np.isnan(seconds) & ~np.isnan(times)
    return float(np.mean(seconds[both] > times[both])) if both.any() else 0.0


def _different_in_every_row(seen: Seen) -> Line | None:
    column, figures = seen.column, seen.figures
    if not column.is_unique:
        return None
    counted = figures is not None and not figures.others and figures.is_whole and figures.highest - figures.lowest == column.rows - 1
    if counted or vocabulary.KEY.search(column.words) or not seen.is_number:
        return _ignored(column, "different in every row: it names the row, and says nothing of risk")
    return None


def _time_again(seen: Seen) -> Line | None:
    """A year, a month or a running number that only says when: a later file has values no model has seen."""
    column, figures, seconds = seen.column, seen.figures, seen.outlook.seconds
    if seconds is None or figures is None or not seen.is_number:
        return None
    values_of_rows = column.spread(figures.of_texts)
    there = ~np.isnan(values_of_rows) & ~np.isnan(seconds)
    if there.mean() < 0.5 or abs(np.corrcoef(values_of_rows[there], seconds[there])[0, 1]) < SAME_TIME:
        return None
    return _ignored(column, "says when, as the time axis does: a later file has values no model has seen")


def _leaking(seen: Seen) -> Line | None:
    limits = seen.outlook.limits
    if seen.auc > limits.copy_auc:
        return _ignored(seen.column, "nearly a copy of the outcome", f"alone it ranks the outcome with AUC {seen.auc:.3f}")
    if seen.auc <= limits.leakage_auc and not seen.one_sided:
        return None
    found = seen.one_sided or f"alone it ranks the outcome with AUC {seen.auc:.2f}"
    because = "known only after the decision" if seen.one_sided else f"{SUSPECTED} (AUC {seen.auc:.2f})"
    return _ignored(seen.column, because,
                    f'known only afterwards? {found}. If it truly is known before, make it an input with known_before="…" that says how')


def _number(seen: Seen) -> Line | None:
    figures, column = seen.figures, seen.column
    if figures is None or not seen.is_number:
        return None
    missing = (*figures.missing, *figures.others) if len(figures.others) <= MOST_STRAY else figures.missing
    low, high = values.bounds(figures, seen.name)
    suffix = (("suffix", column.suffix),) if column.suffix else ()
    return _input(seen, (("low", low), ("high", high), *suffix), missing, [
        f"{column.distinct:,} distinct", f"{_missing(seen, missing)}{seen.strength}{seen.direction}", *_oddities(seen, figures)])


def _oddities(seen: Seen, figures: values.Figures) -> list[str]:
    """What a person should look at in a column of numbers."""
    said = []
    if figures.codes:
        share = seen.column.count(set(figures.codes)) / seen.column.rows
        said.append(f'{" and ".join(figures.codes)} stands apart from the other values, in {share:.1%} of rows: a code for no value? Where '
                    'it tells something of its own ("never"), declare it special=(…), within the bounds, in place of missing')
    if figures.others:
        said.append(f"{len(figures.others)} distinct texts are no numbers, in {seen.column.count(set(figures.others))} rows")
    if seen.column.distinct <= FEW and figures.highest > 1 and figures.is_whole:
        said.append("few values: if they are codes and no amounts, declare levels")
    return said


def _marked_number(seen: Seen) -> Line | None:
    """Numbers with a sign or unit, such as 13.5% or $1,200, which no reader takes for numbers."""
    column = seen.column
    plain = pd.Series(column.listed[:SOME], dtype=str).str.replace(MARKS, "", regex=True)
    if column.distinct <= NARROW or pd.to_numeric(plain, errors="coerce").notna().mean() < 0.9:
        return None
    return _ignored(column, "numbers written with a sign or unit beside them",
                    f"{column.distinct:,} distinct{seen.strength}. Export the bare number, and declare it with low and high")


def _text(seen: Seen) -> Line:
    column = seen.column
    missing = tuple(text for text in column.listed if text.lower() in vocabulary.MISSING - vocabulary.MEANINGFUL)
    levels = [text for text in column.listed if text not in missing]
    evidence = f"{len(levels):,} distinct texts"
    if len(levels) < 2:
        return _ignored(column, "one value or none", evidence)
    if len(levels) <= NARROW:
        return _input(seen, (("levels", tuple(levels)),), missing, [evidence, f"{_missing(seen, missing)}{seen.strength}"])
    many = [text for text, count in zip(column.listed, column.counts, strict=True) if count >= RARE and text not in missing]
    frequent = many[:MOST_LEVELS]
    covered = column.count(set(frequent)) / max(1, column.rows * (1 - _absent(seen, missing)))
    wordy = np.mean([len(text.split()) for text in levels[:SOME]]) >= WORDY
    if covered < COVERED or wordy or len(frequent) < 2:
        return _ignored(column, "too many different texts",
                        f"{evidence}; the {len(frequent)} frequent ones hold {covered:.0%} of rows{seen.strength}. If it matters, group it")
    return _input(seen, (("levels", tuple(frequent)), ("other", True)), missing,
                  [f'{evidence}; these {len(frequent)} hold {covered:.0%} of rows, the rest is "other"{seen.strength}'])


Question = Callable[[Seen], Line | None]
QUESTIONS: tuple[Question, ...] = (_constant, _personal, _protected, _afterwards, _dated, _different_in_every_row, _time_again, _leaking,
                                   _number, _marked_number, _text)


def _absent(seen: Seen, missing: tuple[str, ...]) -> float:
    """Share of rows without a value."""
    return (seen.column.empty + seen.column.count(set(missing))) / seen.column.rows


def _missing(seen: Seen, missing: tuple[str, ...]) -> str:
    return f"{_absent(seen, missing):.1%} missing" if _absent(seen, missing) else "none missing"


def _input(seen: Seen, allowed: tuple[tuple[str, Any], ...], missing: tuple[str, ...], said: list[str]) -> Line:
    name, raw = seen.name, seen.column.raw
    unit = seen.column.suffix or names.unit(name) if allowed[0][0] == "low" else ""
    arguments = (("raw", raw), *((("unit", unit),) if unit else ()), *allowed, *((("missing", missing),) if missing else ()),
                 *((("nullable", True),) if _absent(seen, missing) else ()), ("risk", Code("Risk.NONE")), *seen.outlook.shared,
                 ("reason", names.reason(name, raw)))
    return Line(seen.outlook.word, name, arguments, (f"guess: {'; '.join([*said, *_doubts(seen)])}.".replace("?.", "?"),))


def _doubts(seen: Seen) -> list[str]:
    """Why it may have been unknown when it was decided, though nothing proves it."""
    decided = ["by its header the lender's own decision or price"] if vocabulary.DECIDED.search(seen.column.words) else []
    strong = ["it ranks the outcome so well"] if seen.auc > seen.outlook.limits.doubtful_auc else []
    return [f"{' and '.join([*decided, *strong])}: was it known before the decision?"] if decided or strong else []


def _ignored(column: Profile, because: str, evidence: str = "") -> Line:
    why = evidence or f"{column.distinct:,} distinct values"
    return Line("Ignored", "", (("raw", column.raw), ("because", because)), (f"guess: {why}.",))
