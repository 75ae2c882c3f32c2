"""A broken promise in the words of who brought the data: what, where, how many rows, what was allowed, what to do. Never a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.verdict import Broken

MOST_COLUMNS = 20  # named of one rule
MOST_SAID = 6  # rules that a line tells of
CHECK = "`tally portfolio check` shows where"
LATER = "Declare what came later Ignored(raw=…, because=…), and what truly was known before the decision known_before='how'"

# rule, or rule and column -> what is wrong, what to do
RULES = {
    "missing_column": ("declared and not in the file", "Correct raw=… to the file's header, or take the column out of the contract"),
    "undeclared_column": ("in the file and not declared", "Declare each: an input, Protected or Ignored(raw=…, because=…)"),
    "row_count": ("not as many rows as expected", "Is the file whole? If so, correct rows=(fewest, most)"),
    "not_null": ("missing where every row needs a value", "Mend the rows, or declare nullable=True if a value may be missing"),
    **dict.fromkeys((f"not_null {key}" for key in (APPLICATION_ID, APPLICANT_ID, EVENT_TIME)),
                    ("missing where every row needs a key and a time", "Mend the rows, or leave them out of the file")),
    "unique": ("rows share a key that is there once", "Remove the repeats, or declare what tells applications apart: Application(raw=…)"),
    "type": ("cannot be read as a number", f"Mend the rows, or declare missing=(…) and the reader's thousands and decimal; {CHECK}"),
    f"type {EVENT_TIME}": ("cannot be read as a time", f"Mend the rows, or correct EventTime(format=…); {CHECK}"),
    f"type {BAD}": ("cannot be read as an outcome", f"Declare each text bad, good or neither in Outcome, or mend the rows; {CHECK}"),
    "bad_on": ("bad, and the day it went bad is missing, cannot be read, or is before the application",
               "Mend the rows, or correct Outcome(bad_on=EventTime(raw, format=…))"),
    "future": ("later than the data can be", "Mend the rows, or correct Outcome(observed_until=…)"),
    "range": ("outside the bounds", f"Mend the rows, widen low and high, or declare codes special=(…) or missing=(…); {CHECK}"),
    "usual_median": ("median outside the usual range", "Has the unit changed? If not, correct usual=(low, high)"),
    "usual": ("unusual values", f"Look at these rows; {CHECK}"),
    "level": ("texts that are no declared level", f"Declare them in levels, or other=True for all the rest; {CHECK}"),
    "group": ("texts that are in no declared group", f"Declare them in groups or edges; {CHECK}"),
    "all_missing": ("no value at all", "Is raw=… the right header, and missing=(…) not too wide? Else Ignored(raw=…, because=…)"),
    "constant": ("one value in every row", "It tells applications apart by nothing: Ignored(raw=…, because=…), unless it will vary"),
    "one_class": ("not both outcomes", "A model needs good and bad: check the texts of Outcome, matures_after and observed_until"),
    "copy": ("nearly the outcome itself", "Nothing known before a decision is; known_before does not lift this: Ignored(raw=…, because=…)"),
    "leakage": ("alone ranks the outcome better than what is known before a decision does", LATER),
    "one_sided": ("filled or missing for one outcome alone", LATER),
    "doubtful": ("alone ranks the outcome very well", "Make sure that it was known before the decision"),
    "too_few_outcomes": ("too few outcomes to look for leakage", "Bring more rows with a known outcome"),
    "coverage": ("rows reach some of the applications only", "Is the stored file cut off, or its key written otherwise?"),
    "recent": ("applications stop too early", "Is the file cut off at its end? If not, correct Outcome(observed_until=…)"),
    "repeats": ("rows repeat another in all but the key", "Were applications delivered twice? Each counts twice in the model"),
    "break": ("recording changed", "Begin development where it is recorded, or declare the column Ignored(raw=…, because=…)"),
    f"break {BAD}": ("outcomes known more often in some vintages than in others",
                     "Loans still open are neither yet: lengthen matures_after, or declare a window, Outcome(within=…, bad_on=…)"),
    "levels": ("levels that begin or end", "Has the way of recording changed? The model has not seen them everywhere"),
}
ROWLESS = frozenset({"undeclared_column", "missing_column", "row_count", "all_missing", "constant", "one_class", "usual_median", "copy",
                     "leakage", "one_sided", "doubtful", "too_few_outcomes"})


def line(broken: tuple[Broken, ...]) -> str:
    """The first few rules in one line, and how many more findings there are."""
    said = sentences(broken)
    left = sum(count for _, count in said[MOST_SAID:])
    return ". ".join(text for text, _ in said[:MOST_SAID]) + (f". And {left} more" if left else "")


def sentences(broken: Iterable[Broken]) -> list[tuple[str, int]]:
    """Each rule that was broken in a table, with its columns and what to do; and how many findings that is."""
    return [(_sentence(*place, of), len(of)) for place, of in _grouped(broken)]


def _grouped(broken: Iterable[Broken]) -> Iterator[tuple[tuple[str, str], list[Broken]]]:
    order: dict[tuple[str, str], int] = {}
    ranked = sorted(broken, key=lambda each: order.setdefault(_place(each), len(order)))
    for place, of in groupby(ranked, key=_place):
        yield place, list(of)


def _place(broken: Broken) -> tuple[str, str]:
    own = f"{broken.rule} {broken.column}"
    return broken.table, own if own in RULES else broken.rule


def _sentence(table: str, rule: str, broken: list[Broken]) -> str:
    wrong, wanted = RULES[rule]
    more = f" and {len(broken) - MOST_COLUMNS} more" if len(broken) > MOST_COLUMNS else ""
    return f"{table}: {wrong}: {', '.join(map(_item, broken[:MOST_COLUMNS]))}{more}. {wanted}"


def _item(broken: Broken) -> str:
    rows = "" if broken.rule in ROWLESS else f"{broken.count} of {broken.of} rows, {_share(broken.count, broken.of)}"
    facts = "; ".join(filter(None, (rows, broken.seen, broken.allowed)))
    return f"{broken.column} ({facts})" if broken.column and facts else broken.column or facts


def _share(count: int, of: int) -> str:
    share = count / max(of, 1)
    return "under 0.1%" if 0 < share < 0.001 else f"{share:.1%}"
