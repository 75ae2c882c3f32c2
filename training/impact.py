"""Adverse impact of a model under the policy: what share of each protected group it approves, over that of the reference group.

Counted on everyone who applied, rejected ones included, with the cut-off and the rules the model would be served with. A group of few,
or one whose reference group is, is left out. And where the difference comes from: which inputs rank one group worse than the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID
from governance.ratios import ratio_interval
from serving.scoring.batch import arrays
from serving.scoring.decision import Scorer

Array = np.ndarray[Any, Any]
EXPLAINED = 4_000  # applications whose contributions are averaged
LEAST = 0.05


class Impact(msgspec.Struct, frozen=True):
    """One group: its approvals, and the ratio of approval rates to the reference group with its interval (null: nobody is approved)."""

    attribute: str
    group: str
    applications: int
    approved: int
    ratio: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Applicants:
    """Everyone judged: assembled applications, and per protected attribute their groups (null where not known)."""

    frame: pd.DataFrame
    groups: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)


def applicants(frame: pd.DataFrame, protected: pd.DataFrame) -> Applicants:
    """The applications with the groups the vault knows."""
    joined = frame[[APPLICATION_ID]].merge(protected, on=APPLICATION_ID, how="left", validate="one_to_one")
    return Applicants(frame, joined.drop(columns=APPLICATION_ID))


def measure(scorer: Scorer, judged: Applicants, minimum: int, confidence: float) -> tuple[Impact, ...]:
    """Every group but the reference of every protected attribute, those of fewer than `minimum` applications left out."""
    approved = scorer.assess(arrays(scorer.portfolio, judged.frame)).severity == 0
    found: list[Impact] = []
    for column in scorer.portfolio.protected:
        groups = judged.groups[column.name].to_numpy()
        cases = {group: (int(approved[groups == group].sum()), int((groups == group).sum())) for group in column.group_names}
        counted = {group: each for group, each in cases.items() if each[1] >= minimum}
        reference = counted.pop(column.reference, (0, 0))
        found += [_impact(column.name, group, each, reference, confidence) for group, each in counted.items() if reference[0]]
    return tuple(found)


def worst(found: tuple[Impact, ...]) -> Impact | None:
    """The group with the least ratio; the first of equal ones."""
    return min(found, key=lambda each: each.ratio, default=None)


def drivers(scorer: Scorer, judged: Applicants, of: Impact) -> tuple[str, ...]:
    """Inputs that rank the group worse than its reference group, most first: by mean contribution to the log-odds of bad.

    Those of less than `LEAST` of all such differences are left out.
    """
    reference = next(column.reference for column in scorer.portfolio.protected if column.name == of.attribute)
    groups = judged.groups[of.attribute].to_numpy()
    mean = {name: _mean_contributions(scorer, judged.frame[groups == name]) for name in (of.group, reference)}
    gaps = mean[of.group] - mean[reference]
    least = LEAST * gaps[gaps > 0].sum()
    return tuple(scorer.portfolio.inputs[j].name for j in np.argsort(-gaps, kind="stable") if gaps[j] > least)


def _mean_contributions(scorer: Scorer, frame: pd.DataFrame) -> Array:
    some = frame.iloc[np.linspace(0, len(frame) - 1, min(EXPLAINED, len(frame))).astype(np.int64)]
    return np.asarray(scorer.kernel.contributions(scorer.assess(arrays(scorer.portfolio, some)).rows).mean(axis=0))


def _impact(attribute: str, group: str, cases: tuple[int, int], reference: tuple[int, int], confidence: float) -> Impact:
    ratio, low, high = ratio_interval(cases, reference, confidence)
    return Impact(attribute, group, cases[1], cases[0], ratio, low, high)
