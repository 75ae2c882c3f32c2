"""The calibration of a release as a validator reads it: how it was chosen, of which population its PDs are, and where they hold.

Per part of the data the whole, its score bands and tenths; of the test every level of every input, the quarters of the number that ranks
best, and vintages. Judges nothing: p-values and intervals are evidence, limits are a gate's. Segments of few outcomes are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD, EVENT_TIME
from feature_repo.portfolio import Portfolio
from serving.scoring.bins import MISSING, intervals
from serving.scoring.parts import Calibrator, Policy
from training import grades, measures
from training.calibration import Tried
from training.evaluation import NO_TIME_AXIS
from training.params import Method
from training.splits import DEVELOPMENT, PART, PARTS, TEST

Array = np.ndarray[Any, Any]
FEWEST = 200  # outcomes of a segment: an interval of fewer spans most rates
QUARTERS = 4


class Grade(msgspec.Struct, frozen=True):
    """Rows that are judged together. low, high: Jeffreys 95% bounds of the bad rate; jeffreys, binomial: small where the PD is too low."""

    name: str
    rows: int
    bads: int
    mean_pd: float
    bad_rate: float
    low: float
    high: float
    jeffreys: float
    binomial: float


class Segment(Grade, frozen=True):
    """A level of an input, or a range of a number. adjusted: its Jeffreys p-value among those of all segments (Holm 1979)."""

    input: str
    adjusted: float


class Part(msgspec.Struct, frozen=True):
    """hosmer_lemeshow: over score bands, and over tenths of the PD; of the test read its p-value `out_of_sample`, else `development`."""

    whole: Grade
    recalibration: grades.Recalibration | None
    hosmer_lemeshow: dict[Literal["bands", "tenths"], grades.Fit]
    bands: tuple[Grade, ...]


class Population(msgspec.Struct, frozen=True):
    """What a PD is a PD of. sample: drawn by outcome, and nobody says what from; shift: what was added to the log-odds."""

    of: Literal["portfolio", "sample"]
    shift: float
    portfolio_bad_rate: float | None
    source: str
    says: str


class Evidence(msgspec.Struct, frozen=True):
    """calibration.json. left_out: how many segments have fewer outcomes than `fewest`; vintage: the word for their span."""

    method: Method
    tried: dict[Method, Tried]
    population: Population
    parts: dict[str, Part]
    segments: tuple[Segment, ...]
    vintage: str
    vintages: dict[str, tuple[Grade, ...]]
    fewest: int
    left_out: int


def evidence(portfolio: Portfolio, calibrator: Calibrator, policy: Policy, tried: dict[Method, Tried], judged: pd.DataFrame) -> Evidence:
    """judged: part, pd, band, outcome, event time and every input, of the rows that have a part."""
    shift, names = calibrator.shift, tuple(band.name for band in policy.bands)
    by_part = {str(part): rows for part in PARTS if len(rows := judged[judged[PART] == part])}
    segments = _segments(portfolio, by_part, shift)
    told = segments[segments["rows"] >= FEWEST]
    adjusted = grades.holm(told["jeffreys"].to_numpy())
    word, dated = _vintages(portfolio, judged, shift)
    return Evidence(
        method=calibrator.method, tried=tried, population=_population(portfolio, shift),
        parts={part: _part(rows, names, shift) for part, rows in by_part.items()},
        segments=msgspec.convert(told.assign(adjusted=adjusted).to_dict("records"), tuple[Segment, ...]),
        vintage=word, vintages={part: _grades(table[table["rows"] >= measures.FEWEST_IN_VINTAGE]) for part, table in dated.items()},
        fewest=FEWEST, left_out=len(segments) - len(told),
    )


def tables(found: Evidence) -> dict[str, pd.DataFrame]:
    """The plots `grades`, `segments` and `calibration_vintages`, of the test."""
    test = found.parts[TEST]
    vintages = found.vintages.get(TEST) or (msgspec.structs.replace(test.whole, name=NO_TIME_AXIS),)
    segments = pd.DataFrame([msgspec.structs.asdict(one) for one in found.segments], columns=Segment.__struct_fields__)
    segments.insert(0, "segment", segments["input"] + ": " + segments["name"])
    return {"grades": _table(test.bands), "segments": segments, "calibration_vintages": _table(vintages)}


def _table(found: tuple[Grade, ...]) -> pd.DataFrame:
    return pd.DataFrame([msgspec.structs.asdict(one) for one in found], columns=Grade.__struct_fields__)


def _part(rows: pd.DataFrame, names: tuple[str, ...], shift: float) -> Part:
    bad, pd_ = rows[BAD].to_numpy(dtype=np.float64), rows["pd"].to_numpy()
    groups: dict[Literal["bands", "tenths"], Any] = {"bands": rows["band"].to_numpy(dtype=str), "tenths": measures.quantile_bins(pd_)}
    bands = _grades(_assess(groups["bands"], rows, shift))
    return Part(
        whole=_grades(_assess(np.full(len(bad), "all"), rows, shift))[0],
        recalibration=grades.recalibrate(bad, pd_, shift),
        hosmer_lemeshow={by: grades.hosmer_lemeshow(group, bad, pd_, shift) for by, group in groups.items()},
        bands=tuple(sorted(bands, key=lambda band: names.index(band.name))),
    )


def _segments(portfolio: Portfolio, by_part: dict[str, pd.DataFrame], shift: float) -> pd.DataFrame:
    """Input, name and grade of every segment of the test."""
    test = by_part[TEST]
    found = [_assess(labels, test, shift).assign(input=name) for name, labels in _labels(portfolio, by_part[DEVELOPMENT], test)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["input", *Grade.__struct_fields__])


def _labels(portfolio: Portfolio, development: pd.DataFrame, test: pd.DataFrame) -> Iterator[tuple[str, Array]]:
    """Per input that segments the test, the segment of every row."""
    for column in portfolio.inputs:
        if column.is_level:
            yield column.name, test[column.name].fillna(MISSING).to_numpy(dtype=str)
    name = strongest(portfolio, development)
    if name:
        edges = np.unique(np.nanquantile(development[name].to_numpy(dtype=np.float64), np.arange(1, QUARTERS) / QUARTERS))
        values = test[name].to_numpy(dtype=np.float64)
        at = np.searchsorted(edges, values, side="right")
        yield name, np.where(np.isnan(values), MISSING, np.array(intervals(tuple(edges)))[np.where(np.isnan(values), 0, at)])


def strongest(portfolio: Portfolio, development: pd.DataFrame) -> str | None:
    """The number that ranks the outcomes of development best by itself, either way; None where there is none that varies."""
    found = {}
    for column in portfolio.inputs:
        values = np.zeros(0) if column.is_level else development[column.name].to_numpy(dtype=np.float64)
        known = ~np.isnan(values)
        bad = development[BAD].to_numpy(dtype=np.float64)[known] if known.any() else np.zeros(0)
        if measures.has_both(bad) and np.ptp(values[known]) > 0:
            found[column.name] = abs(measures.auc_with_variance(bad, values[known])[0] - 0.5) * known.mean()
    return max(found, key=lambda name: found[name], default=None)


def _vintages(portfolio: Portfolio, judged: pd.DataFrame, shift: float) -> tuple[str, dict[str, pd.DataFrame]]:
    if not portfolio.is_dated:
        return "", {}
    word, spans = measures.vintages(judged[EVENT_TIME])
    of_part = {part: (judged[PART] == part).to_numpy() for part in PARTS}
    return word, {part: _assess(spans[rows], judged[rows], shift) for part, rows in of_part.items() if rows.any()}


def _assess(key: Array, rows: pd.DataFrame, shift: float) -> pd.DataFrame:
    return grades.assess(key, rows[BAD].to_numpy(dtype=np.float64), rows["pd"].to_numpy(), shift).reset_index(names="name")


def _grades(table: pd.DataFrame) -> tuple[Grade, ...]:
    return msgspec.convert(table.to_dict("records"), tuple[Grade, ...])


def _population(portfolio: Portfolio, shift: float) -> Population:
    sampled = portfolio.outcome.sampled
    if sampled is None:
        return Population("portfolio", shift, None, "", "PDs are of the applications whose outcomes are in the data")
    rate = sampled.portfolio_bad_rate
    return Population("sample" if rate is None else "portfolio", shift, rate, sampled.source, sampled.says)
