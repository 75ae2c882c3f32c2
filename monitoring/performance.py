"""Whether PDs still rank and still hold, on outcomes that are known and old enough.

Each figure says how many decisions, how many matured outcomes and how many bad it stands on. Refuses a verdict on few outcomes, and
states a month with none, or with one kind only, instead of measuring it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from governance.release import Release
from monitoring import window
from monitoring.alerts import Verdict, unless_chance
from monitoring.intervals import Estimate, pd_too_low, share
from monitoring.params import PerformanceParams
from serving.scoring.kernel import Array
from training import measures


class Period(msgspec.Struct, frozen=True):
    """One month, or all of them.

    gini, ks, brier: null without both good and bad outcomes; too_low: Jeffreys one-sided p-value that the mean PD is not too low,
    small means more defaults than the PDs say; note: why a figure or a verdict is not given.
    """

    month: str
    decisions: int
    matured: int
    bad: int
    gini: Estimate | None
    ks: float | None
    brier: float | None
    mean_pd: float | None
    observed: Estimate | None
    too_low: float | None
    gini_verdict: Verdict
    calibration_verdict: Verdict
    note: str


class Band(msgspec.Struct, frozen=True):
    """One score band over all months: what its PDs say and what happened."""

    band: str
    decisions: int
    matured: int
    bad: int
    mean_pd: float | None
    observed: Estimate | None
    too_low: float | None
    verdict: Verdict


class Performance(msgspec.Struct, frozen=True):
    """reference: the Gini of the development applications kept from fitting, with its interval."""

    reference: Estimate
    total: Period
    months: tuple[Period, ...]
    bands: tuple[Band, ...]


    @property
    def flagged(self) -> tuple[Verdict, ...]:
        """Every verdict given."""
        of_periods = [(one.gini_verdict, one.calibration_verdict) for one in (self.total, *self.months)]
        return (*(verdict for pair in of_periods for verdict in pair), *(band.verdict for band in self.bands))


def development_gini(release: Release) -> Estimate:
    """The Gini of the development applications that were kept from fitting, from the release's measures.json."""
    measured = release.read("measures.json", dict[str, dict[str, float]])["calibration"]
    return Estimate(measured["gini"], measured["gini_low"], measured["gini_high"])


def assess(frame: pd.DataFrame, portfolio: Portfolio, reference: Estimate, bands: Iterable[str], params: PerformanceParams) -> Performance:
    """Measure a window read with pd, band and bad; `bands` are the policy's names, best first."""
    counts = window.matured(frame, portfolio)
    total = _period(window.ALL, frame, counts, reference, params)
    spans = window.slices(frame, portfolio) if portfolio.is_dated else ()
    months = tuple(_period(month, frame.iloc[rows], counts[rows], reference, params) for month, rows in spans)
    return Performance(reference, total, months, tuple(_band(name, frame, counts, params) for name in bands))


def _period(month: str, frame: pd.DataFrame, counts: Array, reference: Estimate, params: PerformanceParams) -> Period:
    pd_, bad = _outcomes(frame, counts)
    bads, both = int(bad.sum()), measures.has_both(bad)
    gini = Estimate(*measures.gini_interval(bad, pd_, params.confidence)) if both else None
    too_low = pd_too_low(bads, len(bad), float(pd_.mean())) if len(bad) else None
    enough = len(bad) >= params.minimum and bads >= params.minimum_bad
    return Period(
        month=month, decisions=len(frame), matured=len(bad), bad=bads, gini=gini, ks=measures.ks(bad, pd_) if both else None,
        brier=float(np.mean((pd_ - bad) ** 2)) if len(bad) else None, mean_pd=float(pd_.mean()) if len(bad) else None,
        observed=share((bads, len(bad)), params.confidence), too_low=too_low,
        gini_verdict=gini_verdict(gini, reference, params) if enough else Verdict.INSUFFICIENT,
        calibration_verdict=calibration_verdict(bads, len(bad), float(pd_.mean()), params) if enough else Verdict.INSUFFICIENT,
        note=_note(len(bad), bads, params),
    )


def gini_verdict(gini: Estimate | None, reference: Estimate, params: PerformanceParams) -> Verdict:
    """On the share of the reference Gini that is lost; chance explains it while the interval reaches the reference."""
    if gini is None or reference.value <= 0:
        return Verdict.INSUFFICIENT
    lost = params.gini_loss.at_least(1 - gini.value / reference.value)
    return unless_chance(lost, explained=gini.high is not None and gini.high >= reference.value)


def calibration_verdict(bads: int, matured: int, mean_pd: float, params: PerformanceParams) -> Verdict:
    """On how far bad outcomes exceed the PDs; chance explains it while the Jeffreys p-value is not below 1 - confidence."""
    too_low = pd_too_low(bads, matured, mean_pd)
    excess = params.excess_bad.at_least(bads / matured / mean_pd - 1)
    return unless_chance(excess, explained=too_low >= 1 - params.confidence)


def _band(name: str, frame: pd.DataFrame, counts: Array, params: PerformanceParams) -> Band:
    here = (frame["band"] == name).to_numpy()
    pd_, bad = _outcomes(frame[here], counts[here])
    bads = int(bad.sum())
    too_low = pd_too_low(bads, len(bad), float(pd_.mean())) if len(bad) else None
    return Band(
        band=name, decisions=int(here.sum()), matured=len(bad), bad=bads, mean_pd=float(pd_.mean()) if len(bad) else None,
        observed=share((bads, len(bad)), params.confidence), too_low=too_low,
        verdict=calibration_verdict(bads, len(bad), float(pd_.mean()), params) if len(bad) >= params.minimum else Verdict.INSUFFICIENT,
    )


def _outcomes(frame: pd.DataFrame, counts: Array) -> tuple[Array, Array]:
    return frame["pd"].to_numpy()[counts], frame[BAD].to_numpy(dtype=np.float64)[counts]


def _note(matured: int, bad: int, params: PerformanceParams) -> str:
    if not matured:
        return "no outcome has matured"
    if bad in (0, matured):
        return f"all matured outcomes are {'bad' if bad else 'good'}: ranking cannot be measured"
    if matured < params.minimum or bad < params.minimum_bad:
        return f"a verdict needs {params.minimum} matured outcomes and {params.minimum_bad} bad"
    return ""
