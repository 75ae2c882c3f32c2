"""Bad rates told from an early sign of the outcome, months before the outcome itself: who was late in the first months of the loan.

A sign is a test that is sometimes wrong: some who go bad do not show it, some who pay do. How often, is measured on vintages whose outcome
is known, and by it a vintage's share of signs becomes a bad rate: Rogan and Gladen (1978), Am. J. Epidemiol. 107, 71. Unlike an
estimate from PDs it needs no PD to be right, only that bad loans show the sign as often as they did. A sign is no outcome: the worst
verdict on it is watch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from scipy.stats import norm

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EARLY
from governance.limits import Verdict
from governance.ratios import Cases
from monitoring import maturing, window
from monitoring.intervals import Estimate, share
from monitoring.maturing import Record
from monitoring.params import PerformanceParams
from monitoring.performance import Performance
from serving.scoring.kernel import Array
from training import measures

YOUNG = "without outcomes"


class Sign(msgspec.Struct, frozen=True):
    """One vintage, or all decisions without an outcome yet. known: of how many decisions the sign is known, late: how many show it.

    projected: the bad rate it tells, null where other vintages have too few outcomes; mean_pd: what the PDs of those decisions say.
    """

    month: str
    decisions: int
    known: int
    late: int
    rate: Estimate | None
    projected: Estimate | None
    mean_pd: float | None
    bad_rate: Estimate | None
    verdict: Verdict


class Signs(msgspec.Struct, frozen=True):
    """shown_by_bad, shown_by_good: share of bad and of good outcomes that the sign had shown; bad_of_late: bad of those that showed it."""

    meaning: str
    shown_by_bad: Estimate | None
    shown_by_good: Estimate | None
    bad_of_late: Estimate | None
    young: Sign
    spans: tuple[Sign, ...]
    record: Record


@dataclass(frozen=True)
class Relation:
    """How often the sign was shown by outcomes that are bad, and by those that are good: (those that showed it, all of them)."""

    bad: Cases
    good: Cases


def join(frame: pd.DataFrame, record: Path, portfolio: Portfolio) -> pd.DataFrame:
    """`frame` with the signs of ingest's record of outcomes, where the contract declares one; null for what is not in the record."""
    if portfolio.outcome.early is None:
        return frame
    signs = pd.read_parquet(record, columns=[APPLICATION_ID, EARLY])
    return frame.merge(signs.drop_duplicates(APPLICATION_ID), on=APPLICATION_ID, how="left", validate="many_to_one")


def assess(frame: pd.DataFrame, portfolio: Portfolio, measured: Performance, params: PerformanceParams) -> Signs | None:
    """Signs of a window read with pd and bad, with `early` joined to it; null where the contract declares none."""
    declared = portfolio.outcome.early
    if declared is None:
        return None
    late = np.where(window.old_enough(frame, portfolio, declared.matures_after), frame[EARLY].to_numpy(dtype=np.float64), np.nan)
    counts, bad = window.matured(frame, portfolio), frame[BAD].to_numpy(dtype=np.float64)
    young = ~window.old_enough(frame, portfolio, portfolio.outcome.matures_after)
    told, spans, whole = _Told(frame["pd"].to_numpy(), late, bad, counts, measured.reference.shift), [], []
    for period, (_, rows) in zip(measured.months, window.slices(frame, portfolio), strict=True):
        inside = np.zeros(len(frame), dtype=bool)
        inside[rows] = True
        spans.append(told.sign(period.month, inside, period.observed, params))
        whole += [spans[-1]] * (maturing.enough(period, params) and not young[rows].any())
    all_of_them = told.relation(np.zeros(len(frame), dtype=bool))
    of_late = counts & (late == 1)
    return Signs(
        declared.meaning, share(all_of_them.bad, params.confidence), share(all_of_them.good, params.confidence),
        share((int(bad[of_late].sum()), int(of_late.sum())), params.confidence), told.sign(YOUNG, young, None, params), tuple(spans),
        maturing.record("bad rate by the early sign", [(span.projected, span.bad_rate) for span in whole], params.confidence))


def projected(cases: Cases, relation: Relation, confidence: float) -> Estimate | None:
    """The bad rate among `cases` (showing the sign, all), null where the sign does not tell bad from good beyond chance.

    The interval is where the share of bad outcomes falls: the sign errs by chance here, and did where it was measured.
    """
    (shown, among), (of_bad, bads), (of_good, goods) = cases, relation.bad, relation.good
    if not (among and bads and goods):
        return None
    hit, false = (of_bad + 0.5) / (bads + 1), (of_good + 0.5) / (goods + 1)
    gap, errs, passes, z = hit - false, hit * (1 - hit), false * (1 - false), float(norm.ppf(0.5 + confidence / 2))
    if gap <= z * float(np.sqrt(errs / (bads + 2) + passes / (goods + 2))):
        return None
    rate = min(max((shown / among - false) / gap, 0.0), 1.0)
    here = (rate * errs + (1 - rate) * passes) / among
    there = rate**2 * errs / (bads + 2) + (1 - rate) ** 2 * passes / (goods + 2)
    half = z * float(np.sqrt(here + there)) / gap
    return Estimate(rate, max(rate - half, 0.0), min(rate + half, 1.0))


def watched(signs: Signs | None) -> tuple[Verdict, ...]:
    """Watch where a sign of loans without an outcome is: of all of them, or of a vintage. Outcomes replace what it says."""
    spans = () if signs is None else (signs.young, *(span for span in signs.spans if span.bad_rate is None))
    return tuple(one.verdict for one in spans if one.verdict is Verdict.WATCH)


def verdict(found: Estimate | None, mean_pd: float | None, params: PerformanceParams) -> Verdict:
    """Watch where the projected bad rate exceeds the PDs by as much as one that is watched may, and chance does not explain it."""
    if found is None or found.low is None or not mean_pd:
        return Verdict.INSUFFICIENT
    return Verdict.WATCH if found.value / mean_pd - 1 >= params.excess_bad.watch and found.low > mean_pd else Verdict.OK


@dataclass(frozen=True)
class _Told:
    """What is known per decision: PD, late (1, 0, NaN), bad, and whether that outcome counts."""

    pd: Array
    late: Array
    bad: Array
    counts: Array
    shift: float

    def relation(self, without: Array) -> Relation:
        """Measured on matured outcomes, those of `without` left out."""
        there = self.counts & ~np.isnan(self.late) & ~without
        bad, good = (there & (self.bad == kind) for kind in (1, 0))
        return Relation(*((int(self.late[rows].sum()), int(rows.sum())) for rows in (bad, good)))

    def sign(self, month: str, inside: Array, bad_rate: Estimate | None, params: PerformanceParams) -> Sign:
        """One vintage, told by the others."""
        known, relation = inside & ~np.isnan(self.late), self.relation(inside)
        cases = (int(self.late[known].sum()), int(known.sum()))
        enough = relation.bad[1] >= params.minimum_bad and relation.bad[1] + relation.good[1] >= params.minimum
        found = projected(cases, relation, params.confidence) if enough and cases[1] >= params.minimum else None
        if found and self.shift:
            found = Estimate(*measures.moved([found.value, found.low, found.high], self.shift).tolist())
        in_sample = float(measures.moved(self.pd[known], -self.shift).mean()) if cases[1] else None
        mean_pd = None if in_sample is None else float(measures.moved(in_sample, self.shift))
        return Sign(month, int(inside.sum()), cases[1], cases[0], share(cases, params.confidence), found, mean_pd, bad_rate,
                    verdict(found, mean_pd, params))
