"""One drafted declaration, and how it is laid out as Python: what a careful colleague would have typed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDTH = 140
GUESS = "guess: "


class Code(str):
    """Python source that is written as it stands: a name or a call."""

    __slots__ = ()


@dataclass(frozen=True)
class Line:
    """A call such as `Request("income", raw="Income", ...)` and the comments above it."""

    word: str
    name: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()
    guesses: tuple[str, ...] = ()

    def get(self, key: str) -> Any:
        """An argument, or None."""
        return dict(self.arguments).get(key)


def lay_out(line: Line, indent: int) -> str:
    """The comments and the call, wrapped at the width of this project, ending with a comma."""
    pad = " " * indent
    comments = [comment(text, indent) for text in line.guesses]
    pieces = [*([quoted(line.name) + ","] if line.name else [])]
    for key, value in line.arguments:
        first, *rest = literal(value)
        pieces += [f"{key}={first}", *rest]
        pieces[-1] += ","
    pieces[-1] = pieces[-1].removesuffix(",") + "),"
    return "\n".join([*comments, _fill(f"{pad}{line.word}(", pieces, " " * (indent + len(line.word) + 1))])


def comment(text: str, indent: int) -> str:
    """A comment, wrapped; its further lines stand in by two."""
    pad = " " * indent + "# "
    return textwrap.fill(text, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ", break_long_words=False, break_on_hyphens=False)


def literal(value: Any) -> list[str]:
    """A value as Python source, in pieces between which a line may break."""
    if isinstance(value, Code):
        return [str(value)]
    if isinstance(value, str):
        return [quoted(value)]
    if isinstance(value, bool) or value is None:
        return [repr(value)]
    if isinstance(value, int | float):
        return [figure(value)]
    if isinstance(value, Mapping):
        return _bracketed("{", [f"{quoted(key)}: {literal(each)[0]}" for key, each in value.items()], "}")
    items = ["".join(literal(each)) if not isinstance(each, tuple) else "(" + ", ".join(literal(part)[0] for part in each) + ")"
             for each in value]
    return _bracketed("(", items, ",)" if len(items) == 1 else ")")


def quoted(text: str) -> str:
    """A text between double quotes; only what would break the line is escaped."""
    return json.dumps(text, ensure_ascii=False)


def figure(value: float) -> str:
    """A number with thousands parted, whole ones without a point.

    >>> figure(2500000.0), figure(0.5), figure(-999)
    ('2_500_000', '0.5', '-999')
    """
    return f"{int(value):_}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.15g}"


def _bracketed(opening: str, items: list[str], closing: str) -> list[str]:
    if not items:
        return [opening + closing]
    pieces = [*(item + "," for item in items[:-1]), items[-1] + closing]
    return [opening + pieces[0], *pieces[1:]]


def _fill(start: str, pieces: list[str], indent: str) -> str:
    """Pieces one after another, a new line where the width ends."""
    lines = [start]
    for piece in pieces:
        joined = lines[-1] + ("" if lines[-1].endswith("(") or lines[-1] == indent else " ") + piece
        if len(joined) > WIDTH and lines[-1].strip() and lines[-1] != indent:
            lines.append(indent + piece)
        else:
            lines[-1] = joined
    return "\n".join(lines)
