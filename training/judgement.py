"""What is said of a release: evidence inside it, and the tables of its plots beside it. Each noun computes its own part.

Evidence is data a gate can ask: no clock, no id, the same bytes for the same release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from feature_repo.contract import Action
from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from governance import gate_settings
from governance.gate_settings import Gates
from serving.scoring.bins import Bins
from serving.scoring.decision import Scorer
from training import binning, cutoffs, evaluation, fidelity, grading, periods, release_parts, stability
from training.candidates import Choice
from training.params import EvaluateParams
from training.proxies import evenly
from training.splits import AFTER, DEVELOPMENT, PART, PERIOD


@dataclass(frozen=True)
class Subject:
    """A scored release.

    scored: everyone assembled, in time order, with part (null where not judged), period, and what score() says; protected: the vault.
    """

    portfolio: Portfolio
    scorer: Scorer
    choice: Choice
    bins: dict[str, Bins]
    scored: pd.DataFrame
    protected: pd.DataFrame

    @property
    def judged(self) -> pd.DataFrame:
        """The rows of a part: development, calibration, test; their outcome is known."""
        return self.scored[self.scored[PART].notna()]


def evidence(subject: Subject) -> dict[str, Any]:
    """File name in the release -> what it holds."""
    judged = subject.judged
    by_part = evaluation.part_measures(judged, subject.bins["score"], subject.scorer.calibrator.shift)
    params, held_to = read("evaluate", EvaluateParams), read("gates", Gates)
    tried = subject.choice.tried.get(subject.choice.chosen, {})
    return {
        "calibration.json": grading.evidence(subject.portfolio, subject.scorer.calibrator, subject.scorer.policy, tried, judged),
        "measures.json": evaluation.with_cross_validation(by_part, subject.choice.cross_validation),
        "binning.json": binning.evidence(subject.scorer, subject.bins, judged[judged[PART] == DEVELOPMENT]),
        "cutoffs.json": cutoffs.evidence(subject.scorer, subject.scored, subject.protected, params.policy),
        "fidelity.json": fidelity.measure(subject.scorer, asked(subject, params.baseline_share, held_to.fidelity.sample)),
        gate_settings.FILE: gate_settings.frozen(held_to),
        "parts.json": periods.by_part(judged, dated=subject.portfolio.is_dated),
        "stability.json": stability.evidence(subject.portfolio, subject.scored, subject.bins, read("stability", stability.Stability)),
    }


def asked(subject: Subject, share: float, sample: int) -> fidelity.Asked:
    """Of the applications after development that missed the cut-off `sample`, and those of development the reasons are measured against."""
    scored, policy = subject.scored, subject.scorer.policy
    developed = scored[scored[PERIOD] == DEVELOPMENT]
    below = release_parts.nearest(developed["pd"].to_numpy(), (developed["outcome"] == Action.APPROVE).to_numpy(), share)
    missed = scored[(scored[PERIOD] == AFTER) & ~(scored["pd"] < policy.approve_below)]
    return fidelity.Asked(evenly(missed, sample), evenly(developed.iloc[below], fidelity.STANDING_IN))


def tables(subject: Subject, found: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Plot name -> table, small enough for a browser. found: the evidence."""
    return {
        **evaluation.plot_tables(subject.judged, found["measures.json"], subject.scorer.policy, dated=subject.portfolio.is_dated,
                                 shift=subject.scorer.calibrator.shift),
        **binning.tables(found["binning.json"]),
        **grading.tables(found["calibration.json"]),
        "cutoffs": cutoffs.table(found["cutoffs.json"]),
        "stability": stability.table(found["stability.json"]),
    }
