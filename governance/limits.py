"""Limits on a figure and the verdict they give: the four words that a release before it is used, and a window after, are judged by.

Refuses to pass what it could not measure: a missing figure or too few decisions is "insufficient", never "ok".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

Part = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Verdict(StrEnum):
    """What is said of a figure, mildest first; what validation says of data is `feature_repo.verdict`."""

    INSUFFICIENT = "insufficient"
    OK = "ok"
    WATCH = "watch"
    ALERT = "alert"


ORDER = tuple(Verdict)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two thresholds on one figure, of the same unit as the figure: a share or an index, never a percentage."""

    watch: Part
    alert: Part


class Ceiling(Limits, frozen=True, forbid_unknown_fields=True):
    """On a figure that is worse the higher it is."""

    def __post_init__(self) -> None:
        """Raise ValueError, which `feature_repo.params.read` makes a ParamsError, where an alert would come before a watch."""
        if self.watch > self.alert:
            raise ValueError(f"watch is {self.watch:g}, above alert, {self.alert:g}; this figure is worse the higher it is: swap them")

    def verdict(self, value: float | None) -> Verdict:
        """The verdict on the figure.

        >>> Ceiling(watch=0.10, alert=0.25).verdict(0.25)
        <Verdict.ALERT: 'alert'>
        """
        if value is None or not math.isfinite(value):
            return Verdict.INSUFFICIENT
        return Verdict.ALERT if value >= self.alert else Verdict.WATCH if value >= self.watch else Verdict.OK


class Floor(Limits, frozen=True, forbid_unknown_fields=True):
    """On a figure that is worse the lower it is."""

    def __post_init__(self) -> None:
        """Raise ValueError, as `Ceiling` does."""
        if self.watch < self.alert:
            raise ValueError(f"watch is {self.watch:g}, below alert, {self.alert:g}; this figure is worse the lower it is: swap them")

    def verdict(self, value: float | None) -> Verdict:
        """The verdict on the figure.

        >>> Floor(watch=0.90, alert=0.80).verdict(0.80)
        <Verdict.WATCH: 'watch'>
        """
        if value is None or not math.isfinite(value):
            return Verdict.INSUFFICIENT
        return Verdict.ALERT if value < self.alert else Verdict.WATCH if value < self.watch else Verdict.OK


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe verdict; of none at all, "insufficient"."""
    return max(verdicts, key=ORDER.index, default=Verdict.INSUFFICIENT)


def unless_chance(verdict: Verdict, *, explained: bool) -> Verdict:
    """One step milder where chance explains the figure: its size decides the word, its interval must bear it out."""
    milder = {Verdict.ALERT: Verdict.WATCH, Verdict.WATCH: Verdict.OK}
    return milder.get(verdict, verdict) if explained else verdict


def spans(flagged: Sequence[str], months: Sequence[str]) -> str:
    """Months in words, neighbours joined.

    >>> spans(["2023-01", "2023-02", "2023-04"], ["2023-01", "2023-02", "2023-03", "2023-04"])
    '2023-01 to 2023-02, 2023-04'
    """
    runs: list[list[str]] = []
    for position, month in enumerate(months):
        if month not in flagged:
            continue
        if runs and position and months[position - 1] == runs[-1][-1]:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
