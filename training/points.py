"""The scorecard in whole points: what is printed is what is served. Whoever adds up the rows of an application reaches its score, always.

Calibration and scaling are folded into the points before they are rounded, and the served kernel is made of the rounded ones: its margin
is points / (pdo / log 2), its PD follows from the score. Who wants finer points sets a larger pdo. A sum whose PD would be nearer to 0 or
1 than serving.scoring.parts.SUREST scores as that PD does. Only Platt's calibration adds up; anything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.errors import ParamsError, ReleaseError
from feature_repo.portfolio import Portfolio
from serving.scoring.bins import MISSING, intervals
from serving.scoring.decision import Encoding, Scorer
from serving.scoring.parts import Calibrator, Policy
from serving.scoring.scorecard import Scorecard

Array = np.ndarray[Any, Any]
START = "start"
NEARLY = 1e-6  # of a point: what adding log-odds may lose


def in_whole_points(kernel: Scorecard, calibrator: Calibrator, policy: Policy, rows: Array) -> Scorecard:
    """The card whose margin is the calibrated log-odds of bad, each of its parts worth a whole number of points; it needs no calibrator.

    rows: of everyone who applied; the start takes up what the rounding of the other parts adds to their scores on average.
    Raises ParamsError unless the calibration is Platt's.
    """
    if calibrator.method != "platt":
        raise ParamsError(f"params.yaml, train.calibration.scorecard: points add up only with platt; {calibrator.method} bends them")
    factor = per_log_odds(policy)

    def whole(log_odds: Array) -> Array:
        return np.rint(factor * calibrator.slope * log_odds) / factor

    rounded = replace(kernel, points=whole(kernel.points), missing=whole(kernel.missing), special_points=whole(kernel.special_points),
                      intercept=np.zeros(1))
    wanted = calibrator.slope * kernel.margins(rows).mean() + calibrator.intercept - rounded.margins(rows).mean()
    start = np.rint(policy.base_score - factor * (wanted + np.log(policy.base_odds)))
    return replace(rounded, intercept=np.array([(policy.base_score - start) / factor - np.log(policy.base_odds)]))


def points_table(scorer: Scorer, kernel: Scorecard) -> pd.DataFrame:
    """Columns input, value, points: the start first, then per input its intervals or levels, its special codes and missing.

    Raises ReleaseError where the kernel is not in whole points: the table would not be what scores.
    """
    factor, policy = per_log_odds(scorer.policy), scorer.policy
    table = log_odds_table(scorer.portfolio, scorer.encoding, kernel)
    is_start, log_odds = table["input"] == START, table.pop("log_odds")
    points = -factor * log_odds + is_start * (policy.base_score - factor * np.log(policy.base_odds))
    if not np.allclose(points, np.rint(points), rtol=0, atol=NEARLY):
        raise ReleaseError("the scorecard is not in whole points, so its table would not be what scores: make it with "
                           "training.points.in_whole_points, with the policy it is released with")
    return table.assign(points=np.rint(points).astype(np.int64))


def per_log_odds(policy: Policy) -> float:
    """Points per unit of log-odds."""
    return float(policy.pdo / np.log(2))


def log_odds_table(portfolio: Portfolio, encoding: Encoding, kernel: Scorecard) -> pd.DataFrame:
    """Columns input, value, log_odds: the scorecard before calibration and scaling, the start being the intercept."""
    rows = [(START, "", float(kernel.intercept[0]))]
    for j, column in enumerate(portfolio.inputs):
        rows += [(column.name, value, float(margin)) for value, margin in _places(kernel, j, encoding.get(column.name))]
    return pd.DataFrame(rows, columns=["input", "value", "log_odds"])


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
