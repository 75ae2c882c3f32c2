"""Scoring a frame: the arrays of `decision`, many rows at a time."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd

from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Assessment, Scorer
from serving.scoring.kernel import Array
from serving.scoring.parts import ACTIONS


def arrays(portfolio: Portfolio, frame: pd.DataFrame) -> dict[str, Array]:
    """The raw inputs of a frame as `Scorer.assess` takes them; missing levels become None."""
    return {
        column.name: _levels(frame[column.name]) if column.is_level else frame[column.name].to_numpy(dtype=np.float64)
        for column in portfolio.raw_inputs
    }


def score(scorer: Scorer, frame: pd.DataFrame, *, explain: bool = False) -> pd.DataFrame:
    """margin, pd, score, band and outcome per row of `frame` (raw inputs by name), plus derived columns, on its index.

    explain adds `reasons`, a JSON list per row ("[]" for approvals).
    """
    at = scorer.assess(arrays(scorer.portfolio, frame))
    names = np.array([band.name for band in scorer.policy.bands])
    scored = pd.DataFrame({column.name: at.columns[column.name] for column in scorer.portfolio.derived_columns}, index=frame.index)
    scored = scored.assign(margin=at.margin, pd=at.pd, score=at.score, band=names[at.band],
                           outcome=np.array([action.value for action in ACTIONS])[at.severity])
    if explain:
        scored["reasons"] = reasons(scorer, at)
    return scored


def reasons(scorer: Scorer, at: Assessment) -> Array:
    """JSON per row ("[]" for approvals); contributions of all rows at once are several times as quick as one by one, and the same."""
    found = np.full(len(at.pd), "[]", dtype=object)
    refused = np.flatnonzero(at.severity)
    for i, contributions in zip(refused, scorer.kernel.contributions(at.rows[refused]), strict=True):
        found[i] = msgspec.json.encode(scorer.principal(at, int(i), contributions)).decode()
    return found


def _levels(texts: pd.Series) -> Array:
    found = texts.to_numpy(dtype=object, copy=True)
    found[texts.isna().to_numpy()] = None
    return found
