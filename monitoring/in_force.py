"""The policy packs a window is judged by: those params.yaml names, each as it was in force on the day in question.

The day is that of the newest decision, of the window or of a month in it; `fairness.as_of` sets another. Refuses a window without a time
axis under a pack whose versions differ, unless that day is said: none of its decisions has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from feature_repo.errors import ParamsError
from feature_repo.portfolio import Portfolio
from governance import packs
from governance.limits import Floor, Limits
from governance.packs import Dated, Pack
from monitoring import window
from monitoring.params import FairnessParams


@dataclass(frozen=True)
class InForce:
    """The named packs with all their versions, and the day that is said, if one is."""

    named: Mapping[str, Dated]
    as_of: date | None

    def on(self, day: date) -> tuple[Pack, ...]:
        """Every pack in its version of a day. Raises ParamsError where one has none."""
        return tuple(packs.in_force(name, pack, self.as_of or day) for name, pack in self.named.items())

    def then(self, day: date) -> tuple[Pack, ...]:
        """Those that have a version of a day in the past; before its first one a pack says nothing."""
        at = self.as_of or day
        return tuple(packs.in_force(name, pack, at) for name, pack in self.named.items() if any(one.covers(at) for one in pack.versions))


def read(params: FairnessParams, portfolio: Portfolio) -> InForce:
    """The packs of params.yaml. Raises ParamsError for a pack there is none of, and for a day that is not said where none can be told."""
    named = {name: packs.read(name) for name in params.packs}
    several = [name for name, pack in named.items() if len(pack.versions) > 1 or pack.versions[0].since or pack.versions[0].until]
    if several and params.as_of is None and not portfolio.is_dated:
        raise ParamsError(f"{portfolio.name} has no time axis, and what {several[0]} says depends on the day: say which in params.yaml, "
                          "section fairness, as_of: YYYY-MM-DD")
    return InForce(named, params.as_of)


def limits(found: Iterable[Pack], name: str) -> Limits | None:
    """The strictest limits that the packs set on a measure; null where none has it."""
    named = [measure.limits for pack in found for measure in pack.version.measures if measure.name == name]
    return max(named, key=lambda one: one.alert if isinstance(one, Floor) else -one.alert, default=None)


def newest(frame: pd.DataFrame) -> date:
    """The day of the newest decision."""
    return pd.Timestamp(frame[window.DECIDED_AT].max()).date()
