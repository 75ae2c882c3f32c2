"""From estimate to truth: what PDs let expect of each vintage, what its outcomes showed once they were known, and how the two agreed.

Not every decision gets an outcome: who is declined is never seen to pay. An estimate is therefore of those whose outcome will be known, by
the share of decisions of like PD and outcome that had one in other vintages; the vintage's own outcomes are never looked at, so that an
estimate of a matured vintage is what would have been said before the first of them. Gives no verdict on a model, only on its estimates.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
from scipy.stats import binom, norm

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from monitoring import window
from monitoring.estimate import Expected, chances, expected
from monitoring.intervals import Estimate
from monitoring.params import PerformanceParams
from monitoring.performance import Performance, Period
from serving.scoring.kernel import Array


class Span(msgspec.Struct, frozen=True):
    """One vintage on its way.

    on_book: whole months from its youngest decision to the day outcomes were last seen; old_enough: share of its decisions whose outcome
    would count; gini, bad_rate: as its outcomes show them, null where none do.
    """

    month: str
    on_book: int
    decisions: int
    old_enough: float
    matured: int
    bad: int
    estimated: Expected
    gini: Estimate | None
    bad_rate: Estimate | None


class Record(msgspec.Struct, frozen=True):
    """How a measure told beforehand fared, over vintages that have matured whole.

    within: realised figures within the interval, few_by_chance: how likely so few, or fewer, are if it is right; error: realised less
    told, on average, error_by_chance: how likely one as far from 0 is; null without a vintage. holds: whether chance explains both.
    """

    measure: str
    vintages: int
    within: int
    few_by_chance: float | None
    error: float | None
    error_by_chance: float | None
    holds: bool | None


class Maturing(msgspec.Struct, frozen=True):
    """spans: empty without a time axis. young: what is expected of all decisions that are not old enough, null where all are.

    followed: share of decisions old enough that have an outcome, null where none has.
    """

    spans: tuple[Span, ...]
    young: Expected | None
    followed: float | None
    record: tuple[Record, ...]


def assess(frame: pd.DataFrame, portfolio: Portfolio, measured: Performance, params: PerformanceParams) -> Maturing:
    """Estimate a window read with pd, outcome and bad; measured: its performance."""
    shift, known = measured.reference.shift, frame[BAD].notna().to_numpy()
    old = window.old_enough(frame, portfolio, portfolio.outcome.matures_after) if portfolio.is_dated else known
    seen, pds = _Seen(frame, known, old, params.estimate.steps), frame["pd"].to_numpy()
    spans = []
    for period, (_, rows) in zip(measured.months, window.slices(frame, portfolio) if portfolio.is_dated else (), strict=True):
        spans.append(Span(
            month=period.month, on_book=_on_book(frame, portfolio, rows), decisions=period.decisions, old_enough=float(old[rows].mean()),
            matured=period.matured, bad=period.bad, estimated=expected(chances(pds[rows], seen.followed(rows), shift), params),
            gini=period.gini, bad_rate=period.observed))
    young = expected(chances(pds[~old], seen.followed(slice(0))[~old], shift), params) if not old.all() else None
    return Maturing(tuple(spans), young, seen.share, records(spans, measured.months, params))


def records(spans: list[Span], periods: tuple[Period, ...], params: PerformanceParams) -> tuple[Record, ...]:
    """How Gini and bad rate fared, on the vintages that have matured whole and far enough for a verdict."""
    told = [span for span, period in zip(spans, periods, strict=True) if span.old_enough == 1 and enough(period, params)]
    return (record("Gini", [(span.estimated.gini, span.gini) for span in told], params.confidence),
            record("bad rate", [(span.estimated.bad_rate, span.bad_rate) for span in told], params.confidence))


def enough(period: Period, params: PerformanceParams) -> bool:
    """Whether a vintage has the outcomes that a verdict needs."""
    return period.matured >= params.minimum and period.bad >= params.minimum_bad


def record(measure: str, pairs: list[tuple[Estimate | None, Estimate | None]], confidence: float) -> Record:
    """pairs: what was told and what was realised."""
    both = [(told, real.value) for told, real in pairs if told and real]
    if not both:
        return Record(measure, 0, 0, None, None, None, None)
    low, high, value, real = np.array([(told.low, told.high, told.value, real) for told, real in both], dtype=np.float64).T
    within, errors = int(np.sum((low <= real) & (real <= high))), real - value
    few = float(binom.cdf(within, len(both), confidence))
    spread = float(np.hypot.reduce((high - low) / 2)) / float(norm.ppf(0.5 + confidence / 2))
    far = float(2 * norm.sf(abs(errors.sum()) / spread)) if spread else 1.0
    return Record(measure, len(both), within, few, float(errors.mean()), far, min(few, far) >= 1 - confidence)


class _Seen:
    """Of which decisions outcomes become known: shares per step of PD and outcome."""

    def __init__(self, frame: pd.DataFrame, known: Array, old: Array, steps: int) -> None:
        edges = np.unique(np.quantile(frame["pd"], np.arange(1, steps) / steps))
        self._cell = pd.factorize(frame["outcome"])[0] * steps + np.searchsorted(edges, frame["pd"], side="right")
        self._known, self._old = known & old, old
        self.share = float(known[old].mean()) if self._known.any() else None

    def followed(self, without: slice) -> Array:
        """Shares for the decisions `without`, which tell nothing of themselves; for all decisions where it is empty."""
        here = without if without != slice(0) else slice(None)
        apart = self._old.copy()
        apart[without] = False
        cells = int(self._cell.max()) + 1
        decisions, outcomes = (np.bincount(self._cell[rows], minlength=cells) for rows in (apart, apart & self._known))
        if not outcomes.any():
            return np.ones(len(self._cell[here]))
        overall = outcomes.sum() / decisions.sum()
        shares: Array = np.where(decisions > 0, outcomes / np.maximum(decisions, 1), overall)
        return np.asarray(shares[self._cell[here]])


def _on_book(frame: pd.DataFrame, portfolio: Portfolio, rows: slice) -> int:
    youngest, seen = frame[window.DECIDED_AT].iloc[rows].max(), window.observed_until(frame, portfolio)
    return max(int((seen.year - youngest.year) * 12 + seen.month - youngest.month - (seen.day < youngest.day)), 0)
