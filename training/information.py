"""What one input alone says of the outcome: distribution, bins, information value, AUC and trend. Pure functions of arrays.

Numbers are cut where drift cuts them, at quantiles of everyone who applied in development; missing values and special codes have bins
of their own. Shows nothing that fewer than `least` people stand behind: intervals and levels are joined until enough do, and a
quantile, or the bad rate of a bin, is left out where too few lie beyond or in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from feature_repo.contract import OTHER
from serving.scoring.bins import Bins, freeze_levels, freeze_numbers
from training import power

Array = np.ndarray[Any, Any]
QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
BARS = 24
CONFIDENCE = 0.95
AGREES, AGAINST, UNCLEAR, UNDECLARED = "agrees", "runs against", "unclear", "none declared"
HALF = 0.5  # outcomes added to both kinds in a bin that has only one


@dataclass(frozen=True)
class Bin:
    """share: of everyone who applied in development; outcomes: known ones; evidence: log-odds of bad relative to all."""

    label: str
    share: float
    outcomes: int
    bad_rate: float | None
    evidence: float | None


@dataclass(frozen=True)
class Sketch:
    """Bars of equal width between two shown quantiles, what lies beyond counted into the outermost; shares of values that are there."""

    low: float
    high: float
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Figures:
    """One input in development. bins: intervals in order or levels, then special codes, then missing.

    information: IV; by_chance: what the IV stays below where the input says nothing; both, and auc, are None where all outcomes are alike.
    trend: rank correlation of the bad rate with the order of the intervals, weighed by outcomes.
    """

    missing: float
    quantiles: dict[str, float]
    sketch: Sketch | None
    bins: tuple[Bin, ...]
    information: float | None
    by_chance: float | None
    auc: float | None
    trend: float | None


@dataclass(frozen=True)
class Counts:
    """Per bin: its label and how many people, good and bad outcomes it holds; the first `plain` are intervals or levels."""

    labels: tuple[str, ...]
    people: Array
    good: Array
    bad: Array
    plain: int

    @property
    def has_both(self) -> bool:
        return bool(self.good.sum() and self.bad.sum())


def of_number(values: Array, bad: Array, special: tuple[float, ...], *, most: int, least: int) -> Figures:
    """values: float64, NaN for missing; bad: 1, 0, or NaN where the outcome is not one of the development part."""
    plain = values[~(np.isnan(values) | np.isin(values, special))]
    bins = thinned(freeze_numbers(values, most, special), least)
    counts = _counted(bins, values, bad, len(bins.edges) + 1)
    known = ~np.isnan(bad)
    auc = round(power.auc(values[known], bad[known]), 6) if counts.has_both else None
    quantiles = shown_quantiles(plain, least)
    return _figures(counts, least, quantiles, sketch(plain, quantiles), auc, trend(counts))


def of_level(values: pd.Series, bad: Array, names: tuple[str, ...], *, least: int) -> Figures:
    """values: level names, null for missing; the AUC ranks levels by their own bad rate."""
    bins = freeze_levels(values, names)
    counts = pooled(_counted(bins, values, bad, len(bins.names)), OTHER not in names, least)
    return _figures(counts, least, {}, None, separation(counts) if counts.has_both else None, None)


def thinned(bins: Bins, least: int) -> Bins:
    """The same bins with edges left out until every interval held at least `least` values when they were frozen, or none is left."""
    edges: list[float] = []
    held = 0
    inside = np.rint(np.array(bins.shares) * bins.rows)[: len(bins.edges) + 1]
    for edge, count in zip(bins.edges, inside, strict=False):
        held += int(count)
        if held >= least:
            edges.append(edge)
            held = 0
    if edges and held + int(inside[-1]) < least:
        edges.pop()
    return Bins((), 0, edges=tuple(edges), specials=bins.specials)


def pooled(counts: Counts, drop_other: bool, least: int) -> Counts:  # noqa: FBT001
    """Levels that occur, but less than `least` times, as one bin; an undeclared `other` that never occurs is no level."""
    levels = np.arange(len(counts.labels)) < counts.plain
    rare = levels & (counts.people > 0) & (counts.people < least)
    gone = levels & (np.array(counts.labels) == OTHER) & (counts.people == 0) & drop_other
    bins = [[i] for i in np.flatnonzero(levels & ~rare & ~gone)] + [list(np.flatnonzero(rare))] * bool(rare.any())
    everything = [*bins, *([i] for i in np.flatnonzero(~levels))]
    labels = tuple(", ".join(counts.labels[i] for i in each) for each in everything)
    people, good, bad = (np.array([side[each].sum() for each in everything]) for side in (counts.people, counts.good, counts.bad))
    return Counts(labels, people, good, bad, len(bins))


def evidence(counts: Counts) -> tuple[Array, Array]:
    """Log-odds of bad per bin, relative to all (NaN where it holds no outcome), and what each adds to the information value.

    IV = sum of (share of the bad - share of the good) x evidence (Siddiqi 2006). A bin with outcomes of one kind only gets half an
    outcome of each, so that it counts and stays finite.
    """
    some = counts.good + counts.bad > 0
    one_kind = some & ((counts.good == 0) | (counts.bad == 0))
    bad, good = ((side + HALF * one_kind) / side.sum() for side in (counts.bad, counts.good))
    log_odds = np.full(len(counts.labels), np.nan)
    log_odds[some] = np.log(bad[some] / good[some])
    return log_odds, np.where(some, (bad - good) * np.nan_to_num(log_odds), 0.0)


def by_chance(counts: Counts) -> float:
    """The IV that an input which says nothing stays below 19 times in 20: IV / (1/good + 1/bad) is then chi-squared, bins - 1 degrees.

    So it is of a PSI, which the IV is between good and bad (Yurdakul 2018, Statistical Properties of Population Stability Index).
    """
    filled = int(np.sum(counts.good + counts.bad > 0))
    return float(chi2.ppf(CONFIDENCE, filled - 1) * (1 / counts.good.sum() + 1 / counts.bad.sum())) if filled > 1 else 0.0


def separation(counts: Counts) -> float:
    """AUC of the bins ranked by their own bad rate."""
    some = counts.good + counts.bad > 0
    good, bad = counts.good[some], counts.bad[some]
    order = np.argsort(bad / (good + bad), kind="stable")
    good, bad = good[order], bad[order]
    return round(float(np.sum(bad * (np.cumsum(good) - good / 2)) / (good.sum() * bad.sum())), 6)


def trend(counts: Counts) -> float | None:
    """Rank correlation of the bad rate with the order of the intervals, each weighed by its outcomes; None where nothing can be ranked."""
    bad, outcomes = counts.bad[: counts.plain], (counts.good + counts.bad)[: counts.plain]
    some = outcomes > 0
    rates = bad[some] / outcomes[some]
    if len(rates) < 2 or not np.ptp(rates):
        return None
    (order, both), (_, rank) = np.cov(np.arange(len(rates)), rankdata(rates), aweights=outcomes[some])
    return round(float(both / np.sqrt(order * rank)), 6)


def direction(declared: int, found: Figures, least: float) -> str:
    """What the bad rate over the intervals says of the declared direction; unclear where its trend is weaker than `least`, or by chance."""
    if not declared:
        return UNDECLARED
    weak = found.trend is None or abs(found.trend) < least
    if found.trend is None or weak or (found.information or 0) <= (found.by_chance or 0):
        return UNCLEAR
    return AGREES if found.trend * declared > 0 else AGAINST


def shown_quantiles(plain: Array, least: int) -> dict[str, float]:
    """The quantiles that at least `least` people lie beyond, by name; never the smallest or largest value."""
    wanted = [share for share in QUANTILES if len(plain) * min(share, 1 - share) >= least]
    found = np.quantile(plain, wanted).tolist() if wanted else []
    return {f"{share:.0%}": float(f"{value:.6g}") for share, value in zip(wanted, found, strict=True)}


def sketch(plain: Array, quantiles: dict[str, float]) -> Sketch | None:
    """The distribution between the outermost shown quantiles; None where those are one value, or none."""
    low, high = (min(quantiles.values()), max(quantiles.values())) if quantiles else (0.0, 0.0)
    if low == high:
        return None
    whole = high - low < BARS and bool(np.all(plain == np.floor(plain)))
    edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5 if whole else np.linspace(low, high, BARS + 1)
    heights, _ = np.histogram(np.clip(plain, low, high), edges)
    return Sketch(low, high, tuple(_rounded(heights / len(plain), 4)))


def _counted(bins: Bins, values: Array | pd.Series, bad: Array, plain: int) -> Counts:
    return Counts(bins.labels, bins.count(values), bins.count(values[bad == 0]), bins.count(values[bad == 1]), plain)


def _figures(counts: Counts, least: int, quantiles: dict[str, float], drawn: Sketch | None, auc: float | None,  # noqa: PLR0913, PLR0917
             ranked: float | None) -> Figures:
    log_odds, parts = evidence(counts) if counts.has_both else (np.full(len(counts.labels), np.nan), None)
    people, outcomes = max(int(counts.people.sum()), 1), counts.good + counts.bad
    told = outcomes >= least
    rates, log_odds = np.where(told, counts.bad / np.maximum(outcomes, 1), np.nan), np.where(told, log_odds, np.nan)
    columns = zip(counts.labels, _rounded(counts.people / people), outcomes.tolist(), _known(rates), _known(log_odds), strict=True)
    chance = by_chance(counts) if counts.has_both else None
    return Figures(round(float(counts.people[-1] / people), 6), quantiles, drawn, tuple(Bin(*row) for row in columns),
                   None if parts is None else round(float(parts.sum()), 6), None if chance is None else round(chance, 6), auc, ranked)


def _rounded(values: Iterable[float], digits: int = 6) -> list[float]:
    return [round(float(value), digits) for value in values]


def _known(values: Array) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]
