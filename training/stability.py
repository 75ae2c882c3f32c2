"""Development against out-of-time: has the population moved, and is the ranking lost?

PSI of score and PD, and the characteristic stability index (CSI: the same index) of every input, on the release's frozen bins and of
everyone who applied, outcome or not, while the test's applications were made. Gini of the test against that of earlier parts, which are
other people, so variances add. Refuses a verdict on few rows: with no drift a decile PSI exceeds 0.1 in 39.5% of samples of 100.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
import numpy as np
import pandas as pd
from scipy import stats

from feature_repo.contract import BAD, EVENT_TIME
from feature_repo.portfolio import Portfolio
from governance.limits import Ceiling, Verdict, unless_chance, worst
from serving.scoring.bins import Bins, psi, psi_by_chance
from training import measures
from training.splits import AFTER, CALIBRATION, DEVELOPMENT, PART, PERIOD, TEST

Array = np.ndarray[Any, Any]
Count = Annotated[int, msgspec.Meta(ge=1)]
RESULTS = ("score", "pd", "outcome")
MOST_GROUPS = 2000  # of equal PDs that are drawn again together
TABLE = ("column", "kind", "psi", "by_chance", "missing_development", "missing_later", "verdict")


class Stability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `stability` of params.yaml: what a verdict needs, its limits, and how often outcomes are drawn again."""

    minimum: Count
    psi: Ceiling
    minimum_outcomes: Count
    minimum_bad: Count
    gini_loss: Ceiling
    draws: Annotated[int, msgspec.Meta(ge=100)]
    seed: int


class Column(msgspec.Struct, frozen=True):
    """An input, or what scoring says, later against development; by_chance: the PSI of no change at all on so few rows."""

    column: str
    kind: str
    psi: float | None
    by_chance: float | None
    missing_development: float
    missing_later: float | None
    verdict: Verdict


class Loss(msgspec.Struct, frozen=True):
    """The test's Gini less that of an earlier part, negative where it fell, with 95% intervals.

    lost: the fall as a share of the earlier Gini, null where that ranked nothing; delong: variances of DeLong et al. (1988) added;
    bootstrap: outcomes of each part drawn again, good and bad apart. A fall that the DeLong interval allows to be none is chance.
    """

    against: str
    gini: float
    earlier: float
    difference: float
    lost: float | None
    delong: tuple[float, float]
    bootstrap: tuple[float, float]
    verdict: Verdict


class Found(msgspec.Struct, frozen=True):
    """stability.json. rows, first, last: of those compared; inputs: least stable first; found: what it comes to, in words."""

    out_of_time: bool
    rows: int
    development_rows: int
    first: date | None
    last: date | None
    results: tuple[Column, ...]
    inputs: tuple[Column, ...]
    gini: tuple[Loss, ...]
    population_verdict: Verdict
    gini_verdict: Verdict
    found: tuple[str, ...]


def evidence(portfolio: Portfolio, scored: pd.DataFrame, bins: dict[str, Bins], settings: Stability) -> Found:
    """scored: everyone, with part, period, outcome where known and what scoring says; bins: of the release."""
    later = _later(scored, dated=portfolio.is_dated)
    kinds = {column.name: type(column).__name__.lower() for column in portfolio.inputs}
    results = tuple(_column(name, "result", later[name], bins[name], settings) for name in RESULTS)
    inputs = [_column(name, kind, later[name], bins[name], settings) for name, kind in kinds.items()]
    ranked = tuple(sorted(inputs, key=lambda each: (-(each.psi or 0), each.column)))
    losses = tuple(_loss(part, scored, settings) for part in (CALIBRATION, DEVELOPMENT) if (scored[PART] == part).any())
    if losses[0].against == DEVELOPMENT:  # fitted to: what it lost is overfitting, and no verdict on the time since
        losses = (msgspec.structs.replace(losses[0], verdict=Verdict.INSUFFICIENT),)
    days = later[EVENT_TIME].dt.date if portfolio.is_dated else None
    return Found(
        portfolio.is_dated, len(later), bins["score"].rows, None if days is None else days.min(), None if days is None else days.max(),
        results, ranked, losses, worst(each.verdict for each in (*results, *ranked)), losses[0].verdict,
        _words(portfolio, len(later), (*results, *ranked), losses[0], settings),
    )


def table(found: Found) -> pd.DataFrame:
    """One line per column, what scoring says first, then inputs, least stable first."""
    lines = [{name: getattr(each, name) for name in TABLE} for each in (*found.results, *found.inputs)]
    return pd.DataFrame(lines).astype({"verdict": str})


