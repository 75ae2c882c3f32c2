"""Are the reasons that are given the ones that would have helped? Evidence for 12 CFR 1002.9, official comment 9(b)(2)-2 and -4.

The factor of a reason is every input that shares its text. It is moved to the baseline: the values that approved applicants nearest to
the cut-off have, one after another, all other inputs staying as they are; it helps where the log-odds of bad are then lower on average.
Asked of applications that missed the cut-off after development, with the reasons serving.scoring gives them. A derived input is a factor
of its own: what it is computed from stays. Judges nothing: the share that must help is a gate's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from serving.scoring.batch import arrays
from serving.scoring.decision import Assessment, Scorer

Array = np.ndarray[Any, Any]
STANDING_IN = 100  # approved applicants nearest to the cut-off whose values a factor is moved to


class Named(msgspec.Struct, frozen=True):
    """A reason text: how often it was given, and how often moving its factor helped."""

    text: str
    cases: int
    helped: int


class Fidelity(msgspec.Struct, frozen=True):
    """fidelity.json. applications: looked at; cases: reasons given, of the model; helped: whose factor helps.

    pairs, ahead: a reason given beside a factor that was not, of one application, and where the first helps more. reasons: seldom
    helping first.
    """

    applications: int
    cases: int
    helped: int
    pairs: int
    ahead: int
    reasons: tuple[Named, ...]


@dataclass(frozen=True)
class Asked:
    """Applications that missed the cut-off, and those just below it that stand in; raw inputs of both."""

    missed: pd.DataFrame
    below: pd.DataFrame


def measure(scorer: Scorer, asked: Asked) -> Fidelity:
    """Move every factor of every application, and hold what it gains against what was named."""
    texts = tuple(dict.fromkeys(spec["reason"] for spec in scorer.texts.inputs))
    if asked.missed.empty or asked.below.empty:
        return Fidelity(0, 0, 0, 0, 0, ())
    at = scorer.assess(arrays(scorer.portfolio, asked.missed))
    standing_in = scorer.assess(arrays(scorer.portfolio, asked.below)).rows
    given = named(scorer, at, texts)
    gained = np.column_stack([_gain(scorer, at, standing_in, text) for text in texts])
    helped = given & (gained > 0)
    counted = [Named(text, int(given[:, k].sum()), int(helped[:, k].sum())) for k, text in enumerate(texts) if given[:, k].any()]
    pairs, ahead = _pairs(given, gained)
    return Fidelity(len(at.pd), int(given.sum()), int(helped.sum()), pairs, ahead,
                    tuple(sorted(counted, key=lambda each: (each.helped / each.cases, each.text))))


def named(scorer: Scorer, at: Assessment, texts: tuple[str, ...]) -> Array:
    """Which texts of the model's factors each application is given, bool of shape (n, texts)."""
    inputs = {spec["name"] for spec in scorer.texts.inputs}
    contributions = scorer.kernel.contributions(at.rows)
    found = np.zeros((len(at.pd), len(texts)), dtype=bool)
    for i in range(len(at.pd)):
        for reason in scorer.principal(at, i, contributions[i]):
            if reason.feature in inputs:
                found[i, texts.index(reason.text)] = True
    return found


def _gain(scorer: Scorer, at: Assessment, standing_in: Array, text: str) -> Array:
    """By how much the log-odds of bad fall on average when the factor takes the values of those below the cut-off, shape (n,)."""
    factor = [j for j, spec in enumerate(scorer.texts.inputs) if spec["reason"] == text]
    moved = np.repeat(at.rows, len(standing_in), axis=0)
    moved[:, factor] = np.tile(standing_in[:, factor], (len(at.rows), 1))
    after = scorer.kernel.margins(moved).reshape(len(at.rows), -1).mean(axis=1, dtype=np.float64)
    return np.asarray(at.margin - after)


def _pairs(given: Array, gained: Array) -> tuple[int, int]:
    """Pairs of a factor that is named and one that is not, and those in which the first gains more."""
    found: Counter[str] = Counter()
    for named_here, gains in zip(given, gained, strict=True):
        own, others = gains[named_here], gains[~named_here]
        found["pairs"] += own.size * others.size
        found["ahead"] += int((own[:, None] > others[None, :]).sum())
    return found["pairs"], found["ahead"]
