"""Whether PDs still rank and still hold, on outcomes that are known and old enough.

Each figure says how many decisions, how many matured outcomes and how many bad it stands on. Refuses a verdict on few outcomes, and
states a month with none, or with one kind only, instead of measuring it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, unless_chance, worst
from governance.release import Release
from monitoring import window
from monitoring.calibration import HosmerLemeshow, binomial, hosmer_lemeshow
from monitoring.intervals import Estimate, share
from monitoring.params import PerformanceParams
from serving.scoring.kernel import Array
from serving.scoring.parts import Calibrator
from training import measures

READING = """\
**Ranking**: the Gini of matured outcomes beside that of the part of development kept from fitting. Once outcomes exist only for applicants
this model approved itself, they span a narrower range of PDs, and the Gini reads lower for that alone.

**Side by side**: development is measured on what the model was fitted to, so it reads best; what was kept from fitting and the test
are what to expect. Where development was too small for a calibration part, the whole recipe was cross-validated: folds overlap in what
they are fitted on, so the interval (Nadeau and Bengio 2003) is of the recipe. An ECE of few outcomes is above zero by chance alone. The
PSI is of the score against development, on the release's frozen bins.

**Calibration**: the bad rate of matured outcomes beside the mean PD, with the one-sided Jeffreys test. PDs that are too low cost money:
watch or alert. PDs that are too high lose none, but price and decline people on risk that is not there: *watch* at most, and only where
they foresee enough bad outcomes to tell. Beside it stand the binomial test, and for a vintage the Hosmer-Lemeshow test over the score
bands; no verdict rests on these two, which find any difference once outcomes are many.

**Segments**: the PDs of one span a narrower range than the portfolio's, so its Gini is held against what these PDs foresee of these
outcomes if they are right, with the limits on a lost share of the Gini. All segments are asked together, so each has its share of the
false alarms (Sidak 1967), and what chance explains is *ok*. Below the minimum sample a figure is withheld, which is not a pass."""


KEPT = {"calibration": "the part of development kept from fitting", "cross_validation": "the cross-validation of development"}


class Period(msgspec.Struct, frozen=True):
    """One vintage (a month, or the quarter or year where months are too many or too thin), or all of them.

    gini, ks, brier, ece: null without both good and bad outcomes; too_low: Jeffreys one-sided p-value that the mean PD is not too low,
    near 0 means more defaults than the PDs say, near 1 fewer; note: why a figure or a verdict is not given. Secondary, in no verdict:
    binomial, the p-value that so many bad are chance, and the Hosmer-Lemeshow test over score bands.
    """

    month: str
    decisions: int
    matured: int
    bad: int
    gini: Estimate | None
    ks: float | None
    brier: float | None
    ece: float | None
    mean_pd: float | None
    observed: Estimate | None
    too_low: float | None
    gini_verdict: Verdict
    calibration_verdict: Verdict
    note: str
    binomial: float | None = None
    hosmer_lemeshow: HosmerLemeshow | None = None


class Band(msgspec.Struct, frozen=True):
    """One score band over all months: what its PDs say and what happened."""

    band: str
    decisions: int
    matured: int
    bad: int
    mean_pd: float | None
    observed: Estimate | None
    too_low: float | None
    calibration_verdict: Verdict
    binomial: float | None = None


class Segment(msgspec.Struct, frozen=True):
    """One level of a column that the contract calls a segment, over all months (`monitoring.performance_segments`).

    bad, gini, ks, mean_pd, observed, too_low: of matured outcomes, null below the minimum sample; foreseen: the Gini that these PDs foresee
    of these outcomes if they are right, with the interval of chance; note: why a figure is withheld.
    """

    column: str
    value: str
    decisions: int
    matured: int
    bad: int | None
    gini: Estimate | None
    foreseen: Estimate | None
    ks: Estimate | None
    mean_pd: float | None
    observed: Estimate | None
    too_low: float | None
    gini_verdict: Verdict
    calibration_verdict: Verdict
    note: str

    @property
    def name(self) -> str:
        return f"{self.column}: {self.value}"


class Reference(msgspec.Struct, frozen=True):
    """The Gini to compare with: of development on rows kept from fitting, and how they were kept.

    shift: what a declared bad rate added to the log-odds of PDs; outcomes of rows drawn by outcome are counted with it.
    """

    gini: Estimate
    of: str
    shift: float = 0.0


class Performance(msgspec.Struct, frozen=True):
    """vintage: the word for what `months` are of: month, quarter or year."""

    reference: Reference
    vintage: str
    total: Period
    months: tuple[Period, ...]
    bands: tuple[Band, ...]
    segments: tuple[Segment, ...] = ()

    @property
    def flagged(self) -> tuple[Verdict, ...]:
        """Every verdict given."""
        both: tuple[Period | Segment, ...] = (self.total, *self.months, *self.segments)
        pairs = [(one.gini_verdict, one.calibration_verdict) for one in both]
        return (*(verdict for pair in pairs for verdict in pair), *(band.calibration_verdict for band in self.bands))

    @property
    def verdict(self) -> Verdict:
        """The worst that is given. A band or a segment that is ok is no pass of a window that could not be judged as a whole."""
        found, whole = worst(self.flagged), {self.total.gini_verdict, self.total.calibration_verdict}
        return Verdict.INSUFFICIENT if found is Verdict.OK and whole == {Verdict.INSUFFICIENT} else found


def reference(release: Release) -> Reference:
    """The Gini of development on rows kept from fitting, from the release's measures.json: its calibration part, else cross-validation."""
    measured = release.read("measures.json", dict[str, dict[str, float]])
    part = next(part for part in KEPT if part in measured)
    found = measured[part]
    shift = release.read("calibrator.json", Calibrator).shift
    return Reference(Estimate(found["gini"], found["gini_low"], found["gini_high"]), KEPT[part], shift)


