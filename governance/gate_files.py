"""The files of a release that gates read, each as far as a gate asks: strict in what is there, silent about the rest.

A null where a number must be, as NaN is written, is an error of the reader. Judges nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from governance.limits import Verdict


class Input(msgspec.Struct, frozen=True):
    """An input in contract.json, as far as a gate asks."""

    name: str
    risk: int
    reason: str
    kind: str = ""


class Rule(msgspec.Struct, frozen=True):
    """A rule in contract.json."""

    code: str
    reason: str


class Contract(msgspec.Struct, frozen=True):
    """contract.json."""

    dated: bool
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]


class Validation(msgspec.Struct, frozen=True):
    """What the manifest says of the data."""

    success: bool
    warnings: list[Any]


class Measures(msgspec.Struct, frozen=True):
    """A part in measures.json."""

    rows: int
    bads: int
    gini: float
    gini_low: float
    gini_high: float
    ece: float


class Measured(msgspec.Struct, frozen=True):
    """measures.json, the test."""

    test: Measures


class Graded(msgspec.Struct, frozen=True):
    """Rows that share a PD: all, or a band."""

    name: str
    rows: int
    bads: int
    mean_pd: float
    bad_rate: float
    jeffreys: float

    @property
    def excess(self) -> float:
        """By what share bad outcomes exceed the PDs."""
        return self.bad_rate / self.mean_pd - 1


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its interval."""

    value: float
    low: float
    high: float


class Recalibration(msgspec.Struct, frozen=True):
    """The slope of the outcomes over the log-odds of the PDs."""

    slope: Estimate


class Part(msgspec.Struct, frozen=True):
    """A part in calibration.json."""

    whole: Graded
    bands: tuple[Graded, ...]
    recalibration: Recalibration


class Calibrated(msgspec.Struct, frozen=True):
    """calibration.json."""

    parts: dict[str, Part]


class Direction(msgspec.Struct, frozen=True):
    """A proved direction."""

    input: str
    direction: Literal["rises", "falls"]
    comparisons: int


class Proof(msgspec.Struct, frozen=True):
    """What monotonicity.json says of one model."""

    holds: bool
    comparisons: int
    inputs: tuple[Direction, ...]


class Baseline(msgspec.Struct, frozen=True):
    """reasons.json: one number per input."""

    baseline: tuple[float, ...]


class Faithful(msgspec.Struct, frozen=True):
    """fidelity.json: named reasons, and how many of them lower the PD when their factor is moved to the baseline."""

    applications: int
    cases: int
    helped: int
    pairs: int
    ahead: int


class Column(msgspec.Struct, frozen=True):
    """A result in stability.json."""

    column: str
    psi: float
    verdict: Verdict


class Stable(msgspec.Struct, frozen=True):
    """stability.json."""

    out_of_time: bool
    results: tuple[Column, ...]
    gini_verdict: Verdict
    found: tuple[str, ...]
