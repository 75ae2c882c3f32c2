"""What a reader is told of performance: sentences and the page. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feature_repo.portfolio import Portfolio
from governance.limits import Verdict, spans
from monitoring import maturing_report, pages, segments_report
from monitoring.blocks import Block, Page
from monitoring.comparison import Side
from monitoring.maturing_report import Way
from monitoring.pages import NOTHING, number, p_value, percent
from monitoring.params import PerformanceParams
from monitoring.performance import READING, Band, Performance, Period, too_high

AS_SAID = 0.005
"""Bad outcomes this close to what the PDs say are called equal, in shares of the mean PD."""
MANIFOLD = 2.0
"""From this excess on they are told as a multiple: 955% more is read as 9.5 times as many, and is 10.5."""
SIDES = ("part", "outcomes", "bad", "bad rate", "mean PD", "Gini", "KS", "ECE", "Brier", "PSI of score")
PERIODS = ("decisions", "matured", "share matured", "bad", "Gini", "ranking", "KS", "ECE", "Brier", "mean PD", "bad rate", "calibration",
           "Jeffreys p", "binomial p", "Hosmer-Lemeshow p", "note")
BANDS = ("band", "decisions", "matured", "share matured", "bad", "mean PD", "bad rate", "calibration", "Jeffreys p", "binomial p")


def findings(found: Performance, params: PerformanceParams) -> list[str]:
    """How PDs rank and hold against development, on how many outcomes."""
    total = found.total
    basis = f"{total.matured:,} of {total.decisions:,} decisions have a matured outcome, {total.bad:,} of them bad."
    if total.gini is None or total.mean_pd is None or total.observed is None:
        return [f"**Performance cannot be measured: {total.gini_verdict}.** {total.note[:1].upper()}{total.note[1:]}.", basis]
    compared = _compared(total.observed.value / total.mean_pd - 1, total.calibration_verdict, params)
    before = f"{number(found.reference.gini, 3)} in {found.reference.of}"
    return [
        f"**Ranking: {total.gini_verdict}.** Gini {number(total.gini, 3)} against {before}.",
        f"**Calibration: {_calibration(total)}.** {percent(total.observed.value)} bad, mean PD {percent(total.mean_pd)}: {compared}.",
        *_bands(found.bands), basis, *_months(found), *segments_report.findings(found.segments),
        f"A verdict needs {params.minimum} matured outcomes and {params.minimum_bad} bad; one that chance explains is a step milder.",
    ]


def outcomes_seen(portfolio: Portfolio) -> list[str]:
    """Which outcomes can count at all, and what the contract says of how they came into the file."""
    declared = portfolio.outcome
    caveats = [declared.caveat] * bool(declared.caveat) + ([declared.sampled.says] if declared.sampled else [])
    said = [f"What a reader of bad rates must know: {caveat}." for caveat in caveats]
    if not portfolio.is_dated or declared.observed_until is None:
        return said
    seen, age = declared.observed_until, declared.matures_after
    young = f"applications after {seen - age:%Y-%m-%d} are not mature and not counted"
    return [f"Outcomes were last seen on {seen:%Y-%m-%d} and count once {age.days:,} days old: {young}.", *said]


def _compared(excess: float, verdict: Verdict, params: PerformanceParams) -> str:
    if abs(excess) < AS_SAID:
        return "as the PDs say"
    if excess >= MANIFOLD:
        return f"{1 + excess:.1f} times as many as the PDs say"
    said = f"{abs(excess):.0%} {'more' if excess > 0 else 'fewer'} than the PDs say"
    if verdict is Verdict.OK:
        return said + (", which chance explains" if abs(excess) >= params.excess_bad.watch else ", within the limits")
    if verdict is Verdict.INSUFFICIENT or excess > 0:
        return said
    return said + "; that loses no money, but prices and declines people on risk that is not there"


def _calibration(found: Period | Band) -> str:
    return f"{found.calibration_verdict.value}{', PDs too high' if too_high(found) else ''}"


def _months(found: Performance) -> list[str]:
    flagged = {
        "Ranking in alert": [month.month for month in found.months if month.gini_verdict is Verdict.ALERT],
        "Calibration in alert": [month.month for month in found.months if month.calibration_verdict is Verdict.ALERT],
        "PDs too high": [month.month for month in found.months if too_high(month)],
        "No outcome has matured yet": [month.month for month in found.months if not month.matured],
    }
    months = [month.month for month in found.months]
    return [f"{what}: {spans(those, months)}." for what, those in flagged.items() if those]


def _bands(bands: Sequence[Band]) -> list[str]:
    told = [band for band in bands if band.calibration_verdict is Verdict.ALERT or too_high(band)]
    return [f"**Calibration of band {band.band}: {_calibration(band)}.** {percent(band.observed.value)} bad, "
            f"mean PD {percent(band.mean_pd)}." for band in told if band.observed]


def page(title: str, sentences: Sequence[str], found: Performance, sides: Sequence[Side], way: Way) -> Page:
    """The performance report; way: what is told before outcomes are known, beside what they were."""
    each = found.vintage
    dated = bool(found.months)
    parts = "band and segment" if found.segments else "band"
    whose = f"every {each}, {parts}, and the window as a whole" if dated else f"the window and each {parts}"
    charts = [
        (f"Gini by {each} of decision, with interval; dotted: {found.reference.of}", "over_time",
         [pages.point(month.month, "Gini", month.gini, found.reference.gini.value) for month in found.months if month.gini]),
        (f"Bad rate by {each}: observed with interval, and mean PD", "over_time",
         pages.beside((month.month, month.observed, month.mean_pd) for month in found.months)),
        ("Calibration by score band, on a logarithmic axis: observed with interval, and mean PD", "on_log",
         pages.beside((band.band, band.observed, band.mean_pd) for band in found.bands)),
    ]
    blocks = [
        pages.text(f"{title}: what was found", sentences),
        pages.counters(f"Verdicts on ranking and calibration: {whose}", found.flagged),
        Block(f"Development and {'out-of-time' if dated else 'test'} side by side", "table",
              pages.table((_side(side) for side in sides), SIDES)),
        *maturing_report.chart(each, way),
        *(Block(name, kind, pages.table(rows, pages.POINT)) for name, kind, rows in charts if rows),
        Block(f"By {each}" if dated else "The window", "table",
              pages.table((_period(each, period) for period in (*found.months, found.total)), (each, *PERIODS))),
        Block("By score band", "table", pages.table((_band(band) for band in found.bands), BANDS)),
        *segments_report.blocks(found.segments),
        *maturing_report.tables(each, way),
        pages.text("How to read this", [READING]),
    ]
    figures = [("Gini", found.total.gini.value if found.total.gini else None), ("KS", found.total.ks), ("Brier", found.total.brier),
               ("mean PD", found.total.mean_pd), ("bad rate", found.total.observed.value if found.total.observed else None)]
    rows = ({"column": "pd", "measure": name, "value": value} for name, value in figures)
    return Page(title, tuple(blocks), pages.table(rows, pages.FIGURE))


def _side(side: Side) -> dict[str, Any]:
    figures = (side.part, side.rows, side.bad, percent(side.bad_rate), percent(side.mean_pd), number(side.gini, 3),
               *(_three(value) for value in (side.ks, side.ece, side.brier, side.psi)))
    return dict(zip(SIDES, figures, strict=True))


def _three(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _period(each: str, period: Period) -> dict[str, Any]:
    tested = period.hosmer_lemeshow.p_value if period.hosmer_lemeshow else None
    figures = (period.month, period.decisions, period.matured, _share(period), period.bad, number(period.gini), period.gini_verdict.value,
               *(_three(value) for value in (period.ks, period.ece, period.brier)), percent(period.mean_pd),
               number(period.observed, 3), _calibration(period), *(p_value(p) for p in (period.too_low, period.binomial, tested)),
               period.note)
    return dict(zip((each, *PERIODS), figures, strict=True))


def _band(band: Band) -> dict[str, Any]:
    figures = (band.band, band.decisions, band.matured, _share(band), band.bad, percent(band.mean_pd), number(band.observed, 3),
               _calibration(band), p_value(band.too_low), p_value(band.binomial))
    return dict(zip(BANDS, figures, strict=True))


def _share(found: Period | Band) -> str:
    return percent(found.matured / found.decisions if found.decisions else None)
