"""Verdicts: the four words monitoring says, and when it says them.

Refuses to pass what it could not measure: a missing figure or too few decisions is "insufficient", never "ok".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """Mildest first."""

    INSUFFICIENT = "insufficient"
    OK = "ok"
    WATCH = "watch"
    ALERT = "alert"


ORDER = tuple(Verdict)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two thresholds on one figure, of the same unit as the figure."""

    watch: float
    alert: float

    def at_least(self, value: float | None) -> Verdict:
        """The verdict on a figure that is worse the higher it is.

        >>> Limits(watch=0.10, alert=0.25).at_least(0.25)
        <Verdict.ALERT: 'alert'>
        """
        if value is None or not math.isfinite(value):
            return Verdict.INSUFFICIENT
        return Verdict.ALERT if value >= self.alert else Verdict.WATCH if value >= self.watch else Verdict.OK

    def below(self, value: float | None) -> Verdict:
        """The verdict on a figure that is worse the lower it is.

        >>> Limits(watch=0.90, alert=0.80).below(0.80)
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