def _later(scored: pd.DataFrame, *, dated: bool) -> pd.DataFrame:
    """Everyone who applied while the test's applications were made; without a time axis everyone not in development."""
    after = scored[scored[PERIOD] == AFTER]
    if not dated:
        return after
    times = scored.loc[scored[PART] == TEST, EVENT_TIME]
    return after[after[EVENT_TIME].between(times.min(), times.max())]


def _column(name: str, kind: str, values: pd.Series, bins: Bins, settings: Stability) -> Column:
    counts = bins.count(values)
    rows = int(counts.sum())
    index = psi(counts, bins.shares) if rows else None
    return Column(
        name, kind, index, psi_by_chance(counts, bins) if rows else None, bins.shares[-1], float(counts[-1] / rows) if rows else None,
        settings.psi.verdict(index) if rows >= settings.minimum else Verdict.INSUFFICIENT,
    )


def _loss(part: str, scored: pd.DataFrame, settings: Stability) -> Loss:
    rows = (scored.loc[scored[PART] == each, [BAD, "pd"]].to_numpy(dtype=np.float64) for each in (part, TEST))
    parts = [(each[:, 0], each[:, 1]) for each in rows]
    (before, before_variance), (now, variance) = (measures.auc_with_variance(bad, pd_) for bad, pd_ in parts)
    difference, half = 2 * (now - before), 2 * float(stats.norm.ppf(0.5 + measures.LEVEL / 2)) * (before_variance + variance) ** 0.5
    random = np.random.default_rng(settings.seed)
    drawn = [2 * again(bad, pd_, settings.draws, random) for bad, pd_ in parts]
    low, high = np.quantile(drawn[1] - drawn[0], [(1 - measures.LEVEL) / 2, (1 + measures.LEVEL) / 2])
    return Loss(part, 2 * now - 1, 2 * before - 1, difference, -difference / (2 * before - 1) if before > 0.5 else None,
                (difference - half, difference + half), (float(low), float(high)),
                _verdict(parts, before, now, explained=half >= -difference, settings=settings))


def _verdict(parts: list[tuple[Array, Array]], before: float, now: float, *, explained: bool, settings: Stability) -> Verdict:
    enough = all(len(bad) >= settings.minimum_outcomes and bad.sum() >= settings.minimum_bad for bad, _ in parts)
    if not enough or before <= 0.5:
        return Verdict.INSUFFICIENT
    return unless_chance(settings.gini_loss.verdict((before - now) / (before - 0.5)), explained=explained)


def again(bad: Array, pd_: Array, draws: int, random: np.random.Generator) -> Array:
    """AUCs of rows drawn again with replacement, good and bad apart, shape (draws,).

    Rows of equal PD are drawn together; of more than `MOST_GROUPS` different PDs neighbours are too, and the AUCs are moved by what
    that does to the AUC itself.
    """
    _, at = np.unique(pd_, return_inverse=True)
    group = at if at.max() < MOST_GROUPS else np.argsort(np.argsort(pd_, kind="stable"), kind="stable") * MOST_GROUPS // len(pd_)
    goods, bads = (np.bincount(group, weight) for weight in (1 - bad, bad))
    exact, _ = measures.auc_with_variance(bad, pd_)
    drawn = _auc(*(random.multinomial(int(each.sum()), each / each.sum(), draws) for each in (goods, bads)))
    return drawn + exact - _auc(goods[None], bads[None])


def _auc(goods: Array, bads: Array) -> Array:
    """The AUC of counts per group of PDs, rising, one row each."""
    below = np.cumsum(goods, axis=1) - goods / 2
    return np.asarray(np.sum(bads * below, axis=1) / (bads.sum(axis=1) * goods.sum(axis=1)))


def _words(portfolio: Portfolio, rows: int, columns: tuple[Column, ...], loss: Loss, settings: Stability) -> tuple[str, ...]:
    moved = [f"{each.column} (PSI {each.psi:.2f})" for each in columns if each.verdict in {Verdict.WATCH, Verdict.ALERT}]
    of = f"{rows} applications" if portfolio.is_dated else f"{rows} applications drawn by chance, for there is no time axis,"
    population = (f"{of} are too few for a verdict on the population: {settings.minimum} are needed" if rows < settings.minimum
                  else f"{of} against development: {', '.join(moved) or 'no column'} moved")
    lost = "nothing ranked before" if loss.lost is None else f"{'lost' if loss.lost > 0 else 'gained'} {abs(loss.lost):.0%}"
    low, high = loss.delong
    return population, (f"Gini {loss.gini:.3f} on the test against {loss.earlier:.3f} on {loss.against}: {lost}, difference "
                        f"{loss.difference:+.3f} ({low:+.3f} to {high:+.3f}): {loss.verdict}")
