"""What a reader is told of parity: sentences, the worst column first, and the page. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring import pages
from monitoring.blocks import Block, Page
from monitoring.intervals import Estimate
from monitoring.pages import percent
from monitoring.parity import Column, Drawn, Kind

TABLE = ("column", "view", "decisions", "other values", "share", "from", "to", *(kind.value for kind in Kind))
MOST_NAMED = 6
READING = """\
**Another value**: the same row, computed otherwise. **Only online**: withdrawn from the data, or never in them. **Only offline**:
published late, or not at all. **Another as_of**: another row, published or delivered late, or of the future. The dotted line is the share
that holds up a promotion; it counts from the upper bound, so a point below it is not enough."""


def findings(drawn: Drawn, columns: Sequence[Column], minimum: int) -> list[str]:
    """How many columns differed, which and how; what was drawn, and what could not be. minimum: decisions that a column is judged on."""
    compared = len(drawn.vectors)
    if not compared:
        return [f"**Nothing to compare**: {drawn.of:,} decisions, none of them made on stored values."]
    basis = f"Compared: {compared:,} of {drawn.of:,} decisions since {drawn.since[:10]}; {drawn.unread:,} were made without the store."
    return [*differing(columns, minimum), basis]


def differing(columns: Sequence[Column], minimum: int) -> list[str]:
    """How many columns differed, the worst of them, and how; which were compared in too few decisions to be called the same."""
    apart = sorted((one for one in columns if one.mismatched), key=lambda one: -one.share)
    few = [one.column for one in columns if not one.mismatched and one.compared < minimum]
    of = len(columns)
    same = f"**{of - len(few)} of {of} columns are known to be the same**" if few else f"**All {of} columns were the same**"
    head = f"**{len(apart)} of {of} columns were not the same** online and offline:" if apart else f"{same} online and offline."
    named = [f"- **{one.column}** in {one.mismatched:,} ({percent(one.share)}): {_kinds(one)}" for one in apart[:MOST_NAMED]]
    rest = [f"- and {len(apart) - MOST_NAMED} more"] if len(apart) > MOST_NAMED else []
    return [head, *named, *rest, *_few(few, minimum)]


def _few(names: Sequence[str], minimum: int) -> list[str]:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"Compared in fewer than {minimum:,} decisions, which is no pass: {', '.join(names[:MOST_NAMED])}{more}."] if names else []


def page(title: str, sentences: Sequence[str], columns: Sequence[Column], limit: float) -> Page:
    """The parity report. limit: the share of other values that holds up a promotion."""
    points = (pages.point(one.column, "other values", Estimate(one.share, one.low, one.high), limit) for one in columns)
    rows = (dict(zip(TABLE, (one.column, one.view, one.compared, one.mismatched, percent(one.share), percent(one.low), percent(one.high),
                             *(one.kinds.get(kind, 0) for kind in Kind)), strict=True)) for one in columns)
    figures = ({"column": one.column, "measure": "other values", "value": one.share} for one in columns)
    drawn = [Block("Share of other values, by column", "estimates", pages.table(points, pages.POINT)),
             Block("Every column", "table", pages.table(rows, TABLE)), pages.text("How to read this", [READING])] if columns else []
    return Page(title, (pages.text(f"{title}: what was found", sentences), *drawn), pages.table(figures, pages.FIGURE))


def _kinds(one: Column) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in one.kinds.items())