def assess(frame: pd.DataFrame, portfolio: Portfolio, reference: Reference, bands: Iterable[str], params: PerformanceParams) -> Performance:
    """Measure a window read with pd, band and bad; `bands` are the policy's names, best first."""
    counts, names = window.matured(frame, portfolio), tuple(bands)
    spans = ((window.ALL, slice(None)), *(window.slices(frame, portfolio) if portfolio.is_dated else ()))
    parts = [(month, frame.iloc[rows], counts[rows]) for month, rows in spans]
    total, *months = (_over_bands(_period(*part, reference, params), part[1][part[2]], names, reference.shift) for part in parts)
    by_band = tuple(_band(name, frame, counts, params, reference.shift) for name in names)
    return Performance(reference, window.vintage(frame, portfolio), total, tuple(months), by_band)


def _period(month: str, frame: pd.DataFrame, counts: Array, reference: Reference, params: PerformanceParams) -> Period:
    pd_, bad = _outcomes(frame, counts)
    bads, both, shift = int(bad.sum()), measures.has_both(bad), reference.shift
    gini = Estimate(*measures.gini_interval(bad, pd_, params.confidence)) if both else None
    weights, said = measures.weigh(bad, shift), float(measures.moved(pd_, -shift).mean()) if len(bad) else 0.0
    enough = len(bad) >= params.minimum and bads >= params.minimum_bad
    return Period(
        month=month, decisions=len(frame), matured=len(bad), bad=bads, gini=gini, ks=measures.ks(bad, pd_) if both else None,
        brier=float(np.average((pd_ - bad) ** 2, weights=weights)) if len(bad) else None,
        ece=measures.ece(bad, pd_, shift=shift) if both else None,
        mean_pd=float(np.average(pd_, weights=weights)) if len(bad) else None, observed=observed((bads, len(bad)), params, shift),
        too_low=too_low(bads, len(bad), said) if len(bad) else None,
        gini_verdict=gini_verdict(gini, reference.gini, params) if enough else Verdict.INSUFFICIENT,
        calibration_verdict=calibration_verdict(bads, len(bad), said, params) if enough else Verdict.INSUFFICIENT,
        note=_note(len(bad), bads, params), binomial=binomial(bads, len(bad), said) if len(bad) else None,
    )


