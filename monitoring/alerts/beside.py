"""What is read of a report beside its columns and groups: inputs that moved the log-odds, the early sign, values that were others online.

Each says which subject it is about, its verdict, a figure, and the sentence a person is told. Judges nothing.
"""

from __future__ import annotations

import msgspec

from governance.limits import Verdict, worst

UNKNOWN_YET = "loans without outcomes"
Seen = tuple[str, Verdict, float | None, str]


class Value(msgspec.Struct, frozen=True):
    """A figure with its interval, as reports write it."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Moved(msgspec.Struct, frozen=True):
    """By how much an input moved the mean log-odds of bad in a month."""

    month: str
    shift: float
    low: float | None = None
    high: float | None = None
    verdict: Verdict = Verdict.INSUFFICIENT


class Attribution(msgspec.Struct, frozen=True):
    """An input of the drift report, by what it adds to the log-odds."""

    column: str
    months: tuple[Moved, ...]
    verdict: Verdict = Verdict.INSUFFICIENT

    @property
    def flagged(self) -> tuple[str, ...]:
        """The months with its verdict."""
        return tuple(one.month for one in self.months if one.verdict is self.verdict)

    @property
    def sure(self) -> str:
        """How far it moved them where it moved them most."""
        most = self._most
        bounds = "" if most.low is None or most.high is None else f" ({most.low:+.2f} to {most.high:+.2f})"
        return f"log-odds of bad {most.shift:+.2f}{bounds} in {most.month}"

    @property
    def told(self) -> Seen:
        return self.column, self.verdict, self._most.shift, f"{self.column} moved the mean {self.sure}"

    @property
    def _most(self) -> Moved:
        return max(self.months, key=lambda one: (one.verdict is self.verdict, abs(one.shift)))


class Sign(msgspec.Struct, frozen=True):
    """An early sign, of all loans without outcomes or of a vintage; bad_rate: what outcomes say, null where none is known."""

    month: str
    verdict: Verdict = Verdict.INSUFFICIENT
    projected: Value | None = None
    mean_pd: float | None = None
    bad_rate: Value | None = None

    @property
    def sure(self) -> str:
        if self.projected is None or self.mean_pd is None:
            return "too few early signs"
        told, low, high = (f"{bound or 0.0:.1%}" for bound in (self.projected.value, self.projected.low, self.projected.high))
        return f"{told} ({low} to {high}) will be bad by the early sign, PDs said {self.mean_pd:.1%}"


class Signs(msgspec.Struct, frozen=True):
    """The early sign in the performance report. young: of all loans without outcomes; spans: of each vintage."""

    young: Sign
    spans: tuple[Sign, ...] = ()

    @property
    def flagged(self) -> tuple[Sign, ...]:
        """All loans without outcomes, where these are; else the vintages that are and have none: outcomes replace what a sign says."""
        if self.young.verdict is Verdict.WATCH:  # the worst that is said of a sign
            return (self.young,)
        return tuple(one for one in self.spans if one.verdict is Verdict.WATCH and one.bad_rate is None)

    @property
    def verdict(self) -> Verdict:
        return worst((self.young.verdict, *(one.verdict for one in self.flagged)))

    @property
    def told(self) -> Seen:
        first = next(iter(self.flagged), self.young)
        of = UNKNOWN_YET if first is self.young else f"{UNKNOWN_YET}, of {first.month}"
        return UNKNOWN_YET, self.verdict, first.projected.value if first.projected else None, f"{of}: {first.sure}"


class Apart(msgspec.Struct, frozen=True):
    """A stored column in the report on parity. mismatched: decisions with another value online."""

    column: str
    verdict: Verdict = Verdict.INSUFFICIENT
    compared: int = 0
    mismatched: int = 0
    share: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def sure(self) -> str:
        return f"another value in {self.mismatched:,} of {self.compared:,} decisions: {self.share:.1%} ({self.low:.1%} to {self.high:.1%})"

    @property
    def told(self) -> Seen:
        return self.column, self.verdict, self.share, f"{self.column} online: {self.sure}"
