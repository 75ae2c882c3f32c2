"""What people did with the service's decisions: how often they decided otherwise, how those loans turned out, and of which groups.

A low-side override approves what the service declined, a high-side one declines what it approved; what it referred is for a person to
decide and is no override. Shares have the minimum sample and the intervals of params.yaml. Judges nothing: what is much, a credit policy
says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Action
from governance.ratios import Cases
from monitoring import disclosure
from monitoring.intervals import Estimate, difference, share
from monitoring.params import OverrideParams
from serving.scoring.kernel import Array

OVERRIDE, CODE = "override", "override_code"  # columns of a window: approve, decline or null; of which reason
OUTCOME = "outcome"
NO_ATTRIBUTES: Mapping[str, Iterable[str]] = MappingProxyType({})
BY_SERVICE, BY_OVERRIDE, ON_REFERRAL = "approved by the service", "approved though declined", "approved on referral"


class Share(msgspec.Struct, frozen=True):
    """Cases with their share; null below the minimum sample."""

    hits: int
    of: int
    share: Estimate | None


class Approved(msgspec.Struct, frozen=True):
    """Loans that were approved in one way. bad_rate: of matured outcomes; against_service: less that of what the service approved."""

    way: str
    decisions: int
    matured: int
    bad: int
    bad_rate: Estimate | None
    against_service: Estimate | None


class Group(msgspec.Struct, frozen=True):
    """Overrides of one protected group, told coarsely as finer tables of people are: shares of what the service declined and approved.

    size: how many decisions; note: why nothing is told of a group (`monitoring.disclosure`).
    """

    attribute: str
    group: str
    size: str
    low_side: Estimate | None
    high_side: Estimate | None
    note: str


class Overrides(msgspec.Struct, frozen=True):
    """rate: of decisions the service made itself; low_side: of its declines, high_side: of its approvals; referred: decided by a person."""

    rate: Share
    low_side: Share
    high_side: Share
    referred: Share
    codes: dict[str, int]
    approved: tuple[Approved, ...]
    groups: tuple[Group, ...]


def assess(frame: pd.DataFrame, params: OverrideParams, attributes: Mapping[str, Iterable[str]] = NO_ATTRIBUTES) -> Overrides:
    """Of a window with `outcome`, `override`, `override_code` and `bad` (null where no outcome has matured).

    attributes: columns as `window.with_vault` joins them, each with the names of the groups that its contract declares.
    """
    was, now = frame[OUTCOME].to_numpy(dtype=object), frame[OVERRIDE].to_numpy(dtype=object)
    told = _Told(was, now, params)
    everyone = np.ones(len(frame), dtype=bool)
    overridden = told.low | told.high
    groups = tuple(group for attribute, names in attributes.items() for group in _groups(attribute, names, frame[attribute], told, params))
    return Overrides(
        rate=told.share((int(overridden.sum()), int((was != Action.REFER).sum()))), low_side=told.low_side(everyone),
        high_side=told.high_side(everyone), referred=told.share((int(told.decided.sum()), int((was == Action.REFER).sum()))),
        codes=dict(sorted(Counter(frame.loc[overridden | told.decided, CODE].dropna()).items())),
        approved=_approved(frame[BAD].to_numpy(dtype=np.float64), told, params), groups=groups,
    )


class _Told:
    """Who was overridden how."""

    def __init__(self, was: Array, now: Array, params: OverrideParams) -> None:
        self.was, self.now, self._params = was, now, params
        self.low = (was == Action.DECLINE) & (now == Action.APPROVE)
        self.high = (was == Action.APPROVE) & (now == Action.DECLINE)
        self.decided = (was == Action.REFER) & np.isin(now, [Action.APPROVE, Action.DECLINE])

    def low_side(self, here: Array) -> Share:
        return self.share((int((self.low & here).sum()), int(((self.was == Action.DECLINE) & here).sum())))

    def high_side(self, here: Array) -> Share:
        return self.share((int((self.high & here).sum()), int(((self.was == Action.APPROVE) & here).sum())))

    def share(self, cases: Cases) -> Share:
        return Share(*cases, share(cases, self._params.confidence) if cases[1] >= self._params.minimum else None)


def _groups(attribute: str, names: Iterable[str], belongs: pd.Series[Any], told: _Told, params: OverrideParams) -> Iterator[Group]:
    """Every declared group, one that no decision is of as one of few; none where no decision's group is known."""
    named = belongs.fillna(disclosure.UNKNOWN)
    counts = dict.fromkeys(names, 0) | {str(name): int(count) for name, count in named.value_counts().items()}
    hidden = disclosure.withheld(counts, params.minimum)
    for name in sorted(set(counts) - {disclosure.UNKNOWN}) if belongs.notna().any() else ():
        here, shown = (named == name).to_numpy(), name not in hidden
        low, high = (side(here).share if shown else None for side in (told.low_side, told.high_side))
        yield Group(attribute, name, disclosure.size(counts[name]) if shown else "", disclosure.coarse(low), disclosure.coarse(high),
                    hidden.get(name, ""))


def _approved(bad: Array, told: _Told, params: OverrideParams) -> tuple[Approved, ...]:
    """How loans turned out, by who approved them."""
    ways = {BY_SERVICE: (told.was == Action.APPROVE) & ~told.high, BY_OVERRIDE: told.low,
            ON_REFERRAL: told.decided & (told.now == Action.APPROVE)}
    cases = {way: (int((bad[here] == 1).sum()), int(np.isfinite(bad[here]).sum())) for way, here in ways.items()}
    enough = {way for way, (_, matured) in cases.items() if matured >= params.minimum}
    return tuple(Approved(
        way, int(ways[way].sum()), matured, bads, share((bads, matured), params.confidence) if way in enough else None,
        difference((bads, matured), cases[BY_SERVICE], params.confidence) if {way, BY_SERVICE} <= enough and way != BY_SERVICE else None)
        for way, (bads, matured) in cases.items())