def _over_bands(period: Period, outcomes: pd.DataFrame, names: tuple[str, ...], shift: float) -> Period:
    """The period with the test over score bands; outcomes: the rows of those that matured."""
    if outcomes.empty:
        return period
    at, said = pd.Index(names).get_indexer(pd.Index(outcomes["band"])), measures.moved(outcomes["pd"].to_numpy(), -shift)
    known = at >= 0
    found = hosmer_lemeshow(outcomes[BAD].to_numpy(dtype=np.float64)[known], said[known], at[known]) if known.any() else None
    return msgspec.structs.replace(period, hosmer_lemeshow=found)


def gini_verdict(gini: Estimate | None, reference: Estimate, params: PerformanceParams) -> Verdict:
    """On the share of the reference Gini that is lost; chance explains it while the interval of the difference reaches 0.

    The two are measured on different applicants, so the half widths of their intervals add in squares (Newcombe 1998, method 10).
    """
    if gini is None or reference.value <= 0:
        return Verdict.INSUFFICIENT
    lost = params.gini_loss.verdict(1 - gini.value / reference.value)
    if gini.high is None or reference.low is None:
        return lost
    reach = math.hypot(gini.high - gini.value, reference.value - reference.low)
    return unless_chance(lost, explained=reach >= reference.value - gini.value)


def calibration_verdict(bads: int, matured: int, mean_pd: float, params: PerformanceParams) -> Verdict:
    """On how far bad outcomes lie from the PDs; chance explains it while the Jeffreys p-value is not below 1 - confidence.

    PDs that are too high are watched at most. Where few bad outcomes are expected none at all is no rare event, and nothing is said.
    """
    p_value, chance = too_low(bads, matured, mean_pd), 1 - params.confidence
    excess = bads / matured / mean_pd - 1
    if excess >= 0:
        return unless_chance(params.excess_bad.verdict(excess), explained=p_value >= chance)
    told = mean_pd * matured >= params.minimum_bad and 1 - p_value < chance
    return Verdict.WATCH if told and -excess >= params.excess_bad.watch else Verdict.OK


def too_high(found: Period | Band | Segment) -> bool:
    """Whether its verdict is that the PDs are too high."""
    flagged = found.calibration_verdict in {Verdict.WATCH, Verdict.ALERT}
    return flagged and found.observed is not None and found.mean_pd is not None and found.observed.value < found.mean_pd


def _band(name: str, frame: pd.DataFrame, counts: Array, params: PerformanceParams, shift: float) -> Band:
    here = (frame["band"] == name).to_numpy()
    pd_, bad = _outcomes(frame[here], counts[here])
    bads, said = int(bad.sum()), float(measures.moved(pd_, -shift).mean()) if len(bad) else 0.0
    return Band(
        band=name, decisions=int(here.sum()), matured=len(bad), bad=bads,
        mean_pd=float(np.average(pd_, weights=measures.weigh(bad, shift))) if len(bad) else None,
        observed=observed((bads, len(bad)), params, shift), too_low=too_low(bads, len(bad), said) if len(bad) else None,
        calibration_verdict=calibration_verdict(bads, len(bad), said, params) if len(bad) >= params.minimum else Verdict.INSUFFICIENT,
        binomial=binomial(bads, len(bad), said) if len(bad) else None,
    )


def observed(cases: tuple[int, int], params: PerformanceParams, shift: float) -> Estimate | None:
    """The bad rate with its interval, of the population the PDs are of."""
    found = share(cases, params.confidence)
    return Estimate(*measures.moved([found.value, found.low, found.high], shift).tolist()) if found and shift else found


def _outcomes(frame: pd.DataFrame, counts: Array) -> tuple[Array, Array]:
    return frame["pd"].to_numpy()[counts], frame[BAD].to_numpy(dtype=np.float64)[counts]


def too_low(bads: int, matured: int, mean_pd: float) -> float:
    """P-value that the mean PD is not too low."""
    return float(measures.jeffreys(bads, matured, mean_pd))


def _note(matured: int, bad: int, params: PerformanceParams) -> str:
    if not matured:
        return "no outcome has matured"
    if bad in (0, matured):
        return f"all matured outcomes are {'bad' if bad else 'good'}: ranking cannot be measured"
    if matured < params.minimum or bad < params.minimum_bad:
        return f"a verdict needs {params.minimum} matured outcomes and {params.minimum_bad} bad"
    return ""
