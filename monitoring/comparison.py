"""Development and out-of-time side by side: the parts the release was made and judged on, and this window. Judges nothing."""

from __future__ import annotations

import msgspec
import pandas as pd

from governance.release import Release
from monitoring.intervals import Estimate
from monitoring.performance import Period
from serving.scoring.bins import Bins, psi

PARTS = ("development", "calibration", "cross_validation", "test")
HERE = "this window"


class Side(msgspec.Struct, frozen=True):
    """One part of the release's making, or this window, in the measures they share.

    psi: of the score against development on the release's frozen bins; null where a figure cannot be told.
    """

    part: str
    rows: int
    bad: int
    bad_rate: float | None
    mean_pd: float | None
    gini: Estimate | None
    ks: float | None
    ece: float | None
    brier: float | None
    psi: float | None


def side_by_side(release: Release, frame: pd.DataFrame, total: Period) -> tuple[Side, ...]:
    """Development, what was kept from fitting, the test, and this window's matured outcomes; frame: with every decision's score."""
    measured = release.read("measures.json", dict[str, dict[str, float]])
    parts = tuple(_side(part, measured[part]) for part in PARTS if part in measured)
    bins = release.read("bins.json", dict[str, Bins])["score"]
    here = Side(HERE, total.matured, total.bad, total.observed.value if total.observed else None, total.mean_pd, total.gini, total.ks,
                total.ece, total.brier, psi(bins.count(frame["score"]), bins.shares))
    return (*parts, here)


def _side(part: str, found: dict[str, float]) -> Side:
    return Side(part.replace("_", "-"), int(found["rows"]), int(found["bads"]), found["bad_rate"], found["mean_pd"],
                Estimate(found["gini"], found["gini_low"], found["gini_high"]), found["ks"], found["ece"], found["brier"], found.get("psi"))
