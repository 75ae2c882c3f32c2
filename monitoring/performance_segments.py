"""Whether PDs rank and hold in each part of a portfolio that its contract calls a segment, on outcomes that are known and old enough.

The PDs of a segment span a narrower range than the portfolio's, so its Gini is held against what these PDs foresee of these outcomes if
they are right (`monitoring.estimate`), not against development's. All segments are asked together, each with its share of the false
alarms (Sidak 1967). Refuses a figure below the minimum sample, and says so in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict
from monitoring import estimate, window
from monitoring.distances import per_column
from monitoring.intervals import Estimate, separation
from monitoring.params import PerformanceParams
from monitoring.performance import Performance, Segment, calibration_verdict, observed, too_low
from monitoring.segments import NOT_STATED
from serving.scoring.kernel import Array
from training import measures

QUESTIONS = 3  # of a segment: are its PDs too low, are they too high, do they rank; the last takes half its share, one end of an interval


@dataclass(frozen=True)
class _Part:
    """A segment's decisions, and the PDs and outcomes of those that have matured."""

    column: str
    value: str
    decisions: int
    pd: Array
    bad: Array

    @property
    def bads(self) -> int:
        return int(self.bad.sum())

    def lacking(self, params: PerformanceParams) -> str:
        """Why figures are withheld; empty where none is."""
        if len(self.bad) < params.minimum:
            return f"withheld: fewer than {params.minimum} matured outcomes"
        if self.bads < params.minimum_bad:
            return f"ranking is withheld: fewer than {params.minimum_bad} bad outcomes"
        return "" if measures.has_both(self.bad) else "all matured outcomes are bad: ranking cannot be measured"


def with_segments(measured: Performance, frame: pd.DataFrame, portfolio: Portfolio, params: PerformanceParams) -> Performance:
    """What was measured of a window, with its segments."""
    return msgspec.structs.replace(measured, segments=assess(frame, portfolio, params, measured.reference.shift))


def assess(frame: pd.DataFrame, portfolio: Portfolio, params: PerformanceParams, shift: float = 0.0) -> tuple[Segment, ...]:
    """Every level of every segment of the contract, in a window read with pd, bad and these columns; shift: as `Reference` has it."""
    parts = list(_parts(frame, portfolio))
    asked = QUESTIONS * sum(len(part.bad) >= params.minimum for part in parts)
    together = msgspec.structs.replace(params, confidence=1 - per_column(1 - params.confidence, asked))
    return tuple(_segment(part, params, together, shift) for part in parts)


def _parts(frame: pd.DataFrame, portfolio: Portfolio) -> Iterator[_Part]:
    counts = window.matured(frame, portfolio)
    pds, bads = frame["pd"].to_numpy(), frame[BAD].to_numpy(dtype=np.float64)
    for column in portfolio.segments:
        values = frame[column].fillna(NOT_STATED).to_numpy(dtype=str)
        for value in np.unique(values):
            here = values == value
            yield _Part(column, str(value), int(here.sum()), pds[here & counts], bads[here & counts])


def _segment(part: _Part, params: PerformanceParams, together: PerformanceParams, shift: float) -> Segment:
    """together: the params with the confidence of one question among all of them, which verdicts have."""
    note, matured = part.lacking(params), len(part.bad)
    some, ranks = matured >= params.minimum, not note
    said = float(measures.moved(part.pd, -shift).mean()) if some else 0.0
    chances = estimate.chances(part.pd, shift=shift)
    gini = Estimate(*measures.gini_interval(part.bad, part.pd, params.confidence)) if ranks else None
    return Segment(
        column=part.column, value=part.value, decisions=part.decisions, matured=matured, bad=part.bads if some else None, gini=gini,
        foreseen=estimate.gini(chances, params.confidence) if ranks else None,
        ks=separation(part.bad, part.pd, params.confidence) if ranks else None,
        mean_pd=float(np.average(part.pd, weights=measures.weigh(part.bad, shift))) if some else None,
        observed=observed((part.bads, matured), params, shift) if some else None,
        too_low=too_low(part.bads, matured, said) if some else None,
        gini_verdict=_ranking(gini, estimate.gini(chances, together.confidence), params) if ranks else Verdict.INSUFFICIENT,
        calibration_verdict=_calibration(part.bads, matured, said, together) if some else Verdict.INSUFFICIENT, note=note,
    )


def _ranking(gini: Estimate | None, foreseen: Estimate | None, params: PerformanceParams) -> Verdict:
    """On the share of the foreseen Gini that is lost; what lies within the interval of what is foreseen is chance, and ok."""
    if gini is None or foreseen is None or foreseen.low is None or foreseen.value <= 0:
        return Verdict.INSUFFICIENT
    return Verdict.OK if gini.value >= foreseen.low else params.gini_loss.verdict(1 - gini.value / foreseen.value)


def _calibration(bads: int, matured: int, said: float, together: PerformanceParams) -> Verdict:
    """As of a band, but what is chance among so many segments is ok."""
    alpha, p_value = 1 - together.confidence, too_low(bads, matured, said)
    return Verdict.OK if alpha <= p_value <= 1 - alpha else calibration_verdict(bads, matured, said, together)
