"""How well one column alone ranks the outcome, whichever way it runs, and whether it is filled for one outcome alone.

A number is worth the better of two figures: its AUC as it stands, and that of bad rates per bin learnt on the other folds, which a
leak that rises and falls, a special code or a missing value cannot hide from. A level is worth the latter alone: its own rows' bad rate
would make thousands of levels look as if they knew the outcome.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

Array = np.ndarray[Any, Any]
FOLDS = 5
BINS = 50
CHANCE = 1e-9  # below it, that only one outcome is filled is no accident
SIDES = {1.0: "bad", 0.0: "good"}


def of_number(values: Array, bad: Array, *, special: tuple[float, ...] = (), seed: int = 0) -> float:
    """0.5 to 1; NaN is a value like any other."""
    return max(auc(values, bad), _cross_fitted(bins(values, special), bad, seed))


def of_level(levels: pd.Series[str], bad: Array, *, seed: int = 0) -> float:
    """0.5 to 1; a missing level is a level."""
    return _cross_fitted(pd.factorize(levels, use_na_sentinel=False)[0], bad, seed)


def auc(values: Array, bad: Array) -> float:
    """How well a number ranks bad (1) above good (0), whichever way it runs and with missing values at whichever end: 0.5 to 1.

    >>> auc(np.array([3.0, 2.0, 1.0, np.nan]), np.array([0.0, 0.0, 1.0, 1.0]))
    1.0
    """
    there = ~np.isnan(values)
    bads, goods = bad.sum(), len(bad) - bad.sum()
    bads_there, goods_there = bad[there].sum(), there.sum() - bad[there].sum()
    above = rankdata(values[there])[bad[there] == 1].sum() - bads_there * (bads_there + 1) / 2
    among = max(above, bads_there * goods_there - above)
    across = max(bads_there * (goods - goods_there), (bads - bads_there) * goods_there)
    return float((among + across + 0.5 * (bads - bads_there) * (goods - goods_there)) / (bads * goods))


def bins(values: Array, special: tuple[float, ...] = ()) -> Array:
    """A code per row: the bin of equal size it falls in; missing, special and frequent values are a bin each.

    >>> bins(np.array([1.0, 7.0, 7.0, np.nan]), special=(1.0,)).tolist()
    [50, 51, 51, 52]
    """
    distinct, at, rows = np.unique(values, return_inverse=True, return_counts=True)
    own = (rows * BINS >= len(values)) | np.isnan(distinct) | np.isin(distinct, special)
    return np.asarray(np.where(own, BINS + np.arange(len(distinct)), (np.cumsum(rows) - rows) * BINS // len(values))[at])


def one_sided(there: Array, bad: Array, least: int) -> str:
    """In words, where the column is filled, or missing, for one outcome alone and chance does not explain it; else empty.

    >>> one_sided(np.repeat([True, False], [60, 140]), np.repeat([1.0, 0.0], [60, 140]), least=50)
    'filled in 60 rows, all of them bad'
    """
    for word, rows in (("filled", there), ("missing", ~there)):
        count = int(rows.sum())
        for side, name in SIDES.items():
            if least <= count < len(bad) and (bad[rows] == side).all() and (bad == side).mean() ** count < CHANCE:
                return f"{word} in {count} rows, all of them {name}"
    return ""


def _cross_fitted(codes: Array, bad: Array, seed: int) -> float:
    """AUC of each row's bad rate as rows of the same code in the other folds have it, drawn to the average where they are few."""
    encoder = TargetEncoder(target_type="binary", cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed))
    rates = encoder.fit_transform(codes.reshape(-1, 1), bad.astype(np.int64))[:, 0]
    return max(0.5, float(roc_auc_score(bad, rates)))
