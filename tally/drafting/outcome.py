"""Which column says how a loan went, and which of its texts mean bad, good or neither; what only a person can say is left to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from feature_repo.contract import DECIDE
from feature_repo.errors import DataError
from tally.drafting import vocabulary
from tally.drafting.profiles import Profile

Array = np.ndarray[Any, Any]
MOST_TEXTS = 15
MOST_SHOWN = 8


@dataclass(frozen=True)
class Verdicts:
    """What each text of the outcome means. open: what a person has to say first, empty where all is told; why: the evidence."""

    raw: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    neither: tuple[str, ...] = ()
    open: str = ""
    why: str = ""


def find(columns: list[Profile], named: str | None) -> Profile:
    """The column named, else the one whose header and texts say most. Raises DataError with the candidates where none says anything."""
    if named is not None:
        found = next((column for column in columns if column.raw == named), None)
        if found is None:
            raise DataError(f"no column {named!r}; the first file has {[column.raw for column in columns]}")
        return found
    scores = [(_score(column, is_last=column is columns[-1]), -at, column) for at, column in enumerate(columns)]
    best, _, column = max(scores, key=lambda scored: scored[:2])
    if best < 2:
        few = [column.raw for column in columns if 2 <= column.distinct <= MOST_TEXTS]
        raise DataError(f"no column looks like the outcome (good or bad); name it with --target. Columns of 2 to {MOST_TEXTS} texts: {few}")
    return column


def verdicts(column: Profile, bad: tuple[str, ...]) -> Verdicts:
    """Bad, good and neither, by the texts themselves, else by the header and which is rarer. bad: what the person said."""
    if column.distinct > MOST_TEXTS:
        raise DataError(f"the outcome {column.raw!r} has {column.distinct} distinct texts, at most {MOST_TEXTS} can be sorted into good "
                        "and bad; name another column with --target, or add one to the file")
    unknown = [text for text in bad if text not in column.listed]
    if unknown:
        raise DataError(f"--bad {unknown}: the column {column.raw!r} has no such text; it has {column.listed}")
    if bad:
        return _as_said(column, bad)
    return _by_words(column) or _by_name(column) or _left_open(column)


def labels(column: Profile, meant: Verdicts) -> Array:
    """1 bad, 0 good, NaN neither, per row; where which is bad is open, the rarer text counts as bad, so that leaks still show."""
    bad = set(meant.bad) or {column.listed[-1]}
    good = set(meant.good) or {text for text in column.listed if text not in bad and text not in meant.neither}
    return column.spread(np.array([1.0 if text in bad else 0.0 if text in good else np.nan for text in column.listed]))


def _score(column: Profile, *, is_last: bool) -> float:
    """Header and texts speak, being last helps; a column of one text, or of many, is no outcome."""
    if not 2 <= column.distinct <= MOST_TEXTS or column.rows < 2:
        return 0
    by_name = next((3 - at for at, pattern in enumerate(vocabulary.OUTCOME) if pattern.search(column.words)), 0)
    protected = any(pattern.search(column.words) for pattern in vocabulary.PROTECTED.values())
    sides = {_side(text) for text in column.listed}
    by_texts = 3 if {"bad", "good"} <= sides else 0
    binary = column.distinct == 2
    weak = by_name < 2 and not by_texts
    if by_name == 2 and binary and not protected and vocabulary.DAYS_LATE.search(column.words):
        return 2 + 0.05 * is_last  # what a bureau says may be called so too: any surer column comes first
    if protected or (weak and by_name and not binary) or (by_name < 3 and vocabulary.BEFORE.search(column.words)):
        return 0
    anonymous = column.words.strip("_").isdigit() or is_last
    return by_name + by_texts + (0.5 if binary else 0) + (0.4 if is_last else 0) + (1.2 if binary and is_last and anonymous else 0)


def _side(text: str) -> str:
    """What a text says of itself: bad, good, neither, or nothing."""
    lower = text.lower()
    if vocabulary.BAD_TEXT.search(lower) and not vocabulary.NOT_BAD.search(lower) and not vocabulary.OPEN.search(lower):
        return "bad"
    if vocabulary.OPEN.search(lower):
        return "neither"
    return "good" if vocabulary.GOOD.search(lower) else ""


def _by_words(column: Profile) -> Verdicts | None:
    sides = {text: _side(text) for text in column.listed}
    if "good" not in sides.values():  # "Default" against "Current": nothing else can be good
        sides = {text: "good" if text.lower() == "current" else side for text, side in sides.items()}
    if not {"bad", "good"} <= set(sides.values()):
        return None
    bad, good, neither, silent = (tuple(text for text in sides if sides[text] == side) for side in ("bad", "good", "neither", ""))
    asked = tuple(f"{DECIDE}: is {_share(column, text)} bad, good or neither?" for text in silent)
    return Verdicts(column.raw, bad, good, (*neither, *asked), why=f"by their words; {_shares(column)}")


def _by_name(column: Profile) -> Verdicts | None:
    """Yes and no, 1 and 0: the header says what of."""
    known = [text for text in column.listed if text.lower() not in vocabulary.MISSING]
    neither = tuple(text for text in column.listed if text not in known)
    yes = [text for text in known if text.lower() in vocabulary.YES]
    no = [text for text in known if text.lower() in vocabulary.NO]
    if len(known) != 2 or len(yes) != 1 or len(no) != 1:
        return None
    if vocabulary.NAMED_GOOD.search(column.words) and not vocabulary.NAMED_BAD.search(column.words):
        return Verdicts(column.raw, (no[0],), (yes[0],), neither, why=f"the header speaks of good; {_shares(column)}")
    rarer = column.count({yes[0]}) < column.count({no[0]})
    if vocabulary.NAMED_BAD.search(column.words) and rarer:
        return Verdicts(column.raw, (yes[0],), (no[0],), neither, why=f"the header speaks of bad, and the rarer; {_shares(column)}")
    if rarer and any(pattern.search(column.words) for pattern in vocabulary.OUTCOME[:2]):
        return Verdicts(column.raw, (yes[0],), (no[0],), neither, why=f"the rarer, marked as the one to find; {_shares(column)}")
    return None


def _left_open(column: Profile) -> Verdicts:
    absent = tuple(text for text in column.listed if text.lower() in vocabulary.MISSING - vocabulary.MEANINGFUL)
    return Verdicts(column.raw, (), (), absent if len(column.listed) - len(absent) > 1 else (),
                    open=f"{DECIDE}: which of {_shares(column)} is bad", why=_shares(column))


def _as_said(column: Profile, bad: tuple[str, ...]) -> Verdicts:
    rest = [text for text in column.listed if text not in bad]
    neither = tuple(text for text in rest if _side(text) == "neither") if len(rest) > 1 else ()
    good = tuple(text for text in rest if text not in neither)
    if not good:
        good, neither = neither, ()
    return Verdicts(column.raw, bad, good, neither, why=f"bad as said with --bad; {_shares(column)}")


def _share(column: Profile, text: str) -> str:
    return f"{text!r} ({column.count({text}) / column.rows:.1%})"


def _shares(column: Profile) -> str:
    return ", ".join(_share(column, text) for text in column.listed[:MOST_SHOWN])
