"""What a reader is told of how PDs rank and hold by segment: sentences, two charts, a table. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.limits import Verdict
from monitoring import pages
from monitoring.blocks import Block
from monitoring.pages import NOTHING, number, p_value, percent
from monitoring.performance import Segment, too_high

FLAGGED = (Verdict.WATCH, Verdict.ALERT)
TABLE = ("segment", "decisions", "matured", "bad", "Gini", "foreseen by its PDs", "ranking", "KS", "mean PD", "bad rate", "calibration",
         "Jeffreys p", "note")


def findings(segments: Sequence[Segment]) -> list[str]:
    """Segments whose PDs do not rank or do not hold, and how many have no figure."""
    if not segments:
        return []
    judged = [one for one in segments if one.calibration_verdict is not Verdict.INSUFFICIENT]
    said = [f"**Ranking in {one.name}: {one.gini_verdict}.** Gini {number(one.gini, 3)}; its PDs foresee {number(one.foreseen, 3)}."
            for one in judged if one.gini_verdict in FLAGGED]
    said += [f"**Calibration of {one.name}: {calibration(one)}.** {number(one.observed, 3)} bad, mean PD {percent(one.mean_pd)}."
             for one in judged if one.calibration_verdict in FLAGGED]
    nothing = "No segment's PDs are off beyond the limits and by more than chance."
    return [*said, *([] if said or not judged else [nothing]), *_withheld(segments)]


def _withheld(segments: Sequence[Segment]) -> list[str]:
    without = [one.name for one in segments if one.note]
    return [f"Segments with too few outcomes for every figure: {', '.join(without)}."] if without else []


def blocks(segments: Sequence[Segment]) -> list[Block]:
    """Nothing where the contract names no segment."""
    if not segments:
        return []
    ginis = [pages.point(one.name, series, found) for series, of in (("realised", "gini"), ("foreseen by its PDs", "foreseen"))
             for one in segments if (found := getattr(one, of))]
    rates = pages.beside((one.name, one.observed, one.mean_pd) for one in segments)
    charts = (("Gini by segment, with interval: realised, and what its PDs foresee", ginis),
              ("Bad rate by segment: observed with interval, and mean PD", rates))
    return [*(Block(title, "estimates", pages.table(rows, pages.POINT)) for title, rows in charts if rows),
            Block("By segment", "table", pages.table(map(_row, segments), TABLE))]


def calibration(one: Segment) -> str:
    return f"{one.calibration_verdict}{', PDs too high' if too_high(one) else ''}"


def _row(one: Segment) -> dict[str, Any]:
    figures = (one.name, one.decisions, one.matured, NOTHING if one.bad is None else one.bad, number(one.gini), number(one.foreseen),
               one.gini_verdict.value, number(one.ks), percent(one.mean_pd), number(one.observed, 3), calibration(one),
               p_value(one.too_low), one.note or NOTHING)
    return dict(zip(TABLE, figures, strict=True))
