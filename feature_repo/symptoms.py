"""What a broken promise looks like in its column, in numbers and names of the contract: how many distinct texts, how many too low."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import pandas as pd

from feature_repo.contract import UNDATED_BAD

Expected = Mapping[str, Any]


def describe(rule: str, frame: pd.DataFrame, column: str, expected: Expected) -> str:
    """In words; empty where the count of rows says it all."""
    if rule in {"row_count", "too_few_outcomes"}:
        return f"{len(frame)} rows"
    return KNOWN[rule](frame[column], expected) if rule in KNOWN else ""


def later(times: pd.Series[Any], most: Any) -> int:
    """How many rows are later than a maximum allows."""
    return int((times > pd.Timestamp(most)).sum())


def nearest(header: str, others: list[str]) -> str:
    """Which undeclared header of the file looks most like the declared one."""
    plain = {other.casefold().removesuffix(" (raw)"): other for other in others}
    found = get_close_matches(header.casefold(), plain, n=1)
    return f'raw="{header}"' + (f', the file has "{plain[found[0]]}"' if found else "") if header else ""


def _texts(values: pd.Series[Any], _: Expected) -> str:
    texts = values[values.map(lambda value: isinstance(value, str))]
    undated = int((texts == UNDATED_BAD).sum())
    others = texts[texts != UNDATED_BAD].nunique()
    said = [f"{undated} bad rows without a day that can be read and is not before the application"] if undated else []
    return "; ".join([*said, _distinct(others)] if others else said)


def _undeclared(values: pd.Series[Any], expected: Expected) -> str:
    return _distinct(len(set(values.dropna().unique()) - set(expected["value_set"])))


def _distinct(texts: int) -> str:
    return f"{texts} distinct text{'s' if texts > 1 else ''}"


def _beyond(values: pd.Series[Any], expected: Expected) -> str:
    below, above = int((values < expected["min_value"]).sum()), int((values > expected["max_value"]).sum())
    return " and ".join([*([f"{below} below"] if below else []), *([f"{above} above"] if above else [])])


def _classes(values: pd.Series[Any], _: Expected) -> str:
    bad, good = int((values == 1).sum()), int((values == 0).sum())
    return f"{bad} bad, {good} good, {len(values) - bad - good} unknown"


KNOWN: dict[str, Callable[[pd.Series[Any], Expected], str]] = {
    "type": _texts, "level": _undeclared, "group": _undeclared, "range": _beyond, "one_class": _classes,
}
