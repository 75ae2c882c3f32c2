"""The pieces every report is made of: figures in words, sentences, counters, tables, points. Measures nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from feature_repo.portfolio import Portfolio
from governance.limits import ORDER, Verdict
from governance.release import Release
from monitoring import maturity, window
from monitoring.blocks import Block
from monitoring.intervals import Estimate

POINT = ("label", "series", "value", "low", "high", "line")
FIGURE = ("column", "measure", "value")
NOTHING = "-"


def percent(value: float | None) -> str:
    """A share in words; a missing one is a dash."""
    return NOTHING if value is None else f"{value:.1%}"


def number(found: Estimate | None, digits: int = 2) -> str:
    """An estimate with its interval in words.

    >>> number(Estimate(0.66, 0.61, 0.70))
    '0.66 (0.61 to 0.70)'
    """
    if found is None:
        return NOTHING
    bounds = "" if found.low is None or found.high is None else f" ({found.low:z.{digits}f} to {found.high:z.{digits}f})"
    return f"{found.value:z.{digits}f}{bounds}"


def p_value(found: float | None) -> str:
    """A p-value in words; a missing one is a dash."""
    return NOTHING if found is None else f"{found:.3f}" if found >= 0.001 else "below 0.001"


def of_window(frame: pd.DataFrame, portfolio: Portfolio, release: Release) -> list[str]:
    """What was looked at: how many decisions, by which release, in which months; and how mature outcomes are, where they were read."""
    return [looked_at(len(frame), [month for month, _ in window.slices(frame, portfolio)], portfolio, release),
            *maturity.joined(frame, portfolio)]


def looked_at(decisions: int, months: Sequence[str], portfolio: Portfolio, release: Release) -> str:
    """How many decisions, by which release, in which months."""
    who = f"{decisions:,} decisions by release {release.id[:12]} of {portfolio.name}"
    if not portfolio.is_dated:
        return f"Looked at: {who}. This portfolio has no time axis: the window is judged as a whole."
    return f"Looked at: {who}, {months[0]} to {months[-1]}."


def table(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a frame that keeps its columns when there is no row."""
    return pd.DataFrame(list(rows), columns=list(columns))


def text(title: str, sentences: Sequence[str]) -> Block:
    """Sentences, one a paragraph."""
    return Block(title, "text", pd.DataFrame({"text": list(sentences)}))


def counters(title: str, verdicts: Iterable[Verdict]) -> Block:
    """How often each verdict was given, most severe first."""
    found = Counter(verdicts)
    rows = ({"label": word.value, "value": str(found[word])} for word in reversed(ORDER))
    return Block(title, "counters", table(rows, ("label", "value")))


def point(label: str, series: str, found: Estimate, line: float | None = None) -> dict[str, Any]:
    """A row of a chart: an estimate under its label, and a level to compare it with."""
    return dict(zip(POINT, (label, series, found.value, found.low, found.high, line), strict=True))


def beside(rates: Iterable[tuple[str, Estimate | None, float | None]]) -> list[dict[str, Any]]:
    """Rows of a chart of what was observed and what the PDs say; rates: label, bad rate, mean PD."""
    known = list(rates)
    rows = [point(label, "observed", observed) for label, observed, _ in known if observed]
    return rows + [point(label, "mean PD", Estimate(mean_pd, None, None)) for label, _, mean_pd in known if mean_pd is not None]
