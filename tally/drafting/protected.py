"""Protected attributes: which columns hold one, and how its values are grouped for fairness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from feature_repo.sources import Csv, Parquet
from tally.drafting import values, vocabulary
from tally.drafting.lines import Code, Line
from tally.drafting.profiles import Profile

EDGES = ((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (math.inf, "62 and over"))
MOST_GROUPS = 8
MOST_STRAY = 3    # texts among ages that are taken for no age
OLDEST_CODE = 12  # numbers up to which they are codes of age groups
MOST_TEXTS = 200
SEXES = {**dict.fromkeys(("m", "male", "man", "mann", "homme", "hombre", "männlich", "herr", "mr", "mister", "monsieur", "señor", "sr"),
                         "male"),
         **dict.fromkeys(("f", "w", "female", "woman", "frau", "femme", "mujer", "weiblich", "mrs", "ms", "miss", "madame", "mme", "mlle",
                          "mademoiselle", "señora", "señorita", "sra", "fräulein"), "female")}
SPOKEN = 0.9  # share of a column's texts by row that must be such words, where its header says nothing
SPANISH = {"h": "male", "m": "female"}  # hombre, mujer: beside an H, an M is a woman (French H and F need no such care)
UNKNOWN = "unknown"


def attribute(column: Profile) -> str:
    """Which protected attribute the header names, or the texts: Herr and Frau are sexes under any header. Else nothing."""
    return _named(column) or ("sex or gender" if _speaks_of_sexes(column) else "")


def _named(column: Profile) -> str:
    return next((kind for kind, pattern in vocabulary.PROTECTED.items() if pattern.search(column.words)), "")


def _speaks_of_sexes(column: Profile) -> bool:
    """Both sexes are there, in words or as M and F, and hardly anything else."""
    said = {text: sex for text in column.listed if (sex := SEXES.get(_plain(text)))}
    spoken = {*map(_plain, said)} == {"m", "f"} or any(len(_plain(text)) > 1 for text in said)
    there = column.rows - column.empty - column.count({text for text in column.listed if text.lower() in vocabulary.MISSING})
    both = spoken and {*said.values()} == {"male", "female"}
    return both and column.distinct <= MOST_GROUPS and column.count(set(said)) >= SPOKEN * there


def _plain(text: str) -> str:
    return text.lower().rstrip(".")


def draft(column: Profile, name: str, kind: str, reader: Csv | Parquet) -> Line:
    """A Protected line, or an Ignored one where its values cannot be grouped."""
    why = f"{kind}, by its {'header' if _named(column) else 'texts'}"
    if kind == "date of birth" or (column.dates and not column.is_unique) or column.distinct > MOST_TEXTS:
        return Line("Ignored", "", (("raw", column.raw), ("because", f"{kind}: protected, and {column.distinct} values make no groups")),
                    (f"guess: {why}. For a fairness report, export a group in its place (such as the age) and declare that Protected.",))
    figures = values.read(column, reader)
    if kind == "age" and figures is not None and len(figures.others) <= MOST_STRAY and figures.highest > OLDEST_CODE:
        return _by_age(column, name, figures, why)
    return _by_text(column, name, why)


def _by_age(column: Profile, name: str, figures: values.Figures, why: str) -> Line:
    limits = np.array([limit for limit, _ in EDGES])
    absent = sorted((*figures.missing, *figures.others))
    at = np.searchsorted(limits, column.spread(figures.of_texts), side="right")
    sizes = np.bincount(at[at < len(EDGES)], minlength=len(EDGES))
    edges = tuple((Code("np.inf") if limit == math.inf else limit, group) for limit, group in EDGES)
    unknown: tuple[tuple[str, Any], ...] = (("groups", dict.fromkeys(absent, UNKNOWN)),) if absent else ()
    shares = ", ".join(f"{group} {size / column.rows:.1%}" for (_, group), size in zip(EDGES, sizes, strict=True))
    return Line("Protected", name, (("raw", column.raw), ("edges", edges), *unknown, ("reference", EDGES[int(sizes.argmax())][1])),
                (f"guess: {why}; {shares}. 62 is where Regulation B's \"elderly\" begins (12 CFR 1002.2(o)).",))


def _by_text(column: Profile, name: str, why: str) -> Line:
    sexes = SPANISH if {"h", "m"} <= {text.lower() for text in column.listed} else SEXES
    groups = {text: _group(text, at, sexes) for at, text in enumerate(column.listed)}
    known = [text for text in column.listed if groups[text] != UNKNOWN] or column.listed
    largest = zip(column.listed[:MOST_GROUPS], column.counts, strict=False)
    shares = ", ".join(f"{text!r} {count / column.rows:.1%}" for text, count in largest)
    coded = " Write what each code stands for." if any(len(groups[text]) <= 3 for text in known) else ""
    return Line("Protected", name, (("raw", column.raw), ("groups", groups), ("reference", groups[known[0]])),
                (f"guess: {why}; {shares}. The reference is the largest group.{coded}",))


def _group(text: str, rank: int, sexes: dict[str, str]) -> str:
    if text.lower() in vocabulary.MISSING:
        return UNKNOWN
    return sexes.get(_plain(text), text) if rank < MOST_GROUPS else "all others"
