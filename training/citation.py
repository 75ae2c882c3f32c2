"""Values of a run's files that remember where they stand, so that a document can show nothing it did not read.

A template walks a file as if it were its data and shows a value by one of `FORMATS`; what it writes carries the file and the key, as a
JSON Pointer (RFC 6901), and the format. Whoever has the files can show every figure again and compare. Computes no figure.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from training import documents

NUMERAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")  # as a number is written; 01, 1_000 and nan are texts
SHORT = 16
LONG = 60  # letters; such a text is a sentence and has a line of its own


@dataclass(frozen=True)
class Cited:
    """A value, the file it is of and the key it stands under; an item of it is cited too."""

    cited_value: Any
    cited_file: str
    cited_key: tuple[str | int, ...] = ()

    def __getitem__(self, key: str | int) -> Cited:
        return Cited(self.cited_value[key], self.cited_file, (*self.cited_key, key))

    def __contains__(self, key: object) -> bool:
        return key in self.cited_value

    def __bool__(self) -> bool:
        return bool(self.cited_value)

    def __len__(self) -> int:
        return len(self.cited_value)

    def __iter__(self) -> Iterator[Cited]:
        """The items of a list."""
        return (self[place] for place in range(len(self.cited_value)))

    @property
    def pointer(self) -> str:
        """The file and, behind the #, the JSON Pointer."""
        return f"{self.cited_file}#{''.join('/' + str(key).replace('~', '~0').replace('/', '~1') for key in self.cited_key)}"


def load(path: Path, name: str) -> Cited:
    """A file of a run under the name it is cited by: JSON, YAML, or CSV as a list of rows whose numbers are numbers."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return Cited([{column: _number(text) for column, text in row.items()} for row in csv.DictReader(file)], name)
    return Cited(msgspec.yaml.decode(path.read_bytes()) if path.suffix == ".yaml" else json.loads(path.read_bytes()), name)


def find(files: Mapping[str, Cited], pointer: str) -> Any:
    """The value that a pointer names. Raises LookupError where there is none."""
    name, _, keys = pointer.partition("#")
    value = files[name].cited_value
    for key in keys.split("/")[1:]:
        plain = key.replace("~1", "/").replace("~0", "~")
        value = value[int(plain)] if isinstance(value, list) else value[plain]
    return value


def show(cited: Cited, style: str = "text", digits: int | None = None) -> Markup:
    """The value as HTML that says where it is from and how it is shown."""
    shown = f"{style}:{digits}" if digits is not None else style
    text = formatted(cited.cited_value, shown)
    return Markup('<span data-of="{}" data-as="{}">{}</span>').format(cited.pointer, shown, text)


def formatted(value: Any, shown: str) -> str:
    """A value by the name of its format, with digits behind a colon where it has them.

    >>> formatted(0.125, "share:1"), formatted(1200, "count"), formatted(["a", "b"], "text")
    ('12.5%', '1,200', 'a, b')
    """
    style, _, digits = shown.partition(":")
    return FORMATS[style](value, int(digits)) if digits else FORMATS[style](value)


def show_key(cited: Cited) -> Markup:
    """The name a value stands under, as HTML that says where."""
    return Markup('<span data-of="{}" data-as="key">{}</span>').format(cited.pointer, cited.cited_key[-1])


def pairs(cited: Cited) -> Iterator[tuple[str, Cited]]:
    """The names of a mapping, each with its value, in the file's order."""
    return ((name, cited[name]) for name in cited.cited_value)


def plain(cited: Cited) -> Any:
    """The value itself, to compare with; never to be shown."""
    return cited.cited_value


def kind(cited: Cited) -> str:
    """What a template can do with a value it knows nothing of: "table" (rows of one kind), "list", "lines", "mapping" or "value"."""
    value = cited.cited_value
    if isinstance(value, dict):
        return "mapping"
    if not isinstance(value, list) or not any(isinstance(each, dict | list) for each in value):
        return "lines" if isinstance(value, list) and any(isinstance(each, str) and len(each) > LONG for each in value) else "value"
    return "table" if all(isinstance(each, dict) and not any(map(_nests, each.values())) for each in value) else "list"


def style_of(cited: Cited) -> str:
    """The format that suits a value nothing is known of: whole numbers as counts, other numbers to four digits, the rest as text."""
    value = cited.cited_value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "text"
    return "count" if isinstance(value, int) else "number"


def _text(value: Any) -> str:
    if value is None or value == "":
        return documents.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or documents.NOTHING
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _sentence(value: str) -> str:
    """A sentence of a report, without its markup."""
    return value.replace("**", "").removeprefix("- ")


def _count(value: int | None) -> str:
    return documents.NOTHING if value is None else f"{int(value):,}"


def _number(text: str) -> Any:
    if not NUMERAL.fullmatch(text):
        return text or None
    number = float(text)
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _four(value: float | None) -> str:
    return documents.NOTHING if value is None else f"{value:,.4g}".replace("-", "\N{MINUS SIGN}")


def _nests(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict | list) for each in value))


FORMATS: dict[str, Callable[..., str]] = {"text": _text, "count": _count, "number": _four, "share": documents.share,
                                          "figure": documents.figure, "amount": documents.amount, "sentence": _sentence,
                                          "digest": lambda value: value.removesuffix(".dir")[:SHORT]}
