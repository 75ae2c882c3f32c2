"""The scorecard as a table a person can add up: the start row, one row per input by where its value falls, and the score is there.

Read from the release's own arrays, so that the table is what scores. Points have two decimals; the score is the rounded sum. Only a
scorecard with Platt's calibration adds up; anything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.errors import ParamsError
from feature_repo.portfolio import Portfolio
from serving.scoring.bins import MISSING, intervals
from serving.scoring.decision import Encoding, Scorer
from serving.scoring.parts import Calibrator, Policy
from serving.scoring.scorecard import Scorecard

Array = np.ndarray[Any, Any]
START = "start"


def points_table(scorer: Scorer, kernel: Scorecard) -> pd.DataFrame:
    """Columns input, value, points: the start first, then per input its intervals or levels, its special codes and missing.

    Raises ParamsError unless the calibration is Platt's.
    """
    if scorer.calibrator.method != "platt":
        raise ParamsError("params.yaml, train.calibration.scorecard: points add up only with platt; isotonic bends them")
    per_log_odds, start = _scale(scorer.calibrator, scorer.policy, float(kernel.intercept[0]))
    table = log_odds_table(scorer.portfolio, scorer.encoding, kernel)
    points = (table.pop("log_odds") * per_log_odds).where(table["input"] != START, start)
    return table.assign(points=points.round(2) + 0.0)


def log_odds_table(portfolio: Portfolio, encoding: Encoding, kernel: Scorecard) -> pd.DataFrame:
    """Columns input, value, log_odds: the scorecard before calibration and scaling, the start being the intercept."""
    rows = [(START, "", float(kernel.intercept[0]))]
    for j, column in enumerate(portfolio.inputs):
        rows += [(column.name, value, float(margin)) for value, margin in _places(kernel, j, encoding.get(column.name))]
    return pd.DataFrame(rows, columns=["input", "value", "log_odds"])


def _scale(calibrator: Calibrator, policy: Policy, intercept: float) -> tuple[float, float]:
    """Points per unit of margin, and the points of margin `intercept` alone."""
    factor = policy.pdo / np.log(2)
    start = policy.base_score - factor * (calibrator.slope * intercept + calibrator.intercept + np.log(policy.base_odds))
    return -factor * calibrator.slope, float(start)


def _places(kernel: Scorecard, j: int, encoding: dict[str, float] | None) -> Iterator[tuple[str, float]]:
    """(where the value falls, its margin) for one input."""
    first, last = int(kernel.starts[j]), int(kernel.starts[j + 1])
    edges, margins = kernel.edges[first:last], kernel.points[first + j : last + j + 1]
    if encoding is None:
        yield from zip(intervals(tuple(edges)), margins, strict=True)
    else:
        yield from ((level, margins[np.searchsorted(edges, number, side="right")]) for level, number in encoding.items())
    special = slice(int(kernel.special_starts[j]), int(kernel.special_starts[j + 1]))
    yield from ((f"{code:g}", margin) for code, margin in zip(kernel.specials[special], kernel.special_points[special], strict=True))
    yield MISSING, float(kernel.missing[j])
