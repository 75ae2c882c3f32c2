"""From the bad rate of a sample to the portfolio's: one step in log-odds, the same for every row, so that the ranking stays.

The step is that of King and Zeng (2001), Logistic Regression in Rare Events Data, Political Analysis 9, equation 7: rows drawn by outcome
alone change the log-odds of every row by the same amount. Refuses nothing: the contract says what the sample is and who says the rate.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from scipy.special import logit

from feature_repo.portfolio import Portfolio
from serving.scoring.parts import Calibrator
from training.measures import moved

Array = np.ndarray[Any, Any]


def shift_of(portfolio: Portfolio, bad: Array) -> float:
    """What the declared bad rate adds to the log-odds of the outcomes of development; 0 where none is declared."""
    sampled = portfolio.outcome.sampled
    if sampled is None or sampled.portfolio_bad_rate is None:
        return 0.0
    return float(logit(sampled.portfolio_bad_rate) - logit(np.mean(bad)))


def shifted(calibrator: Calibrator, shift: float) -> Calibrator:
    """The calibrator with every PD moved by `shift` in log-odds, isotonic's between its knots too, to the lines' own bend."""
    if shift == 0:
        return calibrator
    return msgspec.structs.replace(calibrator, intercept=calibrator.intercept + shift, shift=calibrator.shift + shift,
                                   pds=moved(calibrator.pds, shift).tolist())
