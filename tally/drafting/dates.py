"""Dates written as text: which format fits every value, and whether a second one fits as well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%b-%Y", "%b %Y", "%B %Y", "%d-%b-%Y", "%d%b%Y", "%d %b %Y", "%b %d, %Y",
    "%d-%b-%y", "%b-%y", "%Y-%m", "%Y/%m", "%m/%Y", "%d%b%Y:%H:%M:%S",
)
PACKED = ("%Y%m%d", "%Y%m")  # figures, which are dates only where the header says so
LOOKS = re.compile(r"(?=.*[0-9])(?=.*[-/.A-Za-z])[0-9A-Za-z][0-9A-Za-z ,:./+-]{3,34}")
TRIED = 60
AMBIGUOUS = {"%m/%d/%Y": "%d/%m/%Y", "%m-%d-%Y": "%d-%m-%Y", "%m/%d/%y": "%d/%m/%y", "%m/%d/%Y %H:%M": "%d/%m/%Y %H:%M",
             "%m/%d/%Y %H:%M:%S": "%d/%m/%Y %H:%M:%S"}


@dataclass(frozen=True)
class Dates:
    """How a column's dates are written. other: a second format that fits every value, where nothing tells which is meant."""

    format: str
    moments: tuple[datetime, ...]  # one per distinct text
    other: str = ""


def guess(texts: list[str], *, packed: bool) -> Dates | None:
    """The format of distinct texts, or None where no one format fits them all. packed: figures such as 201803 may be dates."""
    formats = [*FORMATS, *(PACKED if packed else ())]
    spread = [texts[at] for at in np.linspace(0, len(texts) - 1, min(TRIED, len(texts))).astype(int)] if texts else []
    if not spread or not all(LOOKS.fullmatch(text) or (packed and text.isdigit()) for text in spread):
        return None
    fitting = {pattern: moments for pattern in formats if parsed(spread, pattern) and (moments := parsed(texts, pattern))}
    if not fitting:
        return None
    chosen, other = _choose(list(fitting), texts)
    return Dates(chosen, tuple(fitting[chosen]), other)


def parsed(texts: list[str], pattern: str) -> list[datetime] | None:
    """Every text as a moment in UTC; None where one does not fit, or lies outside 1900 to 2100."""
    moments = []
    for text in texts:
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is set below
        except ValueError:
            return None
        if not 1900 <= moment.year <= 2100:
            return None
        moments.append(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    return moments


def _choose(fitting: list[str], texts: list[str]) -> tuple[str, str]:
    """(format, the other one that fits as well). A column of firsts of the month tells by its ones."""
    first = fitting[0]
    other = AMBIGUOUS.get(first, "")
    if other not in fitting:
        return first, ""
    ones = [{re.split(r"[/-]", text)[at].lstrip("0") for text in texts} == {"1"} for at in (0, 1)]
    if ones[0] != ones[1] and len(texts) > 2:
        return (other, "") if ones[0] else (first, "")
    return first, other
