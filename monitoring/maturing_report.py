"""What a reader is told of figures on their way from estimate to truth: sentences, the one chart, tables. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from governance.limits import Verdict, spans
from monitoring import pages
from monitoring.blocks import Block
from monitoring.early import Sign, Signs
from monitoring.estimate import Expected
from monitoring.intervals import Estimate
from monitoring.maturing import Maturing, Record, Span
from monitoring.pages import number, percent
from monitoring.params import PerformanceParams

READING = """\
**Estimated** is what outcomes should show if the PDs are right: of every vintage, as it would have been said before the first of its
outcomes was known (confidence-based performance estimation, Białek et al. 2024). The band is where the realised figure falls by chance.
It follows a change of who applies. It cannot see that people like those before now pay differently: PDs that have become wrong go on
estimating that they are right. That is why its record stands beside it, and why no verdict on the model rests on it.

**By the early sign** is a bad rate told from how many show the sign, corrected for how often bad and good outcomes showed it before (Rogan
and Gladen 1978). It needs no PD to be right, and is wide while few show the sign. It is drawn where there is no outcome yet; how it fared
where there are is in its table.

**Realised** is what matured outcomes show, with its interval. It replaces both."""

CHART = ("panel", "label", "series", "value", "low", "high", "band")
ESTIMATED, REALISED, BY_SIGN = "estimated from PDs", "realised", "by the early sign"
SPANS = ("months on book", "decisions", "matured", "share matured", "bad", "Gini estimated", "Gini realised", "KS estimated",
         "Brier estimated", "bad rate estimated", "bad rate realised")
SIGNS = ("decisions", "sign known", "show it", "share", "projected bad rate", "mean PD", "realised bad rate", "against the PDs")


@dataclass(frozen=True)
class Way:
    """What is told before outcomes are known; signs: null where the contract declares none."""

    found: Maturing
    signs: Signs | None


def findings(way: Way, params: PerformanceParams) -> list[str]:
    """What is expected of outcomes that are not known, how such estimates fared before, and what an early sign says."""
    found, signs = way.found, way.signs
    if found.young is None:
        return []
    return [_expected(found, found.young), *_followed(found), *_records(found, params), *(_signs(signs, params) if signs else [])]


def drawn(way: Way) -> pd.DataFrame:
    """What the one chart shows, a point a row: for the page and for `dvc plots`; no row where there is no vintage to draw."""
    return pages.table((row for row in _points(way.found.spans, way.signs.spans if way.signs else ()) if row["value"] is not None), CHART)


def chart(each: str, way: Way) -> list[Block]:
    """Gini and bad rate from estimate to truth; nothing where there is no vintage to draw."""
    rows = drawn(way)
    return [Block(f"From estimate to truth: Gini and bad rate by {each} of decision", "from_estimate", rows)] if len(rows) else []


def tables(each: str, way: Way) -> list[Block]:
    """The figures behind the chart, and how to read them."""
    blocks, found, signs = [], way.found, way.signs
    if found.spans:
        blocks.append(Block(f"From estimate to truth, by {each}", "table", pages.table(map(_span(each), found.spans), (each, *SPANS))))
    if signs:
        shown = pages.table(map(_sign(each), (*signs.spans, signs.young)), (each, *SIGNS))
        blocks.append(Block(f"Early sign by {each}: {signs.meaning}", "table", shown))
    return [*blocks, pages.text("How to read estimates", [READING])] if found.young or blocks else []


def _expected(found: Maturing, young: Expected) -> str:
    which = [span.month for span in found.spans if span.old_enough < 1]
    of = f" ({spans(which, [span.month for span in found.spans])})" if which else ""
    if young.gini is None or young.bad_rate is None or young.ks is None or young.brier is None:
        return f"Outcomes of {young.decisions:,} decisions{of} are not known yet, and none is expected: nothing is estimated."
    return (f"**Not known yet, estimated from PDs: {young.decisions:,} decisions{of}.** Gini {number(young.gini, 3)}, "
            f"KS {number(young.ks, 3)}, {_rate(young.bad_rate)} bad, Brier {number(young.brier, 3)}, if what ties applicants to their "
            "outcome has not changed.")


def _followed(found: Maturing) -> list[str]:
    if found.followed is None:
        return ["No outcome of this window is known: the estimate is of everybody decided on, and its record cannot be told."]
    if found.followed == 1:
        return []
    return [(f"Of decisions old enough {found.followed:.0%} have an outcome; the estimate is of those that will have one, by PD and "
             "by what was decided.")]


def _records(found: Maturing, params: PerformanceParams) -> Iterator[str]:
    for record in found.record:
        if record.vintages and found.followed is not None:
            yield f"How such estimates of the {record.measure} fared: {_fared(record, params)}"
        elif found.followed is not None:
            yield f"No vintage has matured whole, with outcomes enough, to hold an estimate of the {record.measure} against."


def _fared(record: Record, params: PerformanceParams) -> str:
    error = record.error or 0.0
    size = f"{abs(error):.3f}" if record.measure == "Gini" else f"{100 * abs(error):.1f} points"
    told = (f"{record.within} of {record.vintages} matured vintages were within the {params.confidence:.0%} interval, on average {size} "
            f"{'above' if error >= 0 else 'below'} what was told")
    if record.holds:
        return f"{told}, which chance explains."
    return f"{told}, which is not chance. **Do not rely on it: something that the PDs do not know has changed, or they were off.**"


def _signs(signs: Signs, params: PerformanceParams) -> Iterator[str]:
    young = signs.young
    if young.projected is None or young.mean_pd is None or young.rate is None:
        yield f"Early sign ({signs.meaning}): too few signs or matured outcomes to project a bad rate."
        return
    yield (f"**Early sign against the PDs: {young.verdict}.** {young.rate.value:.1%} of {young.known:,} show it ({signs.meaning}): by that "
           f"{_rate(young.projected)} will be bad, mean PD {percent(young.mean_pd)}.")
    if signs.bad_of_late and signs.shown_by_bad:
        yield (f"Of matured outcomes that showed the sign {_rate(signs.bad_of_late)} are bad; {_rate(signs.shown_by_bad)} of the bad ones "
               "had shown it.")
    watched = [span.month for span in signs.spans if span.verdict is Verdict.WATCH]
    if watched:
        yield f"Above the PDs by the early sign: {spans(watched, [span.month for span in signs.spans])}."
    if signs.record.vintages:
        yield f"How such projections fared: {_fared(signs.record, params)}"


def _points(of: tuple[Span, ...], signs: tuple[Sign, ...]) -> Iterator[dict[str, Any]]:
    for span in of:
        yield _point("Gini", span.month, ESTIMATED, span.estimated.gini)
        yield _point("Gini", span.month, REALISED, span.gini)
    for span in of:
        yield _point("bad rate", span.month, ESTIMATED, span.estimated.bad_rate)
        yield _point("bad rate", span.month, REALISED, span.bad_rate)
    for sign in signs:
        yield _point("bad rate", sign.month, BY_SIGN, sign.projected if sign.bad_rate is None else None)


def _point(panel: str, label: str, series: str, found: Estimate | None) -> dict[str, Any]:
    value = (None, None, None) if found is None else (found.value, found.low, found.high)
    return dict(zip(CHART, (panel, label, series, *value, series == ESTIMATED), strict=True))


def _span(each: str) -> Any:
    def row(span: Span) -> dict[str, Any]:
        told = span.estimated
        figures = (span.month, span.on_book, span.decisions, span.matured, percent(span.matured / span.decisions), span.bad,
                   number(told.gini), number(span.gini), number(told.ks), number(told.brier, 3), number(told.bad_rate, 3),
                   number(span.bad_rate, 3))
        return dict(zip((each, *SPANS), figures, strict=True))
    return row


def _sign(each: str) -> Any:
    def row(sign: Sign) -> dict[str, Any]:
        figures = (sign.month, sign.decisions, sign.known, sign.late, number(sign.rate, 3), number(sign.projected, 3),
                   percent(sign.mean_pd), number(sign.bad_rate, 3), sign.verdict.value)
        return dict(zip((each, *SIGNS), figures, strict=True))
    return row


def _rate(found: Estimate) -> str:
    """A share in per cent with its interval."""
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
