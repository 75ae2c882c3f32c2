"""How applications of one vintage go bad as they age: bad rate per vintage, and cumulative bad rate by months since the application.

Outcomes are right-censored: a loan of last year has had less time to go bad. Bad rates are of outcomes that have matured (the contract's
rule). A curve ends where the youngest loan of its vintage was last seen, so that every loan in it was watched to its end and a share needs
no estimator for censoring, such as Kaplan and Meier's. Judges nothing: whether the window is long enough is for a person to see.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME, Outcome
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from training import measures
from training.standing import BAD_ON, OPEN, STANDING, STAYED_GOOD, WENT_BAD

Array = np.ndarray[Any, Any]
Count = Annotated[int, msgspec.Meta(ge=1)]
MONTH = timedelta(days=365.25 / 12)
BOOKED = (WENT_BAD, STAYED_GOOD, OPEN)
RATES = ("vintage", "applications", "booked", "counted", "bads", "bad_rate", "low", "high")
CURVES = ("vintage", "months", "booked", "bads", "bad_rate", "low", "high")


class Vintages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `vintages` of params.yaml: how many months a curve has at most, and from point to point."""

    months: Count
    step: Count


class Vintage(msgspec.Struct, frozen=True):
    """One vintage. counted: matured outcomes, of which bads and bad_rate with its 95% Jeffreys bounds; null where there is none.

    seen: whole months that all its loans were watched; cumulative: by then bad of those booked, every `step` months from the first step.
    """

    vintage: str
    applications: int
    booked: int
    counted: int
    bads: int
    bad_rate: float | None
    low: float | None
    high: float | None
    seen: int | None
    cumulative: tuple[int, ...]


class Found(msgspec.Struct, frozen=True):
    """vintages.json. unit: month, quarter or year, null without a time axis; followed: whether the day of going bad is known.

    by_window: of what went bad within `months` of the application, the share that had within the outcome window, over the vintages
    seen that long; null where there is no window or no such vintage.
    """

    unit: str | None
    followed: bool
    observed_until: date | None
    matures_after_days: int
    within_days: int | None
    step: int
    by_window: float | None
    caveat: str
    vintages: tuple[Vintage, ...]
    found: tuple[str, ...]


def find(portfolio: Portfolio, frame: pd.DataFrame, record: pd.DataFrame, settings: Vintages) -> Found:
    """frame: assembled applications, `bad` where it counts; record: how each outcome was recorded (training.standing)."""
    declared = portfolio.outcome
    unit, by_vintage = _by_vintage(portfolio, frame, record)
    each = tuple(_vintage(name, rows, declared, settings) for name, rows in by_vintage.items())
    by_window = _by_window(list(by_vintage.values()), declared, settings)
    return Found(
        unit, declared.bad_on is not None, declared.observed_until.date() if declared.observed_until else None, declared.matures_after.days,
        declared.within.days if declared.within else None, settings.step, by_window, declared.caveat, each,
        tuple(_words(portfolio, each, by_window, settings)),
    )


def rates(found: Found) -> pd.DataFrame:
    """One line per vintage: applications, booked, counted outcomes and their bad rate."""
    return pd.DataFrame([{name: getattr(each, name) for name in RATES} for each in found.vintages], columns=list(RATES))


def curves(found: Found) -> pd.DataFrame:
    """One line per vintage and point of its curve; none where the day of going bad is not known."""
    lines = [(each.vintage, (at + 1) * found.step, each.booked, bads) for each in found.vintages for at, bads in enumerate(each.cumulative)]
    table = pd.DataFrame(lines, columns=list(CURVES[:4]))
    low, high = measures.rate_interval(table["bads"], table["booked"])
    return table.assign(bad_rate=table["bads"] / table["booked"], low=low, high=high)


def _by_vintage(portfolio: Portfolio, frame: pd.DataFrame, record: pd.DataFrame) -> tuple[str | None, dict[str, pd.DataFrame]]:
    if not portfolio.is_dated:
        return None, {}
    joined = frame[[APPLICATION_ID, EVENT_TIME, BAD]].merge(record, on=APPLICATION_ID, how="left", validate="one_to_one")
    lacking = int(joined[STANDING].isna().sum())
    if lacking:
        raise DataError(f"{lacking} of {len(frame)} assembled applications are not in ingest's record of outcomes; run ingest again")
    unit, keys = measures.vintages(joined[EVENT_TIME])
    return unit, {str(key): rows for key, rows in joined.groupby(keys, sort=True)}


def _vintage(key: str, rows: pd.DataFrame, declared: Outcome, settings: Vintages) -> Vintage:
    booked = rows[rows[STANDING].isin(BOOKED)]
    known = rows[BAD].dropna()
    counted, bads = len(known), int(known.sum())
    seen = _seen(booked, declared)
    until = min(seen, settings.months) if seen is not None and declared.bad_on else 0
    points = np.arange(settings.step, until + 1, settings.step)
    rate, low, high = (bads / counted, *map(float, measures.rate_interval(bads, counted))) if counted else (None, None, None)
    return Vintage(key, len(rows), len(booked), counted, bads, rate, low, high, seen, tuple(_bad_by(booked, points).tolist()))


def _seen(booked: pd.DataFrame, declared: Outcome) -> int | None:
    """Whole months from the youngest application to the day outcomes were last seen."""
    if booked.empty or declared.observed_until is None:
        return None
    return max(int((pd.Timestamp(declared.observed_until) - booked[EVENT_TIME].max()) // pd.Timedelta(MONTH)), 0)


def _bad_by(booked: pd.DataFrame, months: Array) -> Array:
    """How many were bad by so many months after their application."""
    age = np.sort((booked[BAD_ON] - booked[EVENT_TIME]).dropna().dt.total_seconds().to_numpy()) / MONTH.total_seconds()
    return np.searchsorted(age, months, side="right")


def _by_window(vintages: list[pd.DataFrame], declared: Outcome, settings: Vintages) -> float | None:
    if declared.within is None or declared.bad_on is None:
        return None
    limits = np.array([declared.within / MONTH, settings.months])
    booked = [rows[rows[STANDING].isin(BOOKED)] for rows in vintages]
    long = [_bad_by(rows, limits) for rows in booked if (_seen(rows, declared) or 0) >= settings.months]
    early, all_of_them = np.sum(long, axis=0) if long else (0, 0)
    return float(early / all_of_them) if all_of_them else None


def _words(portfolio: Portfolio, vintages: tuple[Vintage, ...], by_window: float | None, settings: Vintages) -> list[str]:
    declared = portfolio.outcome
    if not portfolio.is_dated:
        return ["There is no time axis, so there is no vintage."]
    counted, applications = (sum(getattr(each, name) for each in vintages) for name in ("counted", "applications"))
    said = [f"An outcome counts {declared.matures_after.days} days after the application: {counted} of {applications} do."]
    if declared.bad_on is None:
        return [*said, "The day of going bad is not recorded (Outcome.bad_on), so bad rates are shown per vintage and not by age."]
    said += ["A curve ends where the youngest loan of its vintage was last seen; all of its loans were watched that long."]
    if by_window is not None:
        said += [f"Of what was bad within {settings.months} months, {by_window:.0%} was within the outcome window (vintages seen so long)."]
    return [*said, *([f"{declared.caveat[0].upper()}{declared.caveat[1:]}."] if declared.caveat else [])]
