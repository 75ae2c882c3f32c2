"""The model the benches of scoring share: 300 trees of depth 5 on drawn borrowers, as a release would hold it and as XGBoost's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import msgspec
import numpy as np
import pandas as pd
import xgboost
import yaml
from borrowers import borrowers
from projects import ROOT

from feature_repo.contract import BAD
from feature_repo.portfolios import load
from serving.scoring.decision import Scorer
from serving.scoring.parts import Calibrator
from training.candidates import Candidate
from training.encoding import fit_encoding, model_rows
from training.models import export
from training.params import EncodingParams, EvaluateParams
from training.release_parts import compose

TREES, DEPTH, DRAWN = 300, 5, 60_000


@dataclass(frozen=True)
class Scored:
    """One model, twice; booster: on one thread. people: raw inputs that nobody was fitted to."""

    scorer: Scorer
    booster: xgboost.Booster
    people: pd.DataFrame

    def rows(self, many: int) -> np.ndarray:
        """Model rows of as many people, one after another in memory."""
        return self.rows_of(self.people.iloc[np.arange(many) % len(self.people)])

    def rows_of(self, people: pd.DataFrame) -> np.ndarray:
        """Model rows of these people."""
        return np.ascontiguousarray(model_rows(self.scorer.portfolio, self.scorer.encoding, people))


@cache
def scored(name: str) -> Scored:
    """The model of a portfolio."""
    portfolio, params = load(name), yaml.safe_load((ROOT / "params.yaml").read_text())
    frame = borrowers(portfolio, DRAWN, seed=1, unknown=0.0)
    encoding = fit_encoding(portfolio, frame, msgspec.convert(params["train"]["encoding"], EncodingParams))
    rows = model_rows(portfolio, encoding, frame)
    settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": DEPTH, "eta": 0.05, "seed": 1, "nthread": 1,
                "base_score": float(frame[BAD].mean()), "monotone_constraints": tuple(int(column.risk) for column in portfolio.inputs)}
    booster = xgboost.train(settings, xgboost.DMatrix(rows, label=frame[BAD]), TREES)
    candidate = Candidate("trees", export(booster), Calibrator("platt"), ("model.ubj", bytes(booster.save_raw("ubj"))))
    evaluate = msgspec.convert(params["evaluate"], EvaluateParams)
    scorer = compose(portfolio, candidate, encoding, frame, evaluate)
    # Of drawn borrowers so many are in doubt that no cut-off is left.
    middle = float(np.median(scorer.calibrator.pd(scorer.kernel.margins(rows))))
    policy = msgspec.structs.replace(scorer.policy, approve_below=middle, decline_from=max(middle, scorer.policy.decline_from))
    return Scored(replace(scorer, policy=policy), booster, borrowers(portfolio, DRAWN, seed=2))
