"""The peer: a scorecard as an expert writes it with optbinning alone. Free of the contract's directions, no ridge, no bound on weights."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
from optbinning import BinningProcess, Scorecard
from projects import Project
from sklearn.linear_model import LogisticRegression

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from serving.scoring.batch import score
from training.candidates import load_candidate
from training.measures import gini_interval
from training.params import EvaluateParams
from training.release_parts import compose

MOST_BELOW = 0.02


def expert_pds(portfolio: Portfolio, development: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """PDs of the test by optbinning's Scorecard on development: levels as they are, special codes apart, every input that varies."""
    inputs = [column for column in portfolio.inputs if len(development[column.name].dropna().unique()) > 1]
    names, levels = [column.name for column in inputs], [column.name for column in inputs if getattr(column, "levels", None)]
    special = {column.name: {"special_codes": list(column.special)} for column in inputs if column.special}
    process = BinningProcess(names, categorical_variables=levels, binning_fit_params=special)
    card = Scorecard(process, LogisticRegression(max_iter=2000))
    card.fit(as_objects(development[names], levels), development[BAD].to_numpy(dtype=int), metric_missing="empirical",
             metric_special="empirical")
    return card.predict_proba(as_objects(test[names], levels))[:, 1]


def as_objects(frame: pd.DataFrame, levels: list[str]) -> pd.DataFrame:
    """Levels with None for missing, as optbinning takes them."""
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in levels})


def ginis(project: Project) -> tuple[float, float]:
    """The test Gini of our scorecard as it would be served, and of the expert's on the same parts, after a run of the pipeline."""
    portfolio = load(project.portfolio)
    frame, parts = (pd.read_parquet(project.data(*at)) for at in (("assemble", "applications.parquet"), ("split", "parts.parquet")))
    development, test = (frame[(parts["part"] == part).to_numpy()] for part in ("development", "test"))
    candidate, encoding = load_candidate(project.data("train"), "scorecard")
    scorer = compose(portfolio, candidate, encoding, frame[(parts["period"] == "development").to_numpy()],
                     msgspec.convert(project.params["evaluate"], EvaluateParams))
    bad = test[BAD].to_numpy()
    return gini_interval(bad, score(scorer, test)["pd"].to_numpy())[0], gini_interval(bad, expert_pds(portfolio, development, test))[0]
