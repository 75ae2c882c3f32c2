"""From values to a decision: derive, encode, score, calibrate, apply policy and rules, explain. Pure; no clock, no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from feature_repo.contract import Action
from feature_repo.derive import derive, holds
from feature_repo.errors import ReleaseError
from feature_repo.interface import describe
from feature_repo.portfolio import Portfolio
from governance.release import Release, dump, require_interface, write_arrays
from serving.scoring import reasons
from serving.scoring.kernel import Array, Kernel, Levels
from serving.scoring.parts import ACTIONS, Calibrator, Decision, Policy, Texts, Value
from serving.scoring.reasons import Against
from serving.scoring.scorecard import Scorecard
from serving.scoring.single import Single
from serving.scoring.support import FILE, Seen, Support, outside, referred
from serving.scoring.trees import Trees

KERNELS: dict[str, type[Trees | Scorecard]] = {"trees": Trees, "scorecard": Scorecard}
Encoding = dict[str, dict[str, float]]


class Reasons(msgspec.Struct, frozen=True):
    """reasons.json. A release from before there were two comparisons has the one baseline, of applicants at the cut-off."""

    method: str
    baseline: tuple[float, ...]
    against: Against = Against.CUT_OFF
    baselines: dict[Against, tuple[float, ...]] = {}


@dataclass(frozen=True)
class Assessment:
    """What the arrays say of n applications.

    severity indexes `ACTIONS`; broken maps rule position -> bool array; doubtful: whether a stored value that must be there is not;
    outside: where values are that nobody in development had, by the name of each input that has one; unusual: whether one of them refers.
    """

    columns: dict[str, Array]
    rows: Array
    margin: Array
    pd: Array
    score: Array
    band: Array
    severity: Array
    broken: list[Array]
    doubtful: Array
    outside: dict[str, Array]
    unusual: Array

    @property
    def anywhere(self) -> Array:
        """Whether any value is outside, bool of shape (n,)."""
        return np.any(list(self.outside.values()), axis=0) if self.outside else np.zeros(len(self.pd), dtype=bool)


@dataclass(frozen=True)
class Scorer:
    """A release ready to score.

    baseline: mean contribution per input of the applicants that reasons compare with, as `against` says; baselines: of each comparison.
    support: what development had of each input; nothing in a release from before it was frozen.
    """

    portfolio: Portfolio
    texts: Texts
    encoding: Encoding
    kernel: Kernel
    calibrator: Calibrator
    policy: Policy
    baseline: Array
    against: Against = Against.CUT_OFF
    baselines: Mapping[Against, Array] = field(default_factory=dict)
    support: Support = field(default_factory=dict)

    def assess(self, values: Mapping[str, Array | Levels]) -> Assessment:
        """Score arrays of raw inputs, each of shape (n,): float64 with NaN for missing, or levels as `Levels` or objects with None.

        A stored value that is missing (never known, or too old) and not nullable is in doubt: at least a referral, live and in a frame.
        So is a value outside development, where its column's contract says so.
        """
        columns = derive(self.portfolio, values)
        rows = encoded_columns(self.portfolio, self.encoding, columns).T
        margin = self.kernel.margins(rows)
        pd = self.calibrator.pd(margin)
        doubtful = in_doubt(self.portfolio, columns)
        beyond = outside(self.portfolio, self.support, columns)
        unusual = referred(self.support, beyond, len(pd))
        severity = np.maximum(self.policy.severities(pd), (doubtful | unusual) * ACTIONS.index(Action.REFER))
        broken = [holds(rule, columns) for rule in self.portfolio.rules]
        for rule, at in zip(self.texts.rules, broken, strict=True):
            severity = np.where(at, np.maximum(severity, ACTIONS.index(rule["action"])), severity)
        return Assessment(columns, rows, margin, pd, self.policy.scores(pd), self.policy.band_indices(pd), severity, broken, doubtful,
                          beyond, unusual)

    def decide(self, values: Mapping[str, Value], doubtful: tuple[str, ...] = ()) -> Decision:
        """Decide one application.

        values: every raw input by name, None for missing; doubtful: stored columns whose value is missing or out of date, which
        makes the decision degraded and at least a referral, as does a missing one that `assess` finds itself.
        """
        return self._single.decide(values, doubtful)

    def explain(self, at: Assessment, i: int, *, doubtful: bool = False) -> tuple[Any, ...]:
        """The principal reasons of application i, which is not approved: most severe first, at most four, adverse only.

        doubtful: whether a stored value is in doubt for more reasons than `assess` can see.
        """
        return self.principal(at, i, self.kernel.contributions(at.rows[i : i + 1])[0], doubtful=doubtful)

    def principal(self, at: Assessment, i: int, contributions: Array, *, doubtful: bool = False) -> tuple[Any, ...]:
        """`explain` where the contributions to the margin of application i are known, shape (inputs,)."""
        broken = [rule for rule, held in zip(self.texts.rules, at.broken, strict=True) if held[i]]
        by_pd = int(self.policy.severities(at.pd[i : i + 1])[0])
        reserved = reasons.reservations(doubtful=doubtful or bool(at.doubtful[i]), outside=bool(at.unusual[i]))
        return reasons.principal(self.texts, self.shortfall(contributions), broken=broken, reserved=reserved, scored=by_pd > 0)

    def shortfall(self, contributions: Array) -> Array:
        """What each input adds beyond what it adds for those the release compares with, shape (inputs,); positive is adverse."""
        otherwise = self.baselines.get(Against.CUT_OFF) if self.against is Against.EVERYONE else None
        return reasons.shortfall(self.texts, contributions, self.baseline, otherwise)

    @cached_property
    def _single(self) -> Single:
        return Single(self)


def in_doubt(portfolio: Portfolio, columns: Mapping[str, Any]) -> Array:
    """Whether a stored value that is not nullable is missing, bool of shape (n,)."""
    found = np.zeros(len(columns[portfolio.requests[0].name]), dtype=bool)
    for column in portfolio.stored:
        if not column.nullable:
            values = columns[column.name]
            found |= missing(values) if column.is_level else np.isnan(values)
    return found


def missing(levels: Array | Levels) -> Array:
    """Where a column of levels has none, bool of shape (n,)."""
    return levels.codes < 0 if isinstance(levels, Levels) else np.array([level is None for level in levels], dtype=bool)


def numbers(levels: Array | Levels, encoding: Mapping[str, float]) -> Array:
    """What levels become, float64 of shape (n,); an unknown or missing one is NaN."""
    if isinstance(levels, Levels):
        return np.array([*(encoding.get(name, np.nan) for name in levels.names), np.nan])[levels.codes]
    return np.array([encoding.get(level, np.nan) for level in levels])


def encode(portfolio: Portfolio, encoding: Encoding, columns: Mapping[str, Any]) -> Array:
    """Model rows, float64 of shape (n, inputs) in contract order; a level becomes its number, an unknown one NaN."""
    return np.ascontiguousarray(encoded_columns(portfolio, encoding, columns).T)


def encoded_columns(portfolio: Portfolio, encoding: Encoding, columns: Mapping[str, Any]) -> Array:
    """`encode` with every input in one piece of memory, shape (inputs, n): what kernels walk many rows by."""
    found = np.empty((len(portfolio.inputs), len(columns[portfolio.requests[0].name])))
    for at, column in enumerate(portfolio.inputs):
        found[at] = numbers(columns[column.name], encoding[column.name]) if column.is_level else columns[column.name]
    return found


def save(scorer: Scorer, path: Path) -> None:
    """Write every part of a scorer into a release directory; no part is pickled."""
    write_arrays(path / "kernel.npz", scorer.kernel.arrays())
    parts = {"contract": describe(scorer.portfolio), "encoding": scorer.encoding, "calibrator": scorer.calibrator,
             "policy": scorer.policy, "reasons": {
                 "method": reasons.METHODS[scorer.against], "against": scorer.against, "baseline": scorer.baseline.tolist(),
                 "baselines": {against: baseline.tolist() for against, baseline in scorer.baselines.items()}}}
    if scorer.support:
        (path / FILE).write_bytes(dump(scorer.support))
    for name, part in parts.items():
        (path / f"{name}.json").write_bytes(dump(part))


def load(release: Release, portfolio: Portfolio) -> Scorer:
    """The scorer of a verified release. Raises ReleaseError where this code has another interface or knows no such kernel."""
    require_interface(release, portfolio)
    if release.manifest.model not in KERNELS:
        raise ReleaseError(f"the release holds a {release.manifest.model!r} model; this version scores {sorted(KERNELS)}")
    contract, said = release.read("contract.json"), release.read("reasons.json", Reasons)
    return Scorer(
        portfolio=portfolio,
        texts=Texts(tuple(contract["inputs"]), tuple(contract["rules"])),
        encoding=release.read("encoding.json", Encoding),
        kernel=KERNELS[release.manifest.model](**release.arrays("kernel.npz")),
        calibrator=release.read("calibrator.json", Calibrator),
        policy=release.read("policy.json", Policy),
        baseline=np.array(said.baseline),
        against=said.against,
        baselines={against: np.array(baseline) for against, baseline in said.baselines.items()},
        support=release.read(FILE, dict[str, Seen]) if FILE in release.manifest.files else {},
    )
