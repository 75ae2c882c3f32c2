"""The one evaluation of derived features: the same functions over arrays offline and over scalars online."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from feature_repo.portfolio import Portfolio


def derive(portfolio: Portfolio, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add every derived column to `values`; a result that is not finite becomes NaN, "no value".

    values: column name -> float64 array of shape (n,), or np.float64 with NaN for missing. Levels pass untouched.
    Returns a new mapping; arrays in give arrays out, scalars give np.float64.

    >>> import numpy as np
    >>> from feature_repo.portfolios import load
    >>> row = {column.name: np.float64(1000) for column in load("card_default").raw_inputs}
    >>> bool(np.isfinite(derive(load("card_default"), row)["utilisation"]))
    True
    """
    known = dict(values)
    with np.errstate(all="ignore"):
        for column in portfolio.derived_columns:
            result = np.asarray(column.function(*(known[name] for name in column.arguments)), dtype=np.float64)
            known[column.name] = np.where(np.isfinite(result), result, np.nan)[()]
    return known


def holds(rule: Any, values: Mapping[str, Any]) -> Any:
    """Whether a rule holds for `values` (scalars or arrays), never where one of its arguments is missing."""
    with np.errstate(all="ignore"):
        held = np.asarray(rule.when(*(values[name] for name in rule.arguments)), dtype=bool)
    return np.logical_and.reduce([held, *(~np.isnan(values[name]) for name in rule.arguments)])[()]
