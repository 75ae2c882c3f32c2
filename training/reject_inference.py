"""Reject inference: what the chosen recipe would say if the rejected had outcomes, as a sensitivity beside the known-outcome model.

Parcelling deals outcomes to the rejected within bands of PD, at the bad rate of the known there times a prudence factor; fuzzy augmentation
counts each of them as bad with its PD times the factor and as good with the rest (Siddiqi 2006, Credit Risk Scorecards, chapter 6).
Neither adds information: what the rejected would have done is assumed (Hand and Henley 1993), and where it was known Crook and Banasik
(2004, Journal of Banking and Finance 28) found little to gain. So the release stays the model of known outcomes; the band says how far it
could be wrong if the rejected are worse than the known of equal PD. An application too young to count is not a rejected one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.portfolio import Portfolio
from serving.scoring.batch import arrays
from serving.scoring.decision import Assessment, Encoding, Scorer
from training import measures
from training.calibration import aligned, fit_calibrator
from training.candidates import Candidate
from training.encoding import fit_encoding, sample
from training.models import boost
from training.params import EvaluateParams, TrainParams
from training.recipe import fitted_rows, folds, risks_of
from training.rejected import FUZZY, KNOWN, PARCELLING, Figures, Rejects
from training.release_parts import compose
from training.scorecard import fit_scorecard
from training.splits import CALIBRATION, DEVELOPMENT, PART, PERIOD, TEST

Array = np.ndarray[Any, Any]
SUREST = 0.99


@dataclass(frozen=True)
class Subject:
    """What is refitted. frame: everyone assembled, with part, period and whether rejected; candidate and encoding: what evaluate takes."""

    portfolio: Portfolio
    candidate: Candidate
    encoding: Encoding
    frame: pd.DataFrame
    rejected: Array

    @property
    def develops(self) -> Array:
        return (self.frame[PERIOD] == DEVELOPMENT).to_numpy()

    def of(self, part: str) -> pd.DataFrame:
        """The rows of a part; their outcome is known."""
        return self.frame[(self.frame[PART] == part).to_numpy()]


def infer(subject: Subject, train: TrainParams, evaluate: EvaluateParams, settings: Rejects) -> tuple[dict[str, Figures], pd.DataFrame]:
    """Per model its figures, and application_id with the PD each model gives everyone."""
    everyone = subject.frame[subject.develops]
    base = compose(subject.portfolio, subject.candidate, subject.encoding, everyone, evaluate)
    scorers = {KNOWN: base}
    for method, labels in inferred(subject, base, settings).items():
        candidate, encoding = refit(subject, labels, train)
        composed = compose(subject.portfolio, candidate, encoding, everyone, evaluate)
        scorers[method] = replace(composed, policy=base.policy)
    values = arrays(subject.portfolio, subject.frame)
    said = {name: _said(scorer.assess(values)) for name, scorer in scorers.items()}
    found = {name: _figures(subject, pd_, approved, scores - said[KNOWN][2]) for name, (pd_, approved, scores) in said.items()}
    return found, pd.DataFrame({APPLICATION_ID: subject.frame[APPLICATION_ID], **{name: pd_ for name, (pd_, *_) in said.items()}})


def _said(at: Assessment) -> tuple[Array, Array, Array]:
    """PD, whether approved, score: all of an assessment that is kept, for its inputs are many times as large."""
    return at.pd, at.severity == 0, at.score


def inferred(subject: Subject, scorer: Scorer, settings: Rejects) -> dict[str, Array]:
    """Per method the outcome of each rejected application of development, in the order of the frame: 1, 0, or a share between."""
    apart = subject.of(CALIBRATION)
    known = apart if len(apart) else subject.of(DEVELOPMENT)
    of_known, of_rejected = (scorer.assess(arrays(subject.portfolio, rows)).pd for rows in (known, subject.frame[subject.rejected]))
    return {
        PARCELLING: parcelled(of_rejected, of_known, known[BAD].to_numpy(dtype=np.float64), settings),
        FUZZY: np.minimum(of_rejected * settings.prudence.fuzzy, SUREST),
    }


def parcelled(of_rejected: Array, of_known: Array, bad: Array, settings: Rejects) -> Array:
    """Outcomes dealt by chance within parcels of equally many rejected, ordered by PD, so that each has its rate of bad exactly.

    The rate is that of the known with PDs as in the parcel, drawn towards the PDs of the rejected where they are few, times the factor.
    """
    edges = np.unique(np.quantile(of_rejected, np.arange(1, settings.parcels) / settings.parcels))
    at = np.searchsorted(edges, of_rejected, side="right")
    random, labels = np.random.default_rng(settings.seed), np.zeros(len(of_rejected))
    for parcel in range(len(edges) + 1):
        here = np.flatnonzero(at == parcel)
        if not len(here):
            continue
        there = (of_known >= of_rejected[here].min()) & (of_known <= of_rejected[here].max())
        rate = (bad[there].sum() + settings.smoothing * of_rejected[here].mean()) / (there.sum() + settings.smoothing)
        count = round(min(rate * settings.prudence.parcelling, SUREST) * len(here))
        labels[random.permutation(here)[:count]] = 1.0
    return labels


def refit(subject: Subject, labels: Array, params: TrainParams) -> tuple[Candidate, Encoding]:
    """The chosen family again, on known and inferred outcomes, with the directions, settings and kind of calibration it has."""
    rejects = subject.frame[subject.rejected].assign(bad=labels)
    development, calibration = subject.of(DEVELOPMENT), subject.of(CALIBRATION)
    late = _late(rejects, development, calibration, params.seed, dated=subject.portfolio.is_dated)
    fits, calibrates = (pd.concat([known, some]) for known, some in ((development, rejects[~late]), (calibration, rejects[late])))
    encoding, kernel, native = _kernel(subject, fits, params)
    if calibration.empty:
        margins, outcomes = _out_of_fold(subject, fits, params, params.cross_validation.folds)
    else:
        margins = _margins(subject, encoding, kernel, calibrates)
        outcomes = dealt(margins, calibrates[BAD].to_numpy(dtype=np.float64))
        if params.calibration.joins(len(development), int(calibration[BAD].sum())):
            apart, early = _out_of_fold(subject, fits, params, params.calibration.join_folds)
            margins = np.concatenate([aligned((apart, early), (margins, outcomes)), margins])
            outcomes = np.concatenate([early, outcomes])
    calibrator = fit_calibrator(subject.candidate.calibrator.method, margins, outcomes, params.calibration)
    return Candidate(subject.candidate.name, kernel, calibrator, (subject.candidate.native[0], native)), encoding


def dealt(margins: Array, shares: Array) -> Array:
    """Whole outcomes for a calibrator, which sees nothing but the margin: along it, any stretch holds the bad its shares add up to.

    Outcomes that are whole stay as they are.
    """
    order = np.argsort(margins, kind="stable")
    between = order[(shares[order] > 0) & (shares[order] < 1)]
    found = shares.copy()
    found[between] = np.diff(np.floor(np.concatenate([[0.0], np.cumsum(shares[between])]) + 0.5))
    return found


def _figures(subject: Subject, pd_: Array, approved: Array, shift: Array) -> Figures:
    test, door = (subject.frame[PART] == TEST).to_numpy(), subject.develops
    found = measures.summary(subject.frame.loc[test, BAD].to_numpy(dtype=np.float64), pd_[test])
    here = door & approved
    return Figures(
        found["auc"], found["gini"], found["ks"], found["ece"], float(pd_[door].mean()), float(approved[door].mean()),
        float(pd_[here].mean()) if here.any() else float("nan"), float(pd_[subject.rejected].mean()), float(shift[door].mean()),
    )


def _late(rejects: pd.DataFrame, development: pd.DataFrame, calibration: pd.DataFrame, seed: int, *, dated: bool) -> Array:
    """Which of the rejected go with the calibration part: those of its time, or as large a share by chance."""
    if calibration.empty:
        return np.zeros(len(rejects), dtype=bool)
    if dated:
        return np.asarray(rejects[EVENT_TIME] >= calibration[EVENT_TIME].min())
    share = len(calibration) / (len(development) + len(calibration))
    drawn: Array = np.random.default_rng(seed).random(len(rejects)) < share
    return drawn


def _kernel(subject: Subject, frame: pd.DataFrame, params: TrainParams) -> tuple[Encoding, Any, bytes]:
    frame = frame[fitted_rows(frame, params)]
    encoding = fit_encoding(subject.portfolio, frame, params.encoding)
    rows, base = sample(subject.portfolio, encoding, frame), subject.candidate.kernel
    if subject.candidate.name == "scorecard":
        return encoding, fit_scorecard(subject.portfolio, rows, params.scorecard), subject.candidate.native[1]
    rounds = len(base.arrays()["roots"])
    boosted = boost(rows, rounds, risks_of(subject.portfolio), params.trees, params.seed)
    return encoding, boosted.kernel, boosted.native


def _margins(subject: Subject, encoding: Encoding, kernel: Any, frame: pd.DataFrame) -> Array:
    found: Array = kernel.margins(sample(subject.portfolio, encoding, frame).rows) if len(frame) else np.zeros(0)
    return found


def _out_of_fold(subject: Subject, frame: pd.DataFrame, params: TrainParams, count: int) -> tuple[Array, Array]:
    """Margins of models that did not see the row, and whole outcomes."""
    margins = np.empty(len(frame))
    whole = frame.assign(bad=(frame[BAD] > frame[BAD].median()).astype(float)) if frame[BAD].nunique() > 2 else frame
    for fits, kept in folds(whole, count, params.seed):
        encoding, kernel, _ = _kernel(subject, frame.iloc[fits], params)
        margins[kept] = _margins(subject, encoding, kernel, frame.iloc[kept])
    return margins, dealt(margins, frame[BAD].to_numpy(dtype=np.float64))
